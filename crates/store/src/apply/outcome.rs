//! What the proposer of a committed command is told.

use message::id::MailboxId;
use serde::{Deserialize, Serialize};

use crate::record::mailbox::{ModSeq, Uid, UidValidity};

/// The answer to a committed command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Outcome {
    /// Done; nothing more to say.
    Done,
    /// The message is in a mailbox, by this command or by an earlier one.
    Appended(Appended),
    /// The flags are changed.
    FlagsChanged(FlagsChanged),
    /// The messages are gone.
    Expunged(Expunged),
    /// The mailbox is there.
    MailboxCreated {
        /// Which life of its name begins.
        uid_validity: UidValidity,
    },
    /// A step is done.
    Reaped {
        /// Whether nothing is left to remove.
        finished: bool,
    },
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appended {
    /// In which mailbox.
    pub mailbox: MailboxId,
    /// In which life of it.
    pub uid_validity: UidValidity,
    /// Under which UID.
    pub uid: Uid,
    /// At which MODSEQ it was appended.
    pub modseq: ModSeq,
}

/// What became of flags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagsChanged {
    /// The mailbox's highest MODSEQ now: that of this change, if anything changed.
    pub modseq: ModSeq,
    /// Messages that changed.
    pub changed: Vec<Uid>,
    /// Messages that had changed after the given MODSEQ and were left alone: MODIFIED of RFC 7162 §3.1.3.
    pub modified: Vec<Uid>,
}

/// What was expunged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expunged {
    /// The mailbox's highest MODSEQ now: that of this change, if anything was there.
    pub modseq: ModSeq,
    /// Messages that were there, growing.
    pub uids: Vec<Uid>,
}
