//! ChangeFlags: other flags on messages of one mailbox.

use crate::{
    key::mailbox::MailboxKey,
    record::mailbox::{Flags, ModSeq, Uid},
};

/// Other flags on messages of one mailbox. All that change get one MODSEQ.
///
/// Messages that are not there are passed over (RFC 9051 §6.4.9). Those that already have these flags are not changed
/// and keep their MODSEQ.
#[derive(Clone, Debug)]
pub struct ChangeFlags {
    /// Which mailbox.
    pub mailbox: MailboxKey,
    /// Which messages, none twice; at most [`MAX_FLAGGED`].
    pub uids: Vec<Uid>,
    /// What to do.
    pub change: FlagChange,
    /// Messages changed after this MODSEQ are left alone and named in the outcome. RFC 7162 §3.1.3
    pub unchanged_since: Option<ModSeq>,
}

/// How many messages one command may change: so many records of the largest size stay within
/// [`MAX_BATCH_OCTETS`](crate::batch::MAX_BATCH_OCTETS).
pub const MAX_FLAGGED: usize = 400;

/// What to do with the flags of each message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlagChange {
    /// These too.
    Add(Flags),
    /// Without these.
    Remove(Flags),
    /// These and no others.
    Replace(Flags),
}
