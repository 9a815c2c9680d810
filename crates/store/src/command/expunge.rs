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
    /// Which messages, with the blob that each has as the mailbox lists it; none twice, at most [`MAX_UIDS`].
    pub messages: Vec<(Uid, BlobId)>,
}

/// How many messages one command may change: so many records of the largest size stay within
/// [`MAX_BATCH_OCTETS`](crate::batch::MAX_BATCH_OCTETS).
pub const MAX_UIDS: usize = 400;
