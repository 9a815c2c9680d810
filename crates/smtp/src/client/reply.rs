//! Reply: what another server said, read from octets of which nothing is known.
//!
//! A server that is answered may be hostile: its lines are bounded, its text is made printable before anybody sees it,
//! and a reply whose lines disagree is no reply. Bare LF ends a line, too: to wait for a CR that never comes would
//! help nobody, and no octet of a reply is ever passed on as a line of its own.

use std::fmt;

use memchr::memchr;
use thiserror::Error;

use crate::reply::Enhanced;

/// Octets of one line with its end. RFC 5321 §4.5.3.1.5 has 512; servers that say more exist.
pub const MAX_LINE: usize = 2048;

/// Octets of all lines of one reply: the longest EHLO is far below.
pub const MAX_REPLY: usize = 64 << 10;

/// Digits of a reply code. RFC 5321 §4.2
const CODE_DIGITS: usize = 3;

/// A whole reply. RFC 5321 §4.2
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
}

impl Reply {
    /// The reply code, 200 to 599.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code of the last line, if it has one of the class of the reply code. RFC 2034 §4
    #[must_use]
    pub const fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// The text of each line without codes and line end, printable; what was not is `?`. At least one.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The text of the last line.
    #[must_use]
    pub fn text(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// Whether the command was or will be obeyed: 2xx or 3xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code < 400
    }

    /// Whether the same command will never be obeyed: 5xx.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.code >= 500
    }
}

/// The reply in one line, as a log or a trail shows it.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for (number, line) in self.lines.iter().enumerate() {
            let between = if number == 0 { " " } else { " / " };
            write!(f, "{between}{line}")?;
        }
        Ok(())
    }
}

/// Why what was heard is no reply. The connection is of no use any more: where the next reply begins is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ReplyError {
    /// A line does not begin with a code of 200 to 599 and a space, a hyphen or its end.
    #[error("the server sent what is no reply")]
    NotAReply,
    /// The lines of one reply have different codes. RFC 5321 §4.2.1
    #[error("the lines of a reply have different codes")]
    CodesDiffer,
    /// A line has more than [`MAX_LINE`] octets.
    #[error("a line of a reply is longer than {MAX_LINE} octets")]
    LineTooLong,
    /// A reply has more than [`MAX_REPLY`] octets.
    #[error("a reply is longer than {MAX_REPLY} octets")]
    TooLong,
}

/// Reads replies, each from as many pieces as it comes in.
#[derive(Debug, Clone, Default)]
pub struct ReplyReader {
    /// The code and the text of the lines that were continued.
    begun: Option<(u16, Vec<String>)>,
    octets: usize,
}

impl ReplyReader {
    /// A reader at the beginning of a reply.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes lines from the beginning of `input` up to the end of one reply; says how many octets are done with, and
    /// gives the reply if it is whole. The rest is to be offered again, with what comes behind it.
    ///
    /// # Errors
    /// [`ReplyError`] for what is no reply; whatever else is offered then is no reply either.
    pub fn receive(&mut self, input: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut consumed = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            let Some(end) = memchr(b'\n', rest.get(..MAX_LINE).unwrap_or(rest)) else {
                return if rest.len() < MAX_LINE {
                    Ok((consumed, None))
                } else {
                    Err(ReplyError::LineTooLong)
                };
            };
            consumed += end + 1;
            self.octets += end + 1;
            if self.octets > MAX_REPLY {
                return Err(ReplyError::TooLong);
            }
            let line = rest.get(..end).unwrap_or_default();
            if let Some(reply) = self.take(line.strip_suffix(b"\r").unwrap_or(line))? {
                return Ok((consumed, Some(reply)));
            }
        }
    }

    /// Takes one line without its end.
    fn take(&mut self, line: &[u8]) -> Result<Option<Reply>, ReplyError> {
        let (code, is_last, text) = split(line).ok_or(ReplyError::NotAReply)?;
        let (begun, mut lines) = self.begun.take().unwrap_or((code, Vec::new()));
        if begun != code {
            return Err(ReplyError::CodesDiffer);
        }
        let (enhanced, text) = enhanced(code, text);
        lines.push(printable(text));
        if !is_last {
            self.begun = Some((code, lines));
            return Ok(None);
        }
        self.octets = 0;
        Ok(Some(Reply {
            code,
            enhanced,
            lines,
        }))
    }
}

/// The code of a line, whether it is the last of its reply, and its text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(CODE_DIGITS)?;
    let code = number(code)?;
    if !(200..600).contains(&code) {
        return None;
    }
    match rest.split_first() {
        // RFC 5321 §4.2: a code alone is a reply.
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

/// The enhanced code at the beginning of a text, and what stands behind it. One of another class is text. RFC 2034 §4
fn enhanced(code: u16, text: &[u8]) -> (Option<Enhanced>, &[u8]) {
    let (word, rest) = match memchr(b' ', text) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, &[][..]),
    };
    match parse_enhanced(word) {
        Some(enhanced) if u16::from(enhanced.0) == code / 100 => (Some(enhanced), rest),
        _ => (None, text),
    }
}

/// `class.subject.detail`. RFC 3463 §2
fn parse_enhanced(word: &[u8]) -> Option<Enhanced> {
    let mut parts = word.split(|octet| *octet == b'.').map(number);
    let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
    let class = u8::try_from(class)
        .ok()
        .filter(|class| [2, 4, 5].contains(class))?;
    parts.next().is_none().then_some(Enhanced(class, subject, detail))
}

/// A number of one to three digits.
fn number(digits: &[u8]) -> Option<u16> {
    if digits.is_empty() || digits.len() > CODE_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u16::from(digit - b'0')),
    )
}

/// Text that can stand in a log, a trail and a report. RFC 6531 §3.7.4 lets it be UTF-8.
fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .map(|character| if character.is_control() { '?' } else { character })
        .collect()
}

#[cfg(test)]
mod tests;
