//! Settle and Remove: how a recipient leaves the spool without an append, or stays for later.

use message::id::{BlobId, MessageId, TenantId};

use crate::record::{spool::RecipientNumber, trail::Settlement};

/// An attempt at a recipient ended.
///
/// A repeat under the same id finds its own step on the trail and gives the same outcome. A held recipient is released
/// by settling it as deferred.
#[derive(Clone, Debug)]
pub struct Settle {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which message.
    pub message: MessageId,
    /// Which of its recipients.
    pub recipient: RecipientNumber,
    /// The blob of the message, as the spool names it.
    pub blob: BlobId,
    /// Which attempt this ends: one more than the recipient's `attempts`. Two who settle the same attempt
    /// differently are told apart: the second is `Stale`.
    pub attempt: u32,
    /// How it ended.
    pub settlement: Settlement,
    /// The path of the proposing actor, for the trail.
    pub actor: String,
}

/// An operator takes a message out of the spool, with all its recipients that are not done.
#[derive(Clone, Debug)]
pub struct Remove {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which message.
    pub message: MessageId,
    /// The blob of the message, as the spool names it.
    pub blob: BlobId,
    /// All its recipients that are not done; `Stale` when there are others.
    pub recipients: Vec<RecipientNumber>,
    /// Why, at most [`MAX_FACT_OCTETS`](crate::record::spool::MAX_FACT_OCTETS).
    pub why: String,
    /// The path of the proposing actor, for the trail.
    pub actor: String,
}
