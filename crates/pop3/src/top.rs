//! Top: how much of a message TOP shows: the header, the blank line, and some lines of the body (RFC 1939 §7).

use memchr::memchr_iter;
use serde::{Deserialize, Serialize};

/// Counts the lines of a message that comes in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Top {
    in_header: bool,
    /// Lines of the body that are still wanted.
    wanted: u32,
    /// Octets of the current line in earlier chunks.
    before: u64,
    /// Whether the last chunk ended with CR.
    after_cr: bool,
}

impl Top {
    /// Wants this many lines of the body.
    pub(crate) fn new(lines: u32) -> Self {
        Self {
            in_header: true,
            wanted: lines,
            before: 0,
            after_cr: false,
        }
    }

    /// Reads a chunk. `Some(length)` when only its first `length` octets are wanted, and nothing behind them.
    pub(crate) fn cut(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut line_start = 0;
        for newline in memchr_iter(b'\n', chunk) {
            let after_cr = match newline.checked_sub(1) {
                Some(before) => chunk.get(before) == Some(&b'\r'),
                None => self.after_cr,
            };
            if !after_cr {
                continue;
            }
            let end = newline + 1;
            let is_blank = self.before + (end - line_start) as u64 == 2;
            self.before = 0;
            line_start = end;
            if self.in_header {
                self.in_header = !is_blank;
            } else {
                self.wanted = self.wanted.saturating_sub(1);
            }
            if !self.in_header && self.wanted == 0 {
                return Some(end);
            }
        }
        self.before += (chunk.len() - line_start) as u64;
        if let Some(last) = chunk.last() {
            self.after_cr = *last == b'\r';
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_lines_are_cut_off() {
        let check = |lines: u32, message: &str, expected: &str| {
            for size in 1..=message.len() {
                let mut top = Top::new(lines);
                let mut shown = Vec::new();
                for chunk in message.as_bytes().chunks(size) {
                    let cut = top.cut(chunk);
                    shown.extend_from_slice(&chunk[..cut.unwrap_or(chunk.len())]);
                    if cut.is_some() {
                        break;
                    }
                }
                assert_eq!(
                    String::from_utf8(shown).unwrap(),
                    expected,
                    "{lines} lines in chunks of {size}"
                );
            }
        };
        let message = "A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree\r\n";
        check(0, message, "A: 1\r\nB: 2\r\n\r\n");
        check(1, message, "A: 1\r\nB: 2\r\n\r\none\r\n");
        check(2, message, "A: 1\r\nB: 2\r\n\r\none\r\n\r\n");
        check(3, message, message);
        check(u32::MAX, message, message);
        check(0, "A: 1\r\n", "A: 1\r\n");
        check(0, "\r\nbody\r\n", "\r\n");
        check(0, "A: 1\n\nB\r\n\r\nbody", "A: 1\n\nB\r\n\r\n");
        check(1, "A: 1\r\n\r\n\n\r\nbody", "A: 1\r\n\r\n\n\r\n");
    }
}
