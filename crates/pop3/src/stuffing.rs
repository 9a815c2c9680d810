//! Stuffing: a message becomes a multi-line reply (RFC 1939 §3).
//!
//! A line that begins with a dot gets another one, and a line with nothing but a dot ends the reply. A line begins behind
//! CRLF only: what is stored has no bare line ends, and if it had, they would end no line.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;
use serde::{Deserialize, Serialize};

use crate::output::Output;

static LINE_WITH_DOT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\r\n."));

/// Where in a line the chunks given so far have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stuffing {
    LineStart,
    AfterCr,
    Inside,
}

impl Stuffing {
    /// Passes a chunk on, uncopied when it is large and no line of it begins with a dot.
    pub(crate) fn push(&mut self, chunk: Bytes, output: &mut Output) {
        let across = match (*self, chunk.as_ref()) {
            (Self::LineStart, [b'.', ..]) => Some(0),
            (Self::AfterCr, [b'\n', b'.', ..]) => Some(1),
            _ => None,
        };
        *self = self.behind(&chunk);
        let inside = LINE_WITH_DOT.find_iter(&chunk).map(|at| at + 2);
        let mut dots = across.into_iter().chain(inside).peekable();
        if dots.peek().is_none() {
            return output.chunk(chunk);
        }
        output.reserve(chunk.len() + chunk.len() / 64);
        let mut copied = 0;
        for dot in dots {
            output.copy(chunk.get(copied..dot).unwrap_or_default());
            output.copy(b".");
            copied = dot;
        }
        output.copy(chunk.get(copied..).unwrap_or_default());
    }

    /// Ends the reply; a last line without CRLF gets one.
    pub(crate) fn finish(self, output: &mut Output) {
        let end: &[u8] = if self == Self::LineStart {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        };
        output.copy(end);
    }

    fn behind(self, chunk: &[u8]) -> Self {
        match chunk {
            [] => self,
            [b'\n'] if self == Self::AfterCr => Self::LineStart,
            [.., b'\r', b'\n'] => Self::LineStart,
            [.., b'\r'] => Self::AfterCr,
            _ => Self::Inside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(chunks: &[&str]) -> String {
        let mut stuffing = Stuffing::LineStart;
        let mut output = Output::default();
        for chunk in chunks {
            stuffing.push(Bytes::copy_from_slice(chunk.as_bytes()), &mut output);
        }
        stuffing.finish(&mut output);
        let text = output.take();
        String::from_utf8(text.to_vec()).unwrap()
    }

    #[test]
    fn lines_that_begin_with_a_dot_get_another() {
        let check = |chunks: &[&str], expected: &str| assert_eq!(stuffed(chunks), expected, "{chunks:?}");
        check(&[], ".\r\n");
        check(&[""], ".\r\n");
        check(&["a\r\n"], "a\r\n.\r\n");
        check(&["a"], "a\r\n.\r\n");
        check(&["."], "..\r\n.\r\n");
        check(&["..\r\n"], "...\r\n.\r\n");
        check(&["a\r\n.\r\n.b\r\n"], "a\r\n..\r\n..b\r\n.\r\n");
        check(&["a\r\n", ".b\r\n"], "a\r\n..b\r\n.\r\n");
        check(&["a\r", "\n.b\r\n"], "a\r\n..b\r\n.\r\n");
        check(&["a\r", "\n", "", ".b\r\n"], "a\r\n..b\r\n.\r\n");
        check(&["a", ".b\r\n"], "a.b\r\n.\r\n");
        check(&["a\n.b\r\n"], "a\n.b\r\n.\r\n");
        check(&["a\r"], "a\r\r\n.\r\n");
        check(&["a\r", "."], "a\r.\r\n.\r\n");
    }
}
