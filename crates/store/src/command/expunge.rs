//! Expunge: messages go from a mailbox.

use message::id::BlobId;

use crate::{key::mailbox::MailboxKey, record::mailbox::Uid};

/// Messages go from a mailbox. What no other record refers to goes from the disk.
///
/// Messages that are not there are passed over, so that two who expunge the same do not disturb each other.
#[derive(Clone, Debug)]
pub struct Expunge {
    /// Which mailbox.
    pub mailbox: MailboxKey,
    /// Which messages, with the blob that each has as the mailbox lists it; none twice, at most [`MAX_EXPUNGED`].
    pub messages: Vec<(Uid, BlobId)>,
}

/// How many messages one command may expunge: with four records each they stay within
/// [`MAX_OPERATIONS`](crate::batch::MAX_OPERATIONS).
pub const MAX_EXPUNGED: usize = 1000;
