//! BinaryConverter: makes of a message in binary (RFC 3030 §3) one that any transport carries.
//!
//! It follows the MIME structure while the message streams by, as the [`StructureScanner`](crate::StructureScanner) does
//! and by the same rules, but for line ends: here only CRLF is one, because in binary all else is content. The octets of
//! a part with `Content-Transfer-Encoding: binary` become base64; a multipart or a message of that encoding becomes
//! `8bit`, and what it holds is gone through. Everything else is passed on, and must be lines. A message whose structure
//! cannot be followed to its end is refused, for somewhere in it might be binary that nobody announces.

mod base64;
mod entity;
mod lines;

use thiserror::Error;

use crate::structure::delimiter::{Boundary, Delimiter, MarkedLine};
use crate::structure::{MAX_DEPTH, MAX_PARTS};
use base64::Base64;
use entity::{Entity, Kind};
use lines::{Cut, Lines, Wanted};

/// Why a message cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BinaryFault {
    /// A carriage return or a line feed stands alone outside of a binary part.
    #[error("a bare CR or LF outside of a binary part")]
    BareLineEnd,
    /// A line of a header is no field, or a field of MIME came twice.
    #[error("a malformed header")]
    MalformedHeader,
    /// A header is larger than the bounds of [`crate::structure`].
    #[error("a header that is too large")]
    HeaderTooLarge,
    /// More entities within entities than [`MAX_DEPTH`].
    #[error("parts that lie too deep")]
    TooDeep,
    /// More entities than [`MAX_PARTS`].
    #[error("too many parts")]
    TooManyParts,
}

/// Converts a message that is fed to it in chunks; where they are cut changes nothing.
#[derive(Debug, Clone)]
pub struct BinaryConverter {
    lines: Lines,
    reading: Reading,
    /// The entities whose bodies hold what is being read, outermost first.
    open: Vec<Open>,
    entities: usize,
    encoded: usize,
}

/// What the octets that come next belong to.
#[derive(Debug, Clone)]
enum Reading {
    /// A header.
    Header(Box<Entity>),
    /// Lines that are passed on.
    Text,
    /// Octets that become base64.
    Binary(Base64),
}

/// An entity that holds entities and has not ended.
#[derive(Debug, Clone)]
struct Open {
    /// What to look for; `None` for a message, and for a multipart behind its last delimiter.
    boundary: Option<Boundary>,
    is_digest: bool,
}

impl Default for BinaryConverter {
    fn default() -> Self {
        Self::new()
    }
}

impl BinaryConverter {
    /// Before the first octet of a message.
    #[must_use]
    pub fn new() -> Self {
        Self {
            lines: Lines::new(),
            reading: Reading::Header(Box::new(Entity::new(false))),
            open: Vec::new(),
            entities: 1,
            encoded: 0,
        }
    }

    /// Takes the next octets and appends to `out` what becomes of them.
    ///
    /// # Errors
    /// [`BinaryFault`], after which the converter is worth nothing.
    pub fn feed(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        while !chunk.is_empty() {
            let (cut, rest) = self.lines.cut(chunk, self.looks_for());
            chunk = rest;
            self.take(cut, out)?;
        }
        Ok(())
    }

    /// The message has ended; its last line gets an end if it had none. Gives the number of parts that are now base64.
    ///
    /// # Errors
    /// [`BinaryFault`] where only the end showed what is wrong.
    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<usize, BinaryFault> {
        let in_line = self.lines.is_within();
        match self.lines.end() {
            Cut::None if in_line && matches!(self.reading, Reading::Text) => out.extend_from_slice(b"\r\n"),
            // The end of the message is no line end of what is in it.
            Cut::Line(line)
                if matches!(self.reading, Reading::Binary(_)) && self.delimiter(&line).is_none() =>
            {
                self.take_piece(&line, out)?;
            }
            cut => self.take(cut, out)?,
        }
        if let Reading::Binary(base64) = &mut self.reading {
            // Behind the last line end comes no delimiter: it is content.
            base64.keep_line_end(out);
        }
        self.end_reading(out)?;
        Ok(self.encoded)
    }

    /// Which lines are wanted whole.
    fn looks_for(&self) -> Wanted {
        match self.reading {
            Reading::Header(_) => Wanted::All,
            _ if self.open.iter().any(|open| open.boundary.is_some()) => Wanted::Marked,
            _ => Wanted::None,
        }
    }

