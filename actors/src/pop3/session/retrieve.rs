//! The message that is being sent: its parts, read one after the other.

use std::sync::Arc;

use bytes::Bytes;
use message::id::BlobId;
use pop3::{Retrieve, Verdict};
use store::{
    blob::BlobReader,
    key::mailbox::MailboxKey,
    read::mailbox,
    record::mailbox::{MailboxMessage, Uid},
};
use supervision::Broken;

use super::{Parts, State};
use crate::telemetry::POP3_MESSAGES_SENT;

/// A message on its way to the client.
pub(super) struct Retrieval {
    uid: u32,
    message: Arc<Message>,
}

struct Message {
    prefix: Bytes,
    chunks: u32,
    reader: BlobReader,
}

impl State {
    /// The next part of a message: what stands before it, or one chunk of it.
    pub(super) async fn retrieve(&mut self, wanted: Retrieve) -> Result<Verdict, Broken> {
        let Some(opened) = self.session.opened else {
            return Err(Broken::because("a message is read from no mailbox"));
        };
        let known = self
            .retrieval
            .take()
            .filter(|retrieval| retrieval.uid == wanted.uid && wanted.part > 0);
        let parts = &self.args.parts;
        let (store, tenant, part) = (parts.store.clone(), parts.tenant, wanted.part);
        let read = parts.reads.run(move || {
            let message = match known {
                Some(retrieval) => retrieval.message,
                None => match mailbox::message(&store.snapshot(), opened.mailbox, Uid::new(wanted.uid)) {
                    Ok(Some(row)) => Arc::new(Message {
                        chunks: row.blob.chunks,
                        reader: store.blob_reader(tenant, &row.blob),
                        prefix: row.prefix,
                    }),
                    Ok(None) => return None,
                    Err(why) => return unreadable(&why),
                },
            };
            let octets = match message.reader.chunk(part) {
                Ok(octets) => octets,
                Err(why) => return unreadable(&why),
            };
            Some((message, octets))
        });
        let Some((message, octets)) = read.await? else {
            return Ok(Verdict::Lost);
        };
        let octets = if part == 0 {
            join(&message.prefix, octets)
        } else {
            octets
        };
        if part == 0 {
            POP3_MESSAGES_SENT.count(1);
        }
        if part + 1 >= message.chunks {
            return Ok(Verdict::LastChunk(octets));
        }
        self.retrieval = Some(Retrieval {
            uid: wanted.uid,
            message,
        });
        Ok(Verdict::Chunk(octets))
    }
}

/// The blobs of messages, as an expunge names them; messages that are gone are left out. `None` when the mailbox
/// cannot be read.
pub(super) async fn blobs(
    parts: &Parts,
    key: MailboxKey,
    uids: &[u32],
) -> Result<Option<Vec<(Uid, BlobId)>>, Broken> {
    let (store, uids) = (parts.store.clone(), uids.to_vec());
    let read = parts.reads.run(move || {
        let snapshot = store.snapshot();
        let mut blobs = Vec::with_capacity(uids.len());
        for uid in uids.into_iter().map(Uid::new) {
            match mailbox::message(&snapshot, key, uid) {
                Ok(Some(MailboxMessage { blob, .. })) => blobs.push((uid, blob.id)),
                Ok(None) => {}
                Err(why) => return unreadable(&why),
            }
        }
        Some(blobs)
    });
    read.await
}

fn unreadable<T>(why: &dyn std::fmt::Display) -> Option<T> {
    tracing::error!(target: "angarium::pop3", %why, "a message cannot be read");
    None
}

fn join(prefix: &Bytes, octets: Bytes) -> Bytes {
    if prefix.is_empty() {
        return octets;
    }
    [prefix.as_ref(), octets.as_ref()].concat().into()
}
