//! Lines: cuts a stream of arbitrary octets into lines, of which only CRLF is the end.
//!
//! A line that is wanted is gathered until it is whole or known to be none of those; all else is given in pieces as it
//! comes. A CR is held back until it is known whether LF follows.

use crate::structure::MAX_FIELD;
use crate::structure::delimiter::{MAX_DELIMITER_LINE, may_begin};

/// Which lines are wanted whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those of a header, up to a bound.
    All,
    /// Those that may be delimiters.
    Marked,
    None,
}

/// What was cut off a chunk.
#[derive(Debug)]
pub(super) enum Cut<'a> {
    /// More octets are needed.
    None,
    /// A whole line without its CRLF.
    Line(Vec<u8>),
    /// Octets of a line that is not wanted.
    Piece(&'a [u8]),
    /// Octets that came with earlier chunks, of a line that turned out not to be wanted.
    Begin(Vec<u8>),
    /// The CRLF of a line that is not wanted.
    LineEnd,
    /// A line of a header is longer than its bound.
    TooLong,
}

#[derive(Debug, Clone)]
pub(super) struct Lines {
    place: Place,
    /// The beginning of a line that may be wanted.
    begun: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning of a line, or in one that may be wanted.
    Begin,
    /// In a line that is not.
    Within,
    /// Behind a CR in such a line.
    Cr,
}

impl Lines {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Begin,
            begun: Vec::new(),
        }
    }

    /// Whether octets of a line that is not wanted came, and not its end.
    pub(super) fn is_within(&self) -> bool {
        self.place != Place::Begin
    }

    /// Cuts off what can be told of a chunk; gives the rest of it.
    pub(super) fn cut<'a>(&mut self, chunk: &'a [u8], wanted: Wanted) -> (Cut<'a>, &'a [u8]) {
        match self.place {
            Place::Begin => self.gather(chunk, wanted),
            Place::Within => self.pass(chunk),
            Place::Cr => match chunk.strip_prefix(b"\n") {
                Some(rest) => {
                    self.place = Place::Begin;
                    (Cut::LineEnd, rest)
                }
                None => {
                    self.place = Place::Within;
                    (Cut::Piece(b"\r"), chunk)
                }
            },
        }
    }

    /// The stream has ended: gives what was held back.
    pub(super) fn end(&mut self) -> Cut<'static> {
        match std::mem::replace(&mut self.place, Place::Begin) {
            Place::Begin if self.begun.is_empty() => Cut::None,
            Place::Begin => Cut::Line(std::mem::take(&mut self.begun)),
            Place::Within => Cut::None,
            Place::Cr => Cut::Piece(b"\r"),
        }
    }

    fn gather<'a>(&mut self, chunk: &'a [u8], wanted: Wanted) -> (Cut<'a>, &'a [u8]) {
        let bound = match wanted {
            Wanted::All => MAX_FIELD,
            Wanted::Marked if may_begin(&self.begun, chunk) => MAX_DELIMITER_LINE,
            Wanted::Marked | Wanted::None => return (self.release(), chunk),
        };
        let room = (bound + 2).saturating_sub(self.begun.len());
        let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |end| end + 1);
        let (piece, rest) = chunk.split_at(end.min(room));
        self.begun.extend_from_slice(piece);
        if let Some(length) = self.begun.strip_suffix(b"\r\n").map(<[u8]>::len) {
            self.begun.truncate(length);
            return (Cut::Line(std::mem::take(&mut self.begun)), rest);
        }
        if self.begun.ends_with(b"\n") {
            return (self.release(), rest);
        }
        if self.begun.len() < bound + 2 {
            return (Cut::None, rest);
        }
        match wanted {
            Wanted::All => (Cut::TooLong, rest),
            Wanted::Marked | Wanted::None => (self.release(), rest),
        }
    }

    /// The line that was begun is not wanted.
    fn release(&mut self) -> Cut<'static> {
        let has_cr = self.begun.ends_with(b"\r");
        if has_cr {
            self.begun.pop();
        }
        self.place = if has_cr { Place::Cr } else { Place::Within };
        Cut::Begin(std::mem::take(&mut self.begun))
    }

    fn pass<'a>(&mut self, chunk: &'a [u8]) -> (Cut<'a>, &'a [u8]) {
        match memchr::memchr(b'\r', chunk) {
            Some(0) => {
                self.place = Place::Cr;
                (Cut::None, chunk.get(1..).unwrap_or_default())
            }
            Some(length) => {
                let (piece, rest) = chunk.split_at(length);
                (Cut::Piece(piece), rest)
            }
            None => (Cut::Piece(chunk), &[]),
        }
    }
}
