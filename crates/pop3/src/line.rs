//! LineReader: finds the next command line in what a client has sent.
//!
//! Only CRLF ends a line. A bare LF ends it too, so that both sides know where they are, but the line is refused. A line
//! over the limit is skipped to its end as it comes, without being kept.

use memchr::memchr;
use serde::{Deserialize, Serialize};

/// Octets of an overlong line that are skipped before the connection is given up.
const SKIP_LIMIT: usize = 64 * 1024;

/// Where in an overlong line the reader is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineReader {
    /// Octets of the current line that are already skipped; zero when the line is not overlong, so far.
    skipped: usize,
}

impl LineReader {
    /// Whether [`LineReader::read`] would find or skip anything.
    pub(crate) fn is_ready(self, input: &[u8], limit: usize) -> bool {
        let is_skipping = self.skipped > 0 && !input.is_empty();
        is_skipping || input.len() >= limit || memchr(b'\n', input).is_some()
    }

    /// Reads the next line, or as much of an overlong one as there is. Returns it and how many octets are done with.
    pub(crate) fn read<'a>(&mut self, input: &'a [u8], limit: usize) -> (Option<Line<'a>>, usize) {
        let newline = memchr(b'\n', input);
        if self.skipped == 0 {
            match newline {
                Some(at) if at < limit => return (Some(Line::ended_at(input, at)), at + 1),
                None if input.len() < limit => return (None, 0),
                _ => {}
            }
        }
        let consumed = newline.map_or(input.len(), |at| at + 1);
        self.skipped = self.skipped.saturating_add(consumed);
        if self.skipped > SKIP_LIMIT {
            return (Some(Line::Flood), consumed);
        }
        if newline.is_none() {
            return (None, consumed);
        }
        self.skipped = 0;
        (Some(Line::TooLong), consumed)
    }
}

/// A line as it was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// A line without its CRLF.
    Whole(&'a [u8]),
    /// A line that ended with LF alone.
    BareNewline,
    /// A line over the limit; its end was reached.
    TooLong,
    /// A line without end.
    Flood,
}

impl<'a> Line<'a> {
    fn ended_at(input: &'a [u8], newline: usize) -> Self {
        match input.get(..newline) {
            Some([line @ .., b'\r']) => Self::Whole(line),
            _ => Self::BareNewline,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_crlf() {
        let check = |input: &[u8], expected: (Option<Line<'_>>, usize)| {
            assert_eq!(
                LineReader::default().read(input, 8),
                expected,
                "{:?}",
                input.escape_ascii().to_string()
            );
        };
        check(b"", (None, 0));
        check(b"STAT", (None, 0));
        check(b"STAT\r", (None, 0));
        check(b"STAT\r\n", (Some(Line::Whole(b"STAT")), 6));
        check(b"STAT\r\nNOOP\r\n", (Some(Line::Whole(b"STAT")), 6));
        check(b"\r\n", (Some(Line::Whole(b"")), 2));
        check(b"STAT\n", (Some(Line::BareNewline), 5));
        check(b"\n", (Some(Line::BareNewline), 1));
        check(b"ST\rAT\r\n", (Some(Line::Whole(b"ST\rAT")), 7));
        check(b"123456\r\n", (Some(Line::Whole(b"123456")), 8));
        check(b"1234567\r\n", (Some(Line::TooLong), 9));
        check(b"12345678", (None, 8));
    }

    #[test]
    fn an_overlong_line_is_skipped_to_its_end() {
        let mut reader = LineReader::default();
        assert_eq!(reader.read(b"12345678", 8), (None, 8));
        assert_eq!(reader.read(b"9", 8), (None, 1));
        assert_eq!(reader.read(b"0\r\nNOOP\r\n", 8), (Some(Line::TooLong), 3));
        assert_eq!(reader.read(b"NOOP\r\n", 8), (Some(Line::Whole(b"NOOP")), 6));
    }

    #[test]
    fn a_line_without_end_is_given_up_at_the_same_octet_however_it_comes() {
        let mut long = vec![b'x'; SKIP_LIMIT];
        assert_eq!(LineReader::default().read(&long, 8), (None, SKIP_LIMIT));
        long.push(b'\n');
        assert_eq!(
            LineReader::default().read(&long, 8),
            (Some(Line::Flood), SKIP_LIMIT + 1)
        );
        let mut reader = LineReader::default();
        let found = long
            .chunks(8)
            .map(|chunk| reader.read(chunk, 8).0)
            .find(Option::is_some);
        assert_eq!(found, Some(Some(Line::Flood)));
        long.remove(0);
        assert_eq!(
            LineReader::default().read(&long, 8),
            (Some(Line::TooLong), SKIP_LIMIT)
        );
    }
}
