//! Writing a blob: cut into chunks, hash, compress in the caller's thread, and hand full chunks to the committer.

use std::sync::Arc;

use bytes::Bytes;
use message::id::{BlobId, TenantId};
use tokio::sync::oneshot;

use crate::{
    batch::Op,
    blob::{
        BlobError, BlobRef, SealedBlob, chunk,
        key::{chunk_key, upload_key},
    },
    engine::StoreError,
    options::Compression,
    propose::ProposeError,
    queue::{Queue, Work},
};

/// Writes one blob. Dropped before [`seal`](Self::seal), it takes back what it wrote.
#[derive(Debug)]
pub struct BlobWriter {
    queue: Arc<Queue>,
    tenant: TenantId,
    id: BlobId,
    chunk_octets: usize,
    compression: Compression,
    filling: Vec<u8>,
    hasher: blake3::Hasher,
    octets: u64,
    chunks: u32,
}

impl BlobWriter {
    pub(crate) fn new(
        queue: Arc<Queue>,
        tenant: TenantId,
        id: BlobId,
        chunk_octets: usize,
        compression: Compression,
    ) -> Self {
        let hasher = blake3::Hasher::new();
        let filling = Vec::new();
        Self {
            queue,
            tenant,
            id,
            chunk_octets,
            compression,
            filling,
            hasher,
            octets: 0,
            chunks: 0,
        }
    }

    /// Which blob this is.
    #[must_use]
    pub const fn id(&self) -> BlobId {
        self.id
    }

    /// Octets pushed so far.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Takes octets of the message, in order, in pieces of any size.
    ///
    /// Waits only where a chunk is full and more octets come: until the committer has written it. That wait is the
    /// back-pressure of the disk; compressing a chunk takes the caller well under a millisecond. The future is
    /// cancel safe only in that dropping it and then the writer leaves nothing behind.
    ///
    /// # Errors
    /// [`BlobError::Overloaded`] and [`BlobError::Store`]: drop the writer.
    pub async fn push(&mut self, octets: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(octets);
        self.octets += octets.len() as u64;
        let mut rest = octets;
        while !rest.is_empty() {
            // A full chunk waits for the octet after it: the last one travels with the accepting command.
            if self.filling.len() == self.chunk_octets {
                self.write_chunk().await?;
            }
            let (now, later) = rest.split_at(rest.len().min(self.chunk_octets - self.filling.len()));
            self.filling.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// Finishes the blob. Compresses the last chunk in the caller's thread and touches no disk.
    ///
    /// From here on the chunks are the caller's: a command refers to them, or
    /// [`Store::discard_blob`](crate::store::Store::discard_blob) takes them back, or the next start sweeps them.
    #[must_use]
    pub fn seal(mut self) -> SealedBlob {
        let last_chunk = chunk::encode(&self.filling, self.compression);
        let blob = BlobRef {
            id: self.id,
            octets: self.octets,
            checksum: *self.hasher.finalize().as_bytes(),
            chunks: self.chunks + 1,
        };
        self.chunks = 0;
        SealedBlob { blob, last_chunk }
    }

    /// Gives the blob up: what was written is removed soon, and at the latest by the next start. Never waits.
    pub fn abandon(self) {
        drop(self);
    }

    async fn write_chunk(&mut self) -> Result<(), BlobError> {
        let stored = chunk::encode(&self.filling, self.compression);
        self.filling.clear();
        let octets = stored.len();
        let mut ops = Vec::with_capacity(2);
        if self.chunks == 0 {
            ops.push(Op::Put(upload_key(self.tenant, self.id), Bytes::new()));
        }
        ops.push(Op::Put(chunk_key(self.tenant, self.id, self.chunks), stored));
        self.chunks += 1;
        let (done, written) = oneshot::channel();
        self.queue.push(Work::Chunk { ops, done }, octets);
        match written.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(ProposeError::Overloaded)) => Err(BlobError::Overloaded),
            Ok(Err(error)) => Err(StoreError::Poisoned(error.to_string()).into()),
            Err(_) => Err(StoreError::Poisoned(ProposeError::Unknown.to_string()).into()),
        }
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if self.chunks > 0 {
            self.queue.push(sweep(self.tenant, self.id, self.chunks), 0);
        }
    }
}

/// Removes the written chunks of a blob, if nothing came to refer to it.
pub(crate) fn sweep(tenant: TenantId, id: BlobId, chunks: u32) -> Work {
    let chunks = (0..chunks).map(|number| chunk_key(tenant, id, number)).collect();
    Work::Sweep {
        upload: upload_key(tenant, id),
        chunks,
    }
}
