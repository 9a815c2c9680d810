//! Framing: what the next octets of a connection are, a command line or a body.
//!
//! It is small and `Copy`: the task that owns the socket keeps it beside the unread input, so that a session that died
//! inside a body is never handed the rest of it as commands.

pub(crate) mod line;
mod line_ends;
mod matcher;
mod run;

use serde::{Deserialize, Serialize};

pub use line::Skip;
pub(crate) use line_ends::LineEnds;
pub use matcher::{Matcher, Scan};
pub(crate) use run::Run;

use crate::sasl;

/// What the next octets of a connection are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Framing {
    /// A command line.
    Line,
    /// The client's next line in the exchange behind AUTH. RFC 4954 §4
    Response,
    /// The rest of a line that was refused already: to be discarded to its CRLF.
    Skip(Skip),
    /// The text of a message, up to CRLF.CRLF.
    Data(Matcher),
    /// A chunk of BDAT, of which so many octets are left, whatever they are. RFC 3030 §2
    Chunk {
        /// Octets; at least one.
        left: u64,
    },
    /// A TLS handshake. Whatever was read in clear is to be forgotten first (RFC 3207 §4.2, CVE-2011-0411).
    Handshake,
}

impl Framing {
    /// Whether `unread` holds anything that a turn could act on; `max_line` is the longest command line.
    #[must_use]
    pub fn is_ready(self, unread: &[u8], max_line: usize) -> bool {
        match self {
            Self::Line => {
                let limit = line::limit(unread, max_line);
                !matches!(line::find(unread, limit), line::Found::Partial)
            }
            Self::Response => !matches!(line::find(unread, sasl::MAX_LINE), line::Found::Partial),
            Self::Skip(_) | Self::Data(_) | Self::Chunk { .. } => !unread.is_empty(),
            Self::Handshake => false,
        }
    }
}
