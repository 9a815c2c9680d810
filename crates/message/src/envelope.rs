//! Envelope: the reverse-path and the recipients of a message, as MAIL and RCPT gave them.
//!
//! Not the ENVELOPE of IMAP, which is made of header fields (see `structure`), and not the state of a delivery, which
//! lives in the spool.

use serde::{Deserialize, Serialize};

use crate::address::{EmailAddress, ReversePath};

/// Who sends to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Where a report of failure goes.
    pub reverse_path: ReversePath,
    /// Whom the message is for, in the order of their RCPT commands.
    pub recipients: Vec<Recipient>,
    /// What MAIL said about the octets of the body.
    pub body: BodyKind,
    /// The SIZE that MAIL declared, in octets (RFC 1870); a claim, not a measure.
    pub declared_size: Option<u64>,
}

impl Envelope {
    /// An envelope without recipients and without claims about the body.
    #[must_use]
    pub const fn new(reverse_path: ReversePath) -> Self {
        Self {
            reverse_path,
            recipients: Vec::new(),
            body: BodyKind::SevenBit,
            declared_size: None,
        }
    }
}

/// One RCPT.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The address that the path meant; `<postmaster>` has been given its domain.
    pub address: EmailAddress,
    /// The path between its angle brackets as the client wrote it, printable ASCII: what a report quotes.
    pub original: String,
}

/// The BODY parameter of MAIL. RFC 6152 §2
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BodyKind {
    /// `BODY=7BIT`, or nothing said.
    #[default]
    SevenBit,
    /// `BODY=8BITMIME`: lines as ever, octets of eight bits.
    EightBitMime,
}
