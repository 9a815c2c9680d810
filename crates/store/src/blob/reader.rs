//! Reading a blob: chunk by chunk, each verified; errors are values.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use message::id::TenantId;

use crate::{
    blob::{BlobError, BlobRef, chunk, key::chunk_key},
    view::Source,
};

/// Reads one blob. Every method that reads may touch the disk and blocks meanwhile.
#[derive(Clone)]
pub struct BlobReader {
    source: Arc<dyn Source>,
    tenant: TenantId,
    blob: BlobRef,
}

impl BlobReader {
    pub(crate) fn new(source: Arc<dyn Source>, tenant: TenantId, blob: BlobRef) -> Self {
        Self { source, tenant, blob }
    }

    /// What is read.
    #[must_use]
    pub const fn blob(&self) -> &BlobRef {
        &self.blob
    }

    /// The octets of one chunk, from 0; all chunks in order are the message.
    ///
    /// # Errors
    /// [`BlobError::Missing`], [`BlobError::Damaged`], or [`BlobError::Store`] when the engine cannot read.
    pub fn chunk(&self, number: u32) -> Result<Bytes, BlobError> {
        let missing = BlobError::Missing {
            id: self.blob.id,
            chunk: number,
        };
        if number >= self.blob.chunks {
            return Err(missing);
        }
        let stored = self
            .source
            .get(&chunk_key(self.tenant, self.blob.id, number))?
            .ok_or(missing)?;
        chunk::decode(&stored).map_err(|why| BlobError::Damaged {
            id: self.blob.id,
            chunk: number,
            why,
        })
    }

    /// The whole message, verified by its BLAKE3.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] above `limit` octets; otherwise as [`chunk`](Self::chunk).
    pub fn whole(&self, limit: u64) -> Result<Bytes, BlobError> {
        let BlobRef {
            id,
            octets,
            checksum,
            chunks,
        } = self.blob;
        if octets > limit {
            return Err(BlobError::TooLarge { id, octets, limit });
        }
        let whole = if chunks == 1 {
            self.chunk(0)?
        } else {
            self.joined()?
        };
        if *blake3::hash(&whole).as_bytes() != checksum {
            return Err(BlobError::Damaged {
                id,
                chunk: 0,
                why: "the checksum of the whole message differs",
            });
        }
        Ok(whole)
    }

    /// Reads all of it, one chunk at a time, and compares it with its BLAKE3.
    ///
    /// # Errors
    /// As [`whole`](Self::whole), whatever its size.
    pub fn verify(&self) -> Result<(), BlobError> {
        let mut hasher = blake3::Hasher::new();
        for number in 0..self.blob.chunks {
            hasher.update(&self.chunk(number)?);
        }
        if *hasher.finalize().as_bytes() == self.blob.checksum {
            return Ok(());
        }
        Err(BlobError::Damaged {
            id: self.blob.id,
            chunk: 0,
            why: "the checksum of the whole message differs",
        })
    }

    fn joined(&self) -> Result<Bytes, BlobError> {
        let mut whole = BytesMut::new();
        for number in 0..self.blob.chunks {
            whole.extend_from_slice(&self.chunk(number)?);
            if whole.len() as u64 > self.blob.octets {
                return Err(BlobError::Damaged {
                    id: self.blob.id,
                    chunk: number,
                    why: "it is too long",
                });
            }
        }
        Ok(whole.freeze())
    }
}

impl std::fmt::Debug for BlobReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobReader")
            .field("tenant", &self.tenant)
            .field("blob", &self.blob)
            .finish_non_exhaustive()
    }
}
