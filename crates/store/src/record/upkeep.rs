//! The record of a long work on the store that is under way: what a restart goes on with.

use message::{id::ReceiptId, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::Record;

/// A long work that somebody asked for and that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// The receipt that is given when it has ended.
    pub receipt: ReceiptId,
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked; at most [`MAX_AUDIT_TEXT_OCTETS`](super::audit::MAX_AUDIT_TEXT_OCTETS).
    pub who: String,
    /// The line as it was given; at most [`MAX_UPKEEP_LINE_OCTETS`].
    pub line: String,
    /// Why; at most [`MAX_AUDIT_TEXT_OCTETS`](super::audit::MAX_AUDIT_TEXT_OCTETS).
    pub reason: Option<String>,
    /// What is done.
    pub task: UpkeepTask,
    /// Behind which key it goes on, if it goes by keys.
    pub place: Option<Vec<u8>>,
    /// How much was done before that place.
    pub done: u64,
    /// How much of it was not as it must be.
    pub found: u64,
}

/// What is done for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpkeepTask {
    /// Every record and the octets of every message are verified.
    Check,
    /// A backup is taken.
    Backup {
        /// Into which directory; at most [`MAX_UPKEEP_LINE_OCTETS`].
        dir: String,
        /// How many backups are kept there; all if absent.
        keep: Option<u32>,
    },
    /// Space is given back.
    Reclaim,
}

/// Octets of a line, and of a directory's path.
pub const MAX_UPKEEP_LINE_OCTETS: usize = 4096;

impl Record for Upkeep {
    const NAME: &'static str = "upkeep";
    const VERSION: u8 = 1;
}
