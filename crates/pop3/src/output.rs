//! Output: what is to be written and was not fetched yet.
//!
//! Small things are gathered in one buffer, so that a reply is one write; a large chunk of a message goes through as the
//! slice that it is, uncopied.

use std::collections::VecDeque;
use std::mem;

use bytes::{BufMut, Bytes, BytesMut};

/// From this length on a chunk is passed on and not copied. A copy of 4 KiB is cheaper than two more slices in a write;
/// one of 64 KiB into fresh memory was measured at 20 microseconds.
const SHARE_OCTETS: usize = 16 * 1024;
/// RFC 2449 §4: a reply line has at most 512 octets with its CRLF.
const REPLY_LIMIT: usize = 512 - 2;

/// A queue of octets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Output {
    whole: VecDeque<Bytes>,
    tail: BytesMut,
    octets: usize,
}

impl Output {
    /// A reply line, given without its CRLF. Whatever is in the text, it stays one line of printable ASCII.
    pub(crate) fn line(&mut self, text: &str) {
        let text = text.as_bytes();
        let kept = text.get(..REPLY_LIMIT).unwrap_or(text);
        self.tail.reserve(kept.len() + 2);
        self.tail.extend(kept.iter().map(|octet| {
            if (0x20..0x7f).contains(octet) {
                *octet
            } else {
                b'?'
            }
        }));
        self.octets += kept.len();
        self.copy(b"\r\n");
    }

    /// The line of a challenge, which may be longer than others. RFC 5034 §4
    pub(crate) fn challenge(&mut self, line: &str) {
        self.copy(line.as_bytes());
        self.copy(b"\r\n");
    }

    /// Two numbers and a line end, as LIST has them a million times.
    pub(crate) fn pair(&mut self, first: u64, second: u64) {
        self.decimal(first);
        self.copy(b" ");
        self.decimal(second);
        self.copy(b"\r\n");
    }

    /// A number and a unique-id, as UIDL has them a million times.
    pub(crate) fn unique_id(&mut self, number: u64, uid_validity: u32, uid: u32) {
        self.decimal(number);
        self.copy(b" ");
        self.decimal(uid_validity.into());
        self.copy(b".");
        self.decimal(uid.into());
        self.copy(b"\r\n");
    }

    /// A chunk of a message, as it is.
    pub(crate) fn chunk(&mut self, chunk: Bytes) {
        if chunk.len() < SHARE_OCTETS {
            // Room for the dot that follows, too: then a message is one allocation.
            self.tail.reserve(chunk.len() + 8);
            return self.copy(&chunk);
        }
        self.octets += chunk.len();
        if !self.tail.is_empty() {
            self.whole.push_back(mem::take(&mut self.tail).freeze());
        }
        self.whole.push_back(chunk);
    }

    /// Octets that are copied.
    pub(crate) fn copy(&mut self, octets: &[u8]) {
        self.tail.put_slice(octets);
        self.octets += octets.len();
    }

    /// Makes room for octets that are to be copied.
    pub(crate) fn reserve(&mut self, octets: usize) {
        self.tail.reserve(octets);
    }

    /// The next piece; empty when there is none.
    pub(crate) fn take(&mut self) -> Bytes {
        // The buffer goes away with the piece: an idle session keeps none.
        let piece = self
            .whole
            .pop_front()
            .unwrap_or_else(|| mem::take(&mut self.tail).freeze());
        self.octets -= piece.len();
        piece
    }

    /// Octets that were not fetched yet.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }

    fn decimal(&mut self, number: u64) {
        const DIGITS: usize = 20;
        let mut text = [b'0'; DIGITS];
        let mut rest = number;
        let mut used = 0;
        for digit in text.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.copy(text.get(DIGITS - used..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_decimal() {
        let check = |number: u64| {
            let mut output = Output::default();
            output.pair(number, number);
            assert_eq!(output.take(), format!("{number} {number}\r\n"));
        };
        for number in [0, 1, 9, 10, 99, 100, 4_294_967_295, u64::MAX] {
            check(number);
        }
    }

    #[test]
    fn a_large_chunk_is_shared_and_order_is_kept() {
        let large = Bytes::from(vec![b'x'; SHARE_OCTETS]);
        let mut output = Output::default();
        output.line("+OK");
        output.chunk(large.clone());
        output.chunk(Bytes::from_static(b"y"));
        assert_eq!(output.octets(), 5 + SHARE_OCTETS + 1);
        assert_eq!(output.take(), "+OK\r\n");
        let shared = output.take();
        assert_eq!((shared.as_ptr(), shared.len()), (large.as_ptr(), large.len()));
        assert_eq!(output.take(), "y");
        assert_eq!((output.octets(), output.take().len()), (0, 0));
    }

    #[test]
    fn a_reply_line_is_bounded_and_stays_one_line() {
        let mut output = Output::default();
        output.line(&"x".repeat(2_000));
        assert_eq!(output.take().len(), 512);
        output.line("a\r\nb\0ä");
        assert_eq!(output.take(), "a??b???\r\n");
    }
}
