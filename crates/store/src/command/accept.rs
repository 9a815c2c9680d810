//! Accept: a message becomes ours.

use std::sync::Arc;

use bytes::Bytes;
use message::{
    address::{EmailAddress, ReversePath},
    envelope::{BodyKind, MailOptions, RecipientOptions},
    id::{MessageId, TenantId},
    time::Timestamp,
};

use crate::{
    blob::{BlobRef, SealedBlob},
    record::spool::{Arrival, Priority, Route},
};

/// A message becomes ours: spool, recipients, due index, reference to its blob with the last chunk, and the trail.
///
/// Repeated under its id it gives the first outcome while results are kept; later it is refused with `Exists` as long
/// as anything refers to its blob. The ids of message and blob must be new.
#[derive(Clone, Debug)]
pub struct Accept {
    /// What goes into the spool. Shared with the change feed, so that a queue need not read it back.
    pub spooled: Arc<Spooled>,
    /// The last chunk of the blob, as it is stored.
    pub last_chunk: Bytes,
    /// The path of the proposing actor, for the trail.
    pub actor: String,
    /// What the peer will be told, for the trail.
    pub reply: String,
}

impl Accept {
    /// Accepts what was sealed by a blob writer.
    ///
    /// `spooled.blob` must be the reference of `sealed`.
    #[must_use]
    pub fn new(
        spooled: Spooled,
        sealed: SealedBlob,
        actor: impl Into<String>,
        reply: impl Into<String>,
    ) -> Self {
        let spooled = Spooled {
            blob: sealed.blob,
            ..spooled
        };
        Self {
            spooled: Arc::new(spooled),
            last_chunk: sealed.last_chunk,
            actor: actor.into(),
            reply: reply.into(),
        }
    }
}

/// A message as it goes into the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spooled {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which message.
    pub message: MessageId,
    /// Where a report of failure goes.
    pub reverse_path: ReversePath,
    /// What MAIL said about the octets of the body.
    pub body: BodyKind,
    /// Its octets.
    pub blob: BlobRef,
    /// When and from whom it came.
    pub arrival: Arrival,
    /// What goes first.
    pub priority: Priority,
    /// When its recipients may first be tried; usually at once.
    pub due: Timestamp,
    /// What MAIL asked for besides. Priority and due time say already what of it is for this server to obey.
    pub options: MailOptions,
    /// For whom, at most [`MAX_RECIPIENTS`](crate::record::spool::MAX_RECIPIENTS); numbered from 0 in this order.
    pub recipients: Vec<Addressee>,
}

/// A recipient of a message that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Who.
    pub address: EmailAddress,
    /// The path as the client wrote it.
    pub original: String,
    /// How the message gets there.
    pub route: Route,
    /// What RCPT asked for besides.
    pub options: RecipientOptions,
}
