//! Entity: the header of the message or of a part, passed on with another Content-Transfer-Encoding where it must have
//! one.

use super::BinaryFault;
use crate::structure::delimiter::Boundary;
use crate::structure::header::{Header, HeaderLine, Keeper};
use crate::structure::{Encoding, Part};

/// What the body behind a header is.
#[derive(Debug)]
pub(super) enum Kind {
    /// Lines.
    Text,
    /// Octets that become base64.
    Binary,
    /// Parts between delimiters.
    Multipart { boundary: Boundary, is_digest: bool },
    /// A message.
    Message,
}

/// A header while it is read.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    header: Header,
    part: Part,
    keeper: Keeper,
    has_type: bool,
    has_encoding: bool,
    /// Whether a field came: before the first one nothing can be folded.
    has_field: bool,
    /// The lines of Content-Transfer-Encoding, until it is known what it says.
    held: Vec<u8>,
}

impl Entity {
    pub(super) fn new(is_in_digest: bool) -> Self {
        let mut header = Header::new();
        // Also the message's own is read as that of a part: its ENVELOPE is not wanted here.
        header.begin_part(is_in_digest);
        Self {
            header,
            part: Part::beginning(0, 0),
            keeper: Keeper::new(),
            has_type: false,
            has_encoding: false,
            has_field: false,
            held: Vec::new(),
        }
    }

    /// Takes a line without its CRLF.
    pub(super) fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), BinaryFault> {
        let is_fold = line.starts_with(b" ") || line.starts_with(b"\t");
        if is_fold && !self.has_field {
            return Err(BinaryFault::MalformedHeader);
        }
        let read = self.header.line(line, &mut self.part, &mut self.keeper);
        if read != HeaderLine::OfField {
            return Err(BinaryFault::MalformedHeader);
        }
        self.has_field = true;
        let is_held = if is_fold {
            !self.held.is_empty()
        } else {
            // The field before has now been understood.
            self.release(out);
            self.begin_field(line)?
        };
        let place = if is_held { &mut self.held } else { out };
        place.extend_from_slice(line);
        place.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// The header has ended: writes the encoding that the body will have, if it is not the one that was said.
    pub(super) fn end(mut self, out: &mut Vec<u8>) -> Result<Kind, BinaryFault> {
        self.header.end(&mut self.part, &mut self.keeper);
        self.release(out);
        if self.keeper.caveats.is_truncated() {
            return Err(BinaryFault::HeaderTooLarge);
        }
        let kind = self.kind();
        if self.part.encoding == Encoding::Binary {
            let becomes = match kind {
                Kind::Binary => "base64",
                Kind::Text | Kind::Multipart { .. } | Kind::Message => "8bit",
            };
            for piece in ["Content-Transfer-Encoding: ", becomes, "\r\n"] {
                out.extend_from_slice(piece.as_bytes());
            }
        }
        Ok(kind)
    }

    fn kind(&self) -> Kind {
        let (media, encoding) = (&self.part.media, &self.part.encoding);
        if media.is_multipart() {
            return match Boundary::of(&self.part) {
                Some(boundary) => Kind::Multipart {
                    boundary,
                    is_digest: media.as_str() == "multipart/digest",
                },
                None => Kind::Text,
            };
        }
        if media.is_message() && encoding.is_identity() {
            return Kind::Message;
        }
        // Other parts of a message, too, have no encoding but the identity. RFC 2046 §5.2
        if *encoding == Encoding::Binary && media.main() != "message" {
            return Kind::Binary;
        }
        Kind::Text
    }

    /// Whether the field that begins with this line is held back.
    fn begin_field(&mut self, line: &[u8]) -> Result<bool, BinaryFault> {
        let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
        let name = name.trim_ascii_end();
        let (is_type, is_encoding) = (
            name.eq_ignore_ascii_case(b"content-type"),
            name.eq_ignore_ascii_case(b"content-transfer-encoding"),
        );
        // Of two, readers choose differently.
        if (is_type && self.has_type) || (is_encoding && self.has_encoding) {
            return Err(BinaryFault::MalformedHeader);
        }
        self.has_type |= is_type;
        self.has_encoding |= is_encoding;
        Ok(is_encoding)
    }

    /// Passes on what is held, unless it says binary.
    fn release(&mut self, out: &mut Vec<u8>) {
        if self.part.encoding != Encoding::Binary {
            out.extend_from_slice(&self.held);
        }
        self.held.clear();
    }
}
