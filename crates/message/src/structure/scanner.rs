//! StructureScanner: follows a message line by line while it streams by.
//!
//! It holds the open entities, the field that is being read and the beginning of a line that a chunk cut; never a
//! body. All positions are octets since the beginning of the message.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::delimiter::{Boundary, Delimiter, MAX_DELIMITER_LINE, MarkedLine, may_begin};
use super::header::{Header, HeaderLine, Keeper};
use super::part::{Part, PartKind};
use super::{Caveats, ImapEnvelope, MAX_DEPTH, MAX_FIELD, MAX_PARTS, Structure};

/// Makes a [`Structure`] of a message fed to it in chunks; where they are cut changes nothing.
#[derive(Debug, Clone)]
pub struct StructureScanner {
    parts: Vec<Part>,
    envelope: ImapEnvelope,
    keeper: Keeper,
    header: Header,
    reading: Reading,
    /// The entities whose bodies hold what is being read, outermost first.
    open: Vec<Open>,
    line: Line,
    /// Where, in the header that is being read, the first line stands that is no field.
    stray: Option<Position>,
    /// The line that is being read is known to be no delimiter: no more of it is kept.
    in_plain_line: bool,
    /// What was taken so far.
    taken: Position,
    /// The last octet that was taken.
    last: u8,
}

impl Default for StructureScanner {
    fn default() -> Self {
        Self::new()
    }
}

impl StructureScanner {
    /// A scanner before the first octet of a message.
    #[must_use]
    pub fn new() -> Self {
        let root = Part::beginning(0, 0);
        Self {
            parts: vec![root],
            envelope: ImapEnvelope::default(),
            keeper: Keeper::new(),
            header: Header::new(),
            reading: Reading::Header(0),
            open: Vec::new(),
            line: Line::default(),
            stray: None,
            in_plain_line: false,
            taken: Position::default(),
            last: 0,
        }
    }

    /// Takes the next octets of the message.
    pub fn feed(&mut self, mut chunk: &[u8]) {
        while !chunk.is_empty() {
            chunk = match self.reading {
                Reading::Header(_) => self.feed_header(chunk),
                Reading::Leaf { .. } | Reading::Nothing => self.feed_body(chunk),
            };
        }
    }

    /// The message has ended.
    #[must_use]
    pub fn finish(mut self) -> Structure {
        let unended = std::mem::take(&mut self.line.cut);
        if !unended.is_empty() {
            self.take_line(&unended);
        }
        self.line.begin(self.taken, 0);
        self.close_all_within(0);
        Structure {
            envelope: self.envelope,
            parts: self.parts,
            caveats: self.keeper.caveats,
        }
    }

