//! ImapEnvelope: the header fields that IMAP calls ENVELOPE (RFC 9051 §7.5.2).
//!
//! Not the [`Envelope`](crate::Envelope) of SMTP: these are claims of the message about itself.

use serde::{Deserialize, Serialize};

use super::RawText;

/// The fields as they stand in the header. A text that is `None` had no field; one that is empty had an empty field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImapEnvelope {
    /// Date, unparsed.
    pub date: Option<RawText>,
    /// Subject, encoded words and all.
    pub subject: Option<RawText>,
    /// From.
    pub from: Vec<ImapAddress>,
    /// Sender as it stands; IMAP wants [`ImapEnvelope::sender_or_from`].
    pub sender: Vec<ImapAddress>,
    /// Reply-To as it stands; IMAP wants [`ImapEnvelope::reply_to_or_from`].
    pub reply_to: Vec<ImapAddress>,
    /// To.
    pub to: Vec<ImapAddress>,
    /// Cc.
    pub cc: Vec<ImapAddress>,
    /// Bcc.
    pub bcc: Vec<ImapAddress>,
    /// In-Reply-To.
    pub in_reply_to: Option<RawText>,
    /// Message-ID, with its angle brackets.
    pub message_id: Option<RawText>,
}

impl ImapEnvelope {
    /// Sender, or From where there is no Sender. RFC 9051 §7.5.2
    #[must_use]
    pub fn sender_or_from(&self) -> &[ImapAddress] {
        if self.sender.is_empty() {
            &self.from
        } else {
            &self.sender
        }
    }

    /// Reply-To, or From where there is no Reply-To. RFC 9051 §7.5.2
    #[must_use]
    pub fn reply_to_or_from(&self) -> &[ImapAddress] {
        if self.reply_to.is_empty() {
            &self.from
        } else {
            &self.reply_to
        }
    }
}

/// One element of an address list. Source routes, IMAP's `addr-adl`, are dropped: that field is always NIL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImapAddress {
    /// An address, however incomplete.
    Mailbox {
        /// The display name, unquoted; of an old-style address, the comment behind it.
        name: Option<RawText>,
        /// The local part, unquoted.
        mailbox: RawText,
        /// The domain. Empty where the address had none: NIL would begin a group.
        host: RawText,
    },
    /// The beginning of a group: all up to the next [`ImapAddress::GroupEnd`] belong to it.
    GroupStart(RawText),
    /// The end of a group; never without its beginning.
    GroupEnd,
}
