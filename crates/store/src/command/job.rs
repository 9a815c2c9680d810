//! Steps of work that one command cannot do: reaping what deletions left, sweeping what was kept for its time.

use message::{
    id::{AccountId, BlobId, CommandId, MailboxId, MessageId, ReceiptId, TenantId},
    time::Timestamp,
};

use crate::{
    key::{mailbox::MailboxKey, trail::TrailKey},
    record::{
        ban::Network,
        mailbox::{ModSeq, Uid},
        spool::RecipientNumber,
    },
};

/// A step of the removal of what a deletion left. The outcome says whether it was the last.
#[derive(Clone, Debug)]
pub struct Reap {
    /// Whose records.
    pub tenant: TenantId,
    /// What to remove.
    pub step: ReapStep,
}

/// What one step removes. Rows that are gone already are passed over, so a step can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReapStep {
    /// Messages of a deleted mailbox; at most [`MAX_EXPUNGED`](super::expunge::MAX_EXPUNGED), none twice.
    Messages {
        /// Whose mailbox it was.
        account: AccountId,
        /// Which mailbox.
        mailbox: MailboxId,
        /// Messages with their blobs, as a listing shows them; without when the record is damaged.
        messages: Vec<(Uid, Option<BlobId>)>,
    },
    /// Records of expunged messages of a deleted mailbox; at most [`MAX_SWEEP`], none twice.
    Vanished {
        /// Whose mailbox it was.
        account: AccountId,
        /// Which mailbox.
        mailbox: MailboxId,
        /// Which records.
        modseqs: Vec<ModSeq>,
    },
    /// Chunks of a deleted blob; at most [`MAX_SWEEP`] go in one step.
    Chunks(BlobId),
}

/// The end of rows that have been kept for their time.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Whose records; results of commands belong to no tenant.
    pub tenant: TenantId,
    /// Rows from this time on stay, also when they are listed.
    pub before: Timestamp,
    /// Which rows.
    pub rows: SweepRows,
}

/// Rows that are to go; at most [`MAX_SWEEP`], none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweepRows {
    /// Results of commands.
    Results(Vec<CommandId>),
    /// Records of appends. Those of messages that are still in the spool stay.
    Appended(Vec<(MessageId, RecipientNumber)>),
    /// Steps of trails. Those of messages that are still in the spool stay.
    Trail(Vec<TrailKey>),
    /// Records of expunged messages of one mailbox, from the oldest on.
    Vanished {
        /// Which mailbox.
        mailbox: MailboxKey,
        /// Which records, growing.
        modseqs: Vec<ModSeq>,
    },
    /// Bans that lapsed before that time.
    Bans(Vec<Network>),
    /// Entries of the audit.
    Audit(Vec<ReceiptId>),
}

/// How many rows one step removes.
pub const MAX_SWEEP: usize = 1000;