    /// Takes a line of a header, or a piece of one.
    fn feed_header<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        // Two octets more than are looked at: a line end behind the longest line.
        self.feed_line(chunk, MAX_FIELD + 2)
    }

    /// Takes as much of a body as is of one kind: a line that may be a delimiter, or all up to the next such line.
    fn feed_body<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        if self.open.iter().all(|open| open.boundary.is_none()) {
            self.pass(chunk);
            return &[];
        }
        if self.in_plain_line {
            return self.feed_plain_lines(chunk);
        }
        if !may_begin(&self.line.cut, chunk) {
            self.in_plain_line = true;
            return chunk;
        }
        let rest = self.feed_line(chunk, MAX_DELIMITER_LINE + 2);
        self.in_plain_line = self.line.cut.len() > MAX_DELIMITER_LINE + 1;
        rest
    }

    /// Skips to the next line that begins as a delimiter does.
    fn feed_plain_lines<'a>(&mut self, chunk: &'a [u8]) -> &'a [u8] {
        static LINE_OF_DASHES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n--"));
        let length = match (LINE_OF_DASHES.find(chunk), chunk) {
            (Some(before), _) => before + 1,
            (None, [.., b'\n']) => chunk.len(),
            (None, [.., b'\n', b'-']) => chunk.len() - 1,
            (None, _) => {
                self.pass(chunk);
                return &[];
            }
        };
        let (passed, rest) = chunk.split_at(length);
        let line_end = self.line_end(passed);
        self.pass(passed);
        self.begin_line(line_end);
        rest
    }

    /// Takes a line, or a piece of one of which at most `bound` octets are kept until its end comes.
    fn feed_line<'a>(&mut self, chunk: &'a [u8], bound: usize) -> &'a [u8] {
        let Some(end) = memchr::memchr(b'\n', chunk) else {
            self.line.keep(chunk, bound);
            self.pass(chunk);
            return &[];
        };
        let (piece, rest) = chunk.split_at(end + 1);
        let line_end = self.line_end(piece);
        self.pass(piece);
        if self.line.cut.is_empty() {
            self.take_line(without_line_end(piece));
        } else {
            self.line.keep(piece, bound);
            let line = std::mem::take(&mut self.line.cut);
            self.take_line(without_line_end(&line));
            // Given back for its room: most lines of a message that comes in small chunks are cut.
            self.line.cut = line;
        }
        self.begin_line(line_end);
        rest
    }

    /// Takes a whole line, without its line end.
    fn take_line(&mut self, line: &[u8]) {
        if let Some((multipart, delimiter)) = self.delimiter(line) {
            self.close_all_within(multipart + 1);
            return match delimiter {
                Delimiter::Next => self.begin_part(),
                Delimiter::Last => self.end_multipart(),
            };
        }
        let Reading::Header(index) = self.reading else {
            return;
        };
        if line.is_empty() {
            return self.begin_body(index, self.taken);
        }
        let line = line.get(..MAX_FIELD).unwrap_or(line);
        let Some(part) = self.parts.get_mut(index) else {
            return;
        };
        match self.header.line(line, part, &mut self.keeper) {
            HeaderLine::OfField => {}
            HeaderLine::Stray => self.stray = self.stray.or(Some(self.line.begins)),
            HeaderLine::OfBody => self.begin_body(index, self.line.begins),
        }
    }

    /// The open entity, by its place, for which `line` is a delimiter; the innermost goes first.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, Delimiter)> {
        let line = MarkedLine::of(line)?;
        let open = self.open.iter().enumerate().rev();
        open.filter_map(|(place, open)| Some((place, open.boundary.as_ref()?.delimiter(&line)?)))
            .next()
    }

    /// A part of the innermost open multipart begins behind the line that was just taken.
    fn begin_part(&mut self) {
        let Some(multipart) = self.open.last() else { return };
        let in_digest = multipart.is_digest;
        let depth = self.parts.get(multipart.part).map_or(0, |part| part.depth);
        if self.parts.len() >= MAX_PARTS {
            self.keeper.caveats.insert(Caveats::TOO_MANY_PARTS);
            return;
        }
        self.begin_entity(depth + 1);
        self.header.begin_part(in_digest);
    }

    /// What follows the last delimiter is nobody's, until a delimiter of an outer multipart comes.
    fn end_multipart(&mut self) {
        if let Some(multipart) = self.open.last_mut() {
            multipart.boundary = None;
        }
    }

    fn begin_entity(&mut self, depth: u8) {
        self.stray = None;
        self.reading = Reading::Header(self.parts.len());
        self.parts.push(Part::beginning(depth, self.taken.octets));
    }

    /// The header of `parts[index]` has ended, and its body begins there.
    fn begin_body(&mut self, index: usize, begins: Position) {
        self.end_header(index);
        let body = Open {
            part: index,
            begins,
            boundary: None,
            is_digest: false,
        };
        let room_for_parts = self.parts.len() < MAX_PARTS;
        let Some(part) = self.parts.get_mut(index) else {
            return;
        };
        part.body_start = begins.octets;
        self.reading = Reading::Leaf(index, begins);
        let depth = part.depth;
        let has_room = usize::from(depth) < MAX_DEPTH;
        if part.media.is_multipart() {
            match Boundary::of(part) {
                Some(boundary) if has_room => {
                    part.kind = PartKind::Multipart;
                    let is_digest = part.media.as_str() == "multipart/digest";
                    self.open.push(Open {
                        boundary: Some(boundary),
                        is_digest,
                        ..body
                    });
                    self.reading = Reading::Nothing;
                }
                Some(_) => self.degrade(index, Caveats::TOO_DEEP),
                None => self.degrade(index, Caveats::BAD_MULTIPART),
            }
        } else if part.media.is_message() {
            match part.encoding.is_identity() {
                true if has_room && room_for_parts => {
                    self.open.push(body);
                    self.begin_entity(depth + 1);
                    self.header.begin_message();
                }
                true if has_room => self.degrade(index, Caveats::TOO_MANY_PARTS),
                true => self.degrade(index, Caveats::TOO_DEEP),
                false => self.degrade(index, Caveats::BAD_MESSAGE),
            }
        }
    }

    /// The header of `parts[index]` is complete: its values are settled, and its ENVELOPE goes where it belongs.
    fn end_header(&mut self, index: usize) {
        let Some(part) = self.parts.get_mut(index) else {
            return;
        };
        let Some(envelope) = self.header.end(part, &mut self.keeper) else {
            return;
        };
        match index
            .checked_sub(1)
            .and_then(|message| self.parts.get_mut(message))
        {
            // The body of a message within the message directly follows that message's part.
            Some(message) => message.kind = PartKind::Message(Box::new(envelope)),
            None => self.envelope = envelope,
        }
    }

    /// Ends what is being read, and all open entities from `place` on, before the line that is being read.
    fn close_all_within(&mut self, place: usize) {
        let mut inner = match std::mem::replace(&mut self.reading, Reading::Nothing) {
            Reading::Header(index) => self.close_in_header(index),
            Reading::Leaf(index, begins) => self.close(index, begins, Position::default()),
            Reading::Nothing => Position::default(),
        };
        for open in self.open.split_off(place.min(self.open.len())).into_iter().rev() {
            if open.boundary.is_some() {
                self.keeper.caveats.insert(Caveats::MULTIPART_UNENDED);
            }
            inner = self.close(open.part, open.begins, inner);
            let is_childless = self.parts.len() == open.part + 1;
            if is_childless {
                self.degrade(open.part, Caveats::BAD_MULTIPART);
            }
        }
    }

    /// An entity ends whose header did not. It has no body, which RFC 5322 §3.5 and RFC 2046 §5.1.1 allow; but if a
    /// line came that is no field, the empty line was forgotten and that line is where the body begins.
    fn close_in_header(&mut self, index: usize) -> Position {
        self.end_header(index);
        let Some(part) = self.parts.get_mut(index) else {
            return Position::default();
        };
        let end = self.line.end_before(Position {
            octets: part.header_start,
            line_ends: 0,
        });
        let begins = self.stray.unwrap_or(end);
        part.body_start = begins.octets;
        part.body_end = end.octets;
        part.lines = end.line_ends.saturating_sub(begins.line_ends);
        if part.media.is_multipart() {
            self.degrade(index, Caveats::BAD_MULTIPART);
        } else if part.media.is_message() {
            self.degrade(index, Caveats::BAD_MESSAGE);
        }
        end
    }

    /// An entity ends, but not before `inner`, the end of what it holds: the line end before the delimiter may be the
    /// empty line of a header without a body, which is then the inner entity's.
    fn close(&mut self, index: usize, begins: Position, inner: Position) -> Position {
        let Some(part) = self.parts.get_mut(index) else {
            return inner;
        };
        let end = self.line.end_before(begins).later(inner);
        part.body_end = end.octets;
        part.lines = end.line_ends.saturating_sub(begins.line_ends);
        end
    }

    /// A container that cannot be one becomes a leaf of a type that keeps [`PartKind`] and media type in agreement.
    fn degrade(&mut self, index: usize, why: Caveats) {
        self.keeper.caveats.insert(why);
        let Some(part) = self.parts.get_mut(index) else {
            return;
        };
        if part.media.is_multipart() {
            part.degrade_to_text();
        } else {
            part.degrade_to_octets();
        }
    }

    /// Octets of the line end at the end of `piece`, whose CR may have come with an earlier chunk.
    fn line_end(&self, piece: &[u8]) -> u8 {
        match piece {
            [.., b'\r', b'\n'] => 2,
            [b'\n'] if self.last == b'\r' => 2,
            _ => 1,
        }
    }

    fn begin_line(&mut self, line_end_before: u8) {
        self.line.begin(self.taken, line_end_before);
        self.in_plain_line = false;
    }

    /// Counts octets that were taken.
    fn pass(&mut self, octets: &[u8]) {
        self.taken.octets += octets.len() as u64;
        self.taken.line_ends += memchr::memchr_iter(b'\n', octets).count() as u64;
        self.last = octets.last().copied().unwrap_or(self.last);
    }
}

