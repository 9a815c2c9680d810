//! Submitter: the AUTH of MAIL, who submitted a message in the eyes of the client (RFC 4954 §5). A claim: what it is
//! worth depends on who makes it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ParameterError, xtext};
use crate::address::EmailAddress;

/// Octets of the value as written. RFC 4954 §3 lets a MAIL command grow by so many.
pub const MAX_SUBMITTER: usize = 500;

/// Who submitted a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Submitter {
    /// `<>`: nobody knows, or nobody may know.
    Unknown,
    /// This one.
    Address(EmailAddress),
}

impl Submitter {
    /// Parses the value of AUTH: `<>`, or a mailbox in xtext. `utf8` lets the mailbox be internationalised.
    ///
    /// # Errors
    /// [`ParameterError`] for what is neither, or too long.
    pub fn parse(text: &[u8], utf8: bool) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError = ParameterError("AUTH is <> or an address in xtext");
        if text.len() > MAX_SUBMITTER {
            return Err(MALFORMED);
        }
        let mailbox = xtext::decode(text).ok_or(MALFORMED)?;
        if mailbox == b"<>" {
            return Ok(Self::Unknown);
        }
        let address = if utf8 {
            std::str::from_utf8(&mailbox)
                .map_err(|_| MALFORMED)
                .and_then(|mailbox| EmailAddress::parse_utf8(mailbox).map_err(|_| MALFORMED))
        } else {
            EmailAddress::parse(&mailbox).map_err(|_| MALFORMED)
        };
        let submitter = Self::Address(address?);
        // A literal or a quoted local part may be written otherwise than it came.
        if submitter.written_length() > MAX_SUBMITTER {
            return Err(MALFORMED);
        }
        Ok(submitter)
    }

    fn written_length(&self) -> usize {
        match self {
            Self::Unknown => 2,
            Self::Address(address) => xtext::length(&address.to_string()),
        }
    }
}

impl fmt::Display for Submitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("<>"),
            Self::Address(address) => xtext::write(&address.to_string(), f),
        }
    }
}
