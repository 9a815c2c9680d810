//! Reply: what a client is told, as the lines that are written.
//!
//! No reply repeats what a client sent. What an actor puts into one is made printable, so that no text can end a line.

pub mod table;

use std::borrow::Cow;
use std::fmt;

use crate::sasl;

/// A reply with its code, its enhanced code (RFC 2034, RFC 3463) and one or more lines of text. RFC 5321 §4.2
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    wire: Cow<'static, str>,
}

/// An enhanced status code, `class.subject.detail`. RFC 3463 §2
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Reply {
    /// A reply of this server's own words. A line feed in `text` begins a new line of the reply; anything else that
    /// is not printable ASCII becomes `?`, and a line is cut at [`MAX_TEXT`] octets.
    ///
    /// A code that is no reply code (RFC 5321 §4.2.1), or an enhanced code of another class, is a mistake of the
    /// caller; the client is told 451 4.3.0 with the same text.
    #[must_use]
    pub fn new(code: u16, enhanced: Enhanced, text: &str) -> Self {
        let (code, enhanced) = if (200..600).contains(&code) && u16::from(enhanced.0) == code / 100 {
            (code, enhanced)
        } else {
            (451, Enhanced(4, 3, 0))
        };
        Self::render(code, Some(enhanced), text.split('\n'))
    }

    /// A reply without an enhanced code: the greeting and the answer to EHLO. RFC 2034 §4
    pub(crate) fn plain<'a>(code: u16, lines: impl Iterator<Item = &'a str>) -> Self {
        Self::render(code, None, lines)
    }

    /// A challenge of an exchange: 334 has no enhanced code, and is one line whatever its length. RFC 4954 §4
    pub(crate) fn challenge(octets: &[u8]) -> Self {
        Self {
            code: 334,
            enhanced: None,
            wire: Cow::Owned(format!("334 {}\r\n", sasl::encode(octets))),
        }
    }

    /// A reply of the table, whose lines are written out in the program.
    const fn fixed(code: u16, enhanced: Option<Enhanced>, wire: &'static str) -> Self {
        Self {
            code,
            enhanced,
            wire: Cow::Borrowed(wire),
        }
    }

    /// The reply code, 200 to 599.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code.
    #[must_use]
    pub const fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// Whether the client may go on: 2xx or 3xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// Whether the client is told never to try the same again: 5xx.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.code >= 500
    }

    /// Whether the connection ends with it: 421 alone does. RFC 5321 §3.8
    #[must_use]
    pub const fn closes(&self) -> bool {
        self.code == 421
    }

    /// The lines as they are written, each with its CRLF.
    #[must_use]
    pub fn wire(&self) -> &str {
        &self.wire
    }

    pub(crate) fn into_wire(self) -> Cow<'static, str> {
        self.wire
    }

    fn render<'a>(code: u16, enhanced: Option<Enhanced>, lines: impl Iterator<Item = &'a str>) -> Self {
        let mut wire = String::new();
        let mut lines = lines.peekable();
        while let Some(line) = lines.next() {
            wire.push_str(&code.to_string());
            wire.push(if lines.peek().is_some() { '-' } else { ' ' });
            if let Some(enhanced) = enhanced {
                wire.push_str(&enhanced.to_string());
                wire.push(' ');
            }
            wire.extend(line.chars().take(MAX_TEXT).map(printable));
            wire.push_str("\r\n");
        }
        Self {
            code,
            enhanced,
            wire: Cow::Owned(wire),
        }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(class, subject, detail) = self;
        write!(f, "{class}.{subject}.{detail}")
    }
}

/// Octets of text in one line: what 512 (RFC 5321 §4.5.3.1.5) leaves beside the codes and CRLF, rounded down.
pub const MAX_TEXT: usize = 480;

fn printable(character: char) -> char {
    if matches!(character, ' '..='~') {
        character
    } else {
        '?'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_well_formed_whatever_the_text() {
        let check = |code, enhanced, text: &str, wire: &str| {
            assert_eq!(Reply::new(code, enhanced, text).wire(), wire);
        };
        check(250, Enhanced(2, 0, 0), "Ok", "250 2.0.0 Ok\r\n");
        check(
            250,
            Enhanced(2, 0, 0),
            "one\ntwo",
            "250-2.0.0 one\r\n250 2.0.0 two\r\n",
        );
        check(
            550,
            Enhanced(5, 1, 1),
            "a\r\n250 b",
            "550-5.1.1 a?\r\n550 5.1.1 250 b\r\n",
        );
        check(550, Enhanced(5, 1, 1), "\0\u{e9}\u{7f}", "550 5.1.1 ???\r\n");
        check(
            250,
            Enhanced(5, 0, 0),
            "classes differ",
            "451 4.3.0 classes differ\r\n",
        );
        check(99, Enhanced(0, 0, 0), "no code", "451 4.3.0 no code\r\n");
    }

    #[test]
    fn no_line_exceeds_512_octets() {
        let reply = Reply::new(550, Enhanced(5, 999, 999), &"x".repeat(5000));
        assert!(reply.wire().len() <= 512, "{}", reply.wire().len());
    }
}
