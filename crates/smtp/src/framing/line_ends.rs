//! LineEnds: finds line ends that are none in the chunks of BDAT.
//!
//! A chunk has its length before it and so neither dots nor an end of its own (RFC 3030 §2): this is all that is left
//! of what [`super::Matcher`] looks for.

use memchr::memchr2_iter;
use serde::{Deserialize, Serialize};

/// Where in a line the next octet of the message stands. Takes the octets in pieces of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LineEnds {
    /// At the beginning of a line.
    Begin,
    /// Within a line.
    Within,
    /// Behind a carriage return.
    Cr,
}

impl LineEnds {
    /// Takes octets, and says whether a carriage return or a line feed stands alone in them.
    pub(crate) fn scan(&mut self, octets: &[u8]) -> bool {
        let Some(last) = octets.last() else {
            return false;
        };
        let mut is_bare = false;
        // Where the line feed must stand that belongs to the carriage return before.
        let mut due = matches!(self, Self::Cr).then_some(0);
        for at in memchr2_iter(b'\r', b'\n', octets) {
            let is_feed = octets.get(at) == Some(&b'\n');
            is_bare |= is_feed != (due == Some(at)) || due.is_some_and(|due| due != at);
            due = (!is_feed).then_some(at + 1);
        }
        is_bare |= due.is_some_and(|due| due < octets.len());
        *self = match last {
            b'\r' => Self::Cr,
            b'\n' => Self::Begin,
            _ => Self::Within,
        };
        is_bare
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_pieces(octets: &[u8], size: usize) -> (bool, LineEnds) {
        let mut ends = LineEnds::Begin;
        let mut bare = false;
        for piece in octets.chunks(size) {
            bare |= ends.scan(piece);
        }
        (bare || ends == LineEnds::Cr, ends)
    }

    #[test]
    fn only_crlf_is_a_line_end() {
        for (text, is_bare) in [
            ("", false),
            ("a", false),
            ("a\r\nb\r\n", false),
            ("\r\n\r\n", false),
            ("\n", true),
            ("a\nb", true),
            ("a\rb", true),
            ("\r\r\n", true),
            ("\r\n\n", true),
            ("a\r", true),
            ("\r.\r\n", true),
        ] {
            for size in 1..=text.len().max(1) {
                assert_eq!(in_pieces(text.as_bytes(), size).0, is_bare, "{text:?} by {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            octets in prop::collection::vec(prop::sample::select(b"\r\n\n\rax".to_vec()), 0..40),
            size in 1..9_usize,
        ) {
            let whole = in_pieces(&octets, octets.len().max(1));
            prop_assert_eq!(in_pieces(&octets, size), whole);
            let text: String = octets.iter().map(|octet| char::from(*octet)).collect();
            let left = text.replace("\r\n", "");
            prop_assert_eq!(whole.0, left.contains(['\r', '\n']));
        }
    }
}
