//! Append: a message goes from the spool into a mailbox.

use bytes::Bytes;
use message::{
    id::{AccountId, BlobId, MailboxId, MessageId, TenantId},
    time::Timestamp,
};

use crate::record::{
    mailbox::{Flags, Parsed},
    spool::RecipientNumber,
};

/// A message goes into a mailbox, and its recipient is done, in one change; with its last recipient the message leaves
/// the spool.
///
/// Happens once for a message and a recipient: a repeat gives the first UID, whatever mailbox it names.
/// Rejected with `OverQuota`, and with `NoSuchAccount` or `NoSuchMailbox` when they have vanished, which the queue
/// turns into a [`Settlement::Held`](crate::record::trail::Settlement).
#[derive(Clone, Debug)]
pub struct Append {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which message of the spool.
    pub message: MessageId,
    /// Which of its recipients.
    pub recipient: RecipientNumber,
    /// The blob of the message, as the spool names it.
    pub blob: BlobId,
    /// Whose mailbox.
    pub account: AccountId,
    /// Which mailbox.
    pub mailbox: MailboxId,
    /// Header fields to stand before the message; see
    /// [`MailboxMessage::prefix`](crate::record::mailbox::MailboxMessage).
    pub prefix: Bytes,
    /// Flags and keywords.
    pub flags: Flags,
    /// INTERNALDATE.
    pub internal_date: Timestamp,
    /// How well it was understood.
    pub parsed: Parsed,
    /// Envelope and body structure, encoded by the caller.
    pub structure: Option<Bytes>,
    /// The path of the proposing actor, for the trail.
    pub actor: String,
}
