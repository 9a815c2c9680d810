//! Envelope: what MAIL and RCPT say beside their paths, and what travels with a message on its way.
//!
//! Each value is parsed from what stands behind the `=` of a parameter and prints itself in a form that parses back to
//! it. What is decoded is checked first: no value here holds a carriage return, a line feed, NUL or any other control
//! character, wherever it is written.
//!
//! Not the ENVELOPE of IMAP, which is made of header fields (see `structure`), and not the state of a delivery, which
//! lives in the spool. Whether a parameter may be given at all is the protocol's to say.

mod deliver_by;
mod dsn;
mod hold;
mod mt_priority;
mod original_recipient;
mod submitter;
mod xtext;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use deliver_by::{DeliverBy, Lateness};
pub use dsn::{EnvelopeId, MAX_ENVELOPE_ID, Notify, Return};
pub use hold::{Hold, MAX_HOLD};
pub use mt_priority::MtPriority;
pub use original_recipient::{MAX_ORIGINAL_RECIPIENT, OriginalRecipient};
pub use submitter::{MAX_SUBMITTER, Submitter};

/// What a client asks for with MAIL, beside the reverse-path and what it says of the octets of the body.
///
/// Displays as it stands on a MAIL command, without a space before the first parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailOptions {
    /// SMTPUTF8: addresses or header fields are in UTF-8, and nobody may get the message who cannot read it. RFC 6531
    pub utf8: bool,
    /// RET: how much of the message a report of failure returns. RFC 3461 §4.3
    pub ret: Option<Return>,
    /// ENVID: by which name the sender knows this envelope. RFC 3461 §4.4
    pub envelope_id: Option<EnvelopeId>,
    /// AUTH: who submitted the message, as the client has it. RFC 4954 §5
    pub submitter: Option<Submitter>,
    /// HOLDFOR or HOLDUNTIL: not before then. RFC 4865 §3
    pub hold: Option<Hold>,
    /// BY: not after then. RFC 2852 §4
    pub deliver_by: Option<DeliverBy>,
    /// MT-PRIORITY: before or behind others. RFC 6710 §3
    pub priority: Option<MtPriority>,
    /// REQUIRETLS: over TLS with a verified certificate, all the way. RFC 8689 §2
    pub require_tls: bool,
}

impl MailOptions {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for MailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Words::new(f);
        words.flag("SMTPUTF8", self.utf8)?;
        words.value("RET=", self.ret.as_ref())?;
        words.value("ENVID=", self.envelope_id.as_ref())?;
        words.value("AUTH=", self.submitter.as_ref())?;
        words.value("", self.hold.as_ref())?;
        words.value("BY=", self.deliver_by.as_ref())?;
        words.value("MT-PRIORITY=", self.priority.as_ref())?;
        words.flag("REQUIRETLS", self.require_tls)
    }
}

/// What a client asks for with RCPT, beside the forward-path.
///
/// Displays as it stands on a RCPT command, without a space before the first parameter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RecipientOptions {
    /// NOTIFY: when the sender wants to hear of this recipient. RFC 3461 §4.1
    pub notify: Option<Notify>,
    /// ORCPT: to whom the message was addressed at first. RFC 3461 §4.2
    pub original: Option<OriginalRecipient>,
}

impl RecipientOptions {
    /// Whether nothing is asked for.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.notify.is_none() && self.original.is_none()
    }
}

impl fmt::Display for RecipientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Words::new(f);
        words.value("NOTIFY=", self.notify.as_ref())?;
        words.value("ORCPT=", self.original.as_ref())
    }
}

/// The BODY parameter of MAIL. RFC 6152 §2, RFC 3030 §3
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BodyKind {
    /// `BODY=7BIT`, or nothing said.
    #[default]
    SevenBit,
    /// `BODY=8BITMIME`: lines as ever, octets of eight bits.
    EightBitMime,
    /// `BODY=BINARYMIME`: any octets, and no lines.
    BinaryMime,
}

/// A value that its parameter cannot have: 501 5.5.4. The sentence is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("malformed parameter: {0}")]
pub struct ParameterError(&'static str);

/// Words with a space between them.
struct Words<'f, 'a> {
    f: &'f mut fmt::Formatter<'a>,
    first: bool,
}

impl<'f, 'a> Words<'f, 'a> {
    const fn new(f: &'f mut fmt::Formatter<'a>) -> Self {
        Self { f, first: true }
    }

    fn value(&mut self, keyword: &str, value: Option<&impl fmt::Display>) -> fmt::Result {
        let Some(value) = value else {
            return Ok(());
        };
        let space = if std::mem::take(&mut self.first) { "" } else { " " };
        write!(self.f, "{space}{keyword}{value}")
    }

    fn flag(&mut self, keyword: &str, is_set: bool) -> fmt::Result {
        self.value("", is_set.then_some(&keyword))
    }
}

#[cfg(test)]
mod tests;
