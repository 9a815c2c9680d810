//! Tombstones: what is left to remove after a deletion that one command cannot do.

use message::id::AccountId;
use serde::{Deserialize, Serialize};

use super::Record;

/// The rest of a deleted mailbox. Nobody sees it and usage no longer counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxTombstone {
    /// Whose it was: its rows are in the partition of this account.
    pub owner: AccountId,
    /// Messages that are still there.
    pub messages: u64,
    /// Records of expunged messages that are still there.
    pub vanished: u32,
}

impl Record for MailboxTombstone {
    const NAME: &'static str = "rest of a mailbox";
    const VERSION: u8 = 1;
}

/// The rest of a deleted blob: its chunks from `next` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobTombstone {
    /// The first chunk that is still there.
    pub next: u32,
    /// How many chunks there were.
    pub chunks: u32,
}

impl Record for BlobTombstone {
    const NAME: &'static str = "rest of a blob";
    const VERSION: u8 = 1;
}
