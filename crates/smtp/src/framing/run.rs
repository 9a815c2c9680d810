//! Run: the text in one chunk of a body as slices of that chunk, cut around the dots that are not part of it.
//!
//! Nothing is copied and nothing collected: most runs are one slice, and a chunk that is all dots costs no more memory.

use bytes::Bytes;

use super::matcher::{Mark, Matcher};

/// Gives the slices in order.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    rest: Bytes,
    matcher: Matcher,
    stuffed: usize,
}

impl Run {
    /// The text of a chunk that `matcher` stood at the beginning of, with as many dots in it as its scan counted.
    pub(crate) const fn new(text: Bytes, matcher: Matcher, stuffed: usize) -> Self {
        Self {
            rest: text,
            matcher,
            stuffed,
        }
    }

    /// Text without dots to take out: of a chunk.
    pub(crate) const fn whole(text: Bytes) -> Self {
        Self::new(text, Matcher::start(), 0)
    }
}

impl Iterator for Run {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut taken = 0;
        while self.stuffed > 0 {
            let (length, mark) = self.matcher.advance(self.rest.get(taken..)?);
            taken += length;
            match mark {
                Some(Mark::Dot) => self.stuffed -= 1,
                Some(Mark::BareLineEnd | Mark::End) => continue,
                None => break,
            }
            let mut slice = self.rest.split_to(taken);
            slice.truncate(taken - 1);
            if !slice.is_empty() {
                return Some(slice);
            }
            taken = 0;
        }
        let slice = self.rest.split_to(self.rest.len());
        (!slice.is_empty()).then_some(slice)
    }
}
