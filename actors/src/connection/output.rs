//! Output: what is still to be written, as the slices in which the session gave it.

use std::{collections::VecDeque, io};

use bytes::{Buf, Bytes};

use super::stream::Stream;

/// The most slices given to one system call; Linux takes 1,024, a pipelined batch rarely has more than a few.
const MAX_SLICES: usize = 32;

#[derive(Default)]
pub(super) struct Output {
    slices: VecDeque<Bytes>,
    octets: usize,
}

impl Output {
    pub(super) fn push(&mut self, slice: Bytes) {
        if slice.is_empty() {
            return;
        }
        self.octets += slice.len();
        self.slices.push_back(slice);
    }

    pub(super) const fn len(&self) -> usize {
        self.octets
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.octets == 0
    }

    /// Writes everything. May be dropped and called again: what is written is forgotten at once.
    pub(super) async fn write_to(&mut self, stream: &mut Stream) -> io::Result<()> {
        while !self.is_empty() {
            let written = {
                let mut slices = [io::IoSlice::new(&[]); MAX_SLICES];
                let count = self.slices.len().min(MAX_SLICES);
                for (slot, slice) in slices.iter_mut().zip(&self.slices) {
                    *slot = io::IoSlice::new(slice);
                }
                stream.write(slices.get(..count).unwrap_or_default()).await?
            };
            self.advance(written);
        }
        // An idle connection keeps no buffer.
        self.slices = VecDeque::new();
        stream.flush().await
    }

    fn advance(&mut self, mut written: usize) {
        self.octets = self.octets.saturating_sub(written);
        while let Some(first) = self.slices.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.slices.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(output: &Output) -> Vec<u8> {
        output.slices.iter().flatten().copied().collect()
    }

    #[test]
    fn what_was_written_is_forgotten_at_any_octet() {
        let slices = ["one", "", "two", "threes"];
        let whole = slices.concat();
        for written in 0..=whole.len() {
            let mut output = Output::default();
            for slice in slices {
                output.push(Bytes::from_static(slice.as_bytes()));
            }
            assert_eq!(output.len(), whole.len());
            output.advance(written);
            assert_eq!(left(&output), &whole.as_bytes()[written..], "{written}");
            assert_eq!(output.len(), whole.len() - written);
            assert_eq!(output.is_empty(), written == whole.len());
        }
    }
}