/// What the octets that come next belong to.
#[derive(Debug, Clone, Copy)]
enum Reading {
    /// The header of the part with this index.
    Header(usize),
    /// The body of the leaf with this index, which began there.
    Leaf(usize, Position),
    /// No part: before the first delimiter of a multipart, behind its last, or in parts beyond the bound.
    Nothing,
}

/// An entity that holds entities and has not ended.
#[derive(Debug, Clone)]
struct Open {
    part: usize,
    begins: Position,
    /// What to look for; `None` for a message, and for a multipart behind its last delimiter.
    boundary: Option<Boundary>,
    is_digest: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Position {
    octets: u64,
    line_ends: u64,
}

impl Position {
    const fn later(self, other: Self) -> Self {
        if self.octets < other.octets { other } else { self }
    }
}

/// The line that is being read.
#[derive(Debug, Clone, Default)]
struct Line {
    begins: Position,
    /// Octets of the line end before it.
    line_end_before: u8,
    /// What earlier chunks held of it, up to a bound.
    cut: Vec<u8>,
}

impl Line {
    fn begin(&mut self, begins: Position, line_end_before: u8) {
        self.begins = begins;
        self.line_end_before = line_end_before;
        self.cut.clear();
    }

    fn keep(&mut self, piece: &[u8], bound: usize) {
        let room = bound.saturating_sub(self.cut.len());
        self.cut.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    /// Where something ends that began at `start` and lasts until this line: the line end before a delimiter belongs
    /// to the delimiter (RFC 2046 §5.1.1).
    fn end_before(&self, start: Position) -> Position {
        if self.line_end_before == 0 || self.begins.octets <= start.octets {
            return self.begins;
        }
        Position {
            octets: self.begins.octets.saturating_sub(u64::from(self.line_end_before)),
            line_ends: self.begins.line_ends.saturating_sub(1),
        }
    }
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else {
        return line;
    };
    line.strip_suffix(b"\r").unwrap_or(line)
}
