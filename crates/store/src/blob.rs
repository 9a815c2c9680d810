//! Blobs: immutable message bytes as a row of independently compressed chunks.
//!
//! A blob is written by one [`BlobWriter`]. Full chunks go to the disk unsynced as they come, under an open-upload
//! mark; the last chunk (for most messages the only one) is handed back by [`BlobWriter::seal`] and travels inside the
//! command that refers to the blob, whose sync covers all chunks before it. What no command ever refers to is swept.

use bytes::Bytes;
use message::id::BlobId;
use serde::{Deserialize, Serialize};

use crate::engine::StoreError;

/// How a record refers to message bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRef {
    /// Which blob.
    pub id: BlobId,
    /// Octets of the message.
    pub octets: u64,
    /// BLAKE3 of the message.
    pub checksum: [u8; 32],
    /// How many chunks there are; at least one, also for an empty message.
    pub chunks: u32,
}

/// A finished blob and what the command that refers to it must carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBlob {
    /// The reference.
    pub blob: BlobRef,
    /// The last chunk as it is stored: the command puts it under [`chunk_key`](key::chunk_key) of `chunks - 1`, and
    /// when there is more than one chunk removes [`upload_key`](key::upload_key).
    pub last_chunk: Bytes,
}

/// Why message bytes cannot be written or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum BlobError {
    /// The store has more waiting than it may have; give the blob up and let the peer try later.
    #[error("the store is overloaded")]
    Overloaded,
    /// The store failed or has closed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A chunk that the reference promises is not there.
    #[error("chunk {chunk} of blob {id} is missing")]
    Missing {
        /// Which blob.
        id: BlobId,
        /// Which chunk, from 0.
        chunk: u32,
    },
    /// A chunk is there but is not what was written.
    #[error("chunk {chunk} of blob {id} is damaged: {why}")]
    Damaged {
        /// Which blob.
        id: BlobId,
        /// Which chunk, from 0.
        chunk: u32,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The whole message was asked for and is larger than the caller allows.
    #[error("blob {id} has {octets} octets, more than {limit}")]
    TooLarge {
        /// Which blob.
        id: BlobId,
        /// Its size.
        octets: u64,
        /// What was allowed.
        limit: u64,
    },
}

pub mod key;

pub(crate) mod chunk;
mod reader;
pub(crate) mod sweep;
pub(crate) mod writer;

pub use reader::BlobReader;
pub use writer::BlobWriter;