    fn take(&mut self, cut: Cut<'_>, out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        match cut {
            Cut::None => Ok(()),
            Cut::TooLong => Err(BinaryFault::HeaderTooLarge),
            Cut::Line(line) => self.take_line(&line, out),
            Cut::Piece(piece) => self.take_piece(piece, out),
            Cut::Begin(piece) => self.take_piece(&piece, out),
            Cut::LineEnd => {
                match &mut self.reading {
                    Reading::Binary(base64) => base64.line_end(out),
                    Reading::Text | Reading::Header(_) => out.extend_from_slice(b"\r\n"),
                }
                Ok(())
            }
        }
    }

    /// A whole line without its CRLF, which may be a delimiter.
    fn take_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        if let Some((place, delimiter)) = self.delimiter(line) {
            self.end_reading(out)?;
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
            self.open.truncate(place + 1);
            return self.behind(delimiter);
        }
        let Reading::Header(entity) = &mut self.reading else {
            self.take_piece(line, out)?;
            return self.take(Cut::LineEnd, out);
        };
        if has_bare_line_end(line) {
            return Err(BinaryFault::BareLineEnd);
        }
        if line.is_empty() {
            return self.begin_body(out);
        }
        entity.line(line, out)
    }

    /// A piece of a line, whose CRLF is not in it.
    fn take_piece(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        match &mut self.reading {
            Reading::Binary(base64) => base64.push(piece, out),
            Reading::Text | Reading::Header(_) => {
                if has_bare_line_end(piece) {
                    return Err(BinaryFault::BareLineEnd);
                }
                out.extend_from_slice(piece);
            }
        }
        Ok(())
    }

    /// The open entity, by its place, for which `line` is a delimiter; the innermost goes first.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, Delimiter)> {
        let line = Some(line).filter(|line| !has_bare_line_end(line));
        let line = MarkedLine::of(line?)?;
        let open = self.open.iter().enumerate().rev();
        open.filter_map(|(place, open)| Some((place, open.boundary.as_ref()?.delimiter(&line)?)))
            .next()
    }

    fn behind(&mut self, delimiter: Delimiter) -> Result<(), BinaryFault> {
        self.reading = Reading::Text;
        let Some(multipart) = self.open.last_mut() else {
            return Ok(());
        };
        match delimiter {
            Delimiter::Next => {
                let is_in_digest = multipart.is_digest;
                self.begin_entity(is_in_digest)
            }
            Delimiter::Last => {
                multipart.boundary = None;
                Ok(())
            }
        }
    }

    fn begin_entity(&mut self, is_in_digest: bool) -> Result<(), BinaryFault> {
        self.entities += 1;
        if self.entities > MAX_PARTS {
            return Err(BinaryFault::TooManyParts);
        }
        self.reading = Reading::Header(Box::new(Entity::new(is_in_digest)));
        Ok(())
    }

    /// The empty line behind a header has come.
    fn begin_body(&mut self, out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        let kind = self.end_header(out)?;
        out.extend_from_slice(b"\r\n");
        let (boundary, is_digest) = match kind {
            Kind::Text => return Ok(()),
            Kind::Binary => {
                self.encoded += 1;
                self.reading = Reading::Binary(Base64::default());
                return Ok(());
            }
            Kind::Multipart { boundary, is_digest } => (Some(boundary), is_digest),
            Kind::Message => (None, false),
        };
        if self.open.len() >= MAX_DEPTH {
            return Err(BinaryFault::TooDeep);
        }
        let is_message = boundary.is_none();
        self.open.push(Open { boundary, is_digest });
        if is_message {
            return self.begin_entity(false);
        }
        Ok(())
    }

    /// Ends what is being read: a delimiter or the end of the message has come.
    fn end_reading(&mut self, out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        match &mut self.reading {
            Reading::Header(_) => drop(self.end_header(out)?),
            Reading::Binary(base64) => base64.end(out),
            Reading::Text => {}
        }
        Ok(())
    }

    /// Leaves the header that is being read.
    fn end_header(&mut self, out: &mut Vec<u8>) -> Result<Kind, BinaryFault> {
        match std::mem::replace(&mut self.reading, Reading::Text) {
            Reading::Header(entity) => entity.end(out),
            Reading::Text | Reading::Binary(_) => Ok(Kind::Text),
        }
    }
}

/// Whether a line, or a piece of one, without its CRLF has another CR or LF.
fn has_bare_line_end(line: &[u8]) -> bool {
    memchr::memchr2(b'\r', b'\n', line).is_some()
}

#[cfg(test)]
mod tests;
