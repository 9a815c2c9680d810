//! Structure: what IMAP wants to know of a message without reading it again: ENVELOPE, BODYSTRUCTURE and where each
//! part lies (RFC 9051 §7.5.2).
//!
//! Made by a [`StructureScanner`] while the message streams by; it holds header values as they stand, encoded words
//! included, because IMAP sends them so, and never any body. A malformed message is not an error: what cannot be
//! understood is taken as `text/plain` or left out, and [`Caveats`] says so. The tokenisers are our own instead of
//! mail-parser's, because they must work on a bounded piece of a stream, keep raw values and count what they keep.

mod addresses;
mod caveats;
pub(crate) mod delimiter;
mod envelope;
pub(crate) mod header;
mod parameters;
mod part;
mod raw_text;
mod scanner;
mod tokens;

use serde::{Deserialize, Serialize};

pub use caveats::Caveats;
pub use envelope::{ImapAddress, ImapEnvelope};
pub use part::{Disposition, Encoding, MediaType, Parameter, Part, PartKind};
pub use raw_text::RawText;
pub use scanner::StructureScanner;

/// Octets of one entity's header that are looked at; what follows is skipped. Real headers stay under 64 KiB.
pub const MAX_HEADER: usize = 256 * 1024;
/// Octets of one header field that are gathered, folding included: room for a thousand addresses.
pub const MAX_FIELD: usize = 64 * 1024;
/// Octets of one value that are kept: a subject, a parameter, a display name. Four lines of RFC 5322's longest.
pub const MAX_TEXT: usize = 4 * 1024;
/// Octets of values that one structure keeps in all, so that it fits a record of the store whatever the message is;
/// each of [`MAX_PARTS`] parts has some fifty more for its numbers.
pub const MAX_KEPT: usize = 256 * 1024;
/// Entities within entities. Real mail stays under ten.
pub const MAX_DEPTH: usize = 32;
/// Entities in one message.
pub const MAX_PARTS: usize = 1_000;
/// Parameters of one field, and languages of one part.
pub const MAX_PARAMETERS: usize = 64;
/// Octets of a boundary. RFC 2046 §5.1.1
pub const MAX_BOUNDARY: usize = 70;
/// Addresses in one list, groups counted.
pub const MAX_ADDRESSES: usize = 1_000;

/// The structure of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Structure {
    /// The message's own ENVELOPE; that of a message within it is in its part's [`PartKind::Message`].
    pub envelope: ImapEnvelope,
    /// All entities in the order in which they begin, each before what it holds; the first is the message itself.
    pub parts: Vec<Part>,
    /// Which bounds were hit and what was malformed.
    pub caveats: Caveats,
}

impl Structure {
    /// The structure of a message that lies whole in memory.
    #[must_use]
    pub fn of(message: &[u8]) -> Self {
        let mut scanner = StructureScanner::new();
        scanner.feed(message);
        scanner.finish()
    }

    /// Octets of the header with the empty line that ends it.
    #[must_use]
    pub fn header_octets(&self) -> u64 {
        self.parts.first().map_or(0, |root| root.body_start)
    }

    /// Octets of the message.
    #[must_use]
    pub fn total_octets(&self) -> u64 {
        self.parts.first().map_or(0, |root| root.body_end)
    }

    /// The parts that `parts[index]` holds directly, with their indexes: those of a multipart, or the one body of a
    /// message within the message.
    pub fn children(&self, index: usize) -> impl Iterator<Item = (usize, &Part)> {
        let depth = self.parts.get(index).map_or(u8::MAX, |part| part.depth);
        let behind = self.parts.iter().enumerate().skip(index.saturating_add(1));
        behind
            .take_while(move |(_, part)| part.depth > depth)
            .filter(move |(_, part)| u16::from(part.depth) == u16::from(depth) + 1)
    }

    /// The index of the part that a section such as `1.2` names (RFC 9051 §6.4.5.1); an empty path is the message.
    ///
    /// Where the path ends at a message within the message, its header and text are those of its one child.
    #[must_use]
    pub fn section(&self, path: &[u32]) -> Option<usize> {
        let mut here = Here::MessageHolding(0);
        for number in path {
            let nth = usize::try_from(*number).ok()?.checked_sub(1)?;
            let body = match here {
                Here::MessageHolding(body) => body,
                Here::Part(index) => match self.parts.get(index)?.kind {
                    PartKind::Leaf => return None,
                    PartKind::Multipart => index,
                    PartKind::Message(_) => self.children(index).next()?.0,
                },
            };
            here = match self.parts.get(body)?.kind {
                PartKind::Multipart => Here::Part(self.children(body).nth(nth)?.0),
                // RFC 9051: every message has at least one part number.
                PartKind::Leaf | PartKind::Message(_) if nth == 0 => Here::Part(body),
                PartKind::Leaf | PartKind::Message(_) => return None,
            };
        }
        match here {
            Here::MessageHolding(index) | Here::Part(index) => self.parts.get(index).map(|_| index),
        }
    }
}

/// How far a section path has led.
enum Here {
    /// At a message whose body is this part; the whole message is such a one.
    MessageHolding(usize),
    /// At this part.
    Part(usize),
}

#[cfg(test)]
mod tests;
