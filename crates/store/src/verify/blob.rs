//! Verifies blobs: references, chunks, and the octets themselves.

use bytes::Bytes;
use message::id::{BlobId, TenantId};

use super::{Check, Finding, Problem, directory::tenant_of};
use crate::{
    blob::{
        BlobRef,
        key::{CHUNK_KIND, UPLOAD_KIND, chunk_key, upload_key},
    },
    engine::{Snapshot, StoreError},
    key::{self, Key, KeyReader, blob as keys},
    record::{blob::BlobRow, job::BlobTombstone},
};

/// What is said of a blob to which more or fewer refer.
pub(crate) const REFERENCES: &str = "references";

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    pub(super) fn blob_row(&mut self, kind: u8, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        match kind {
            keys::BLOB => self.blob(key, octets),
            CHUNK_KIND => self.chunk(key),
            // The mark of an upload under way, or of one that the next start sweeps.
            UPLOAD_KIND => Ok(()),
            _ => {
                self.find(key, Problem::Unknown);
                Ok(())
            }
        }
    }

    /// Compares a reference with the blob's own record.
    pub(super) fn blob_agrees(
        &mut self,
        key: &Key,
        tenant: TenantId,
        blob: &BlobRef,
    ) -> Result<(), StoreError> {
        let row: Option<BlobRow> = self.look(&keys::blob(tenant, blob.id))?;
        let agrees = row.is_some_and(|row| {
            row.octets == blob.octets && row.checksum == blob.checksum && row.chunks == blob.chunks
        });
        self.expect(key, agrees, "the message's blob is not there or is another");
        Ok(())
    }

    fn blob(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        self.summary.messages += 1;
        let Some(((tenant, id), row)) = self.decode::<_, BlobRow>(key, octets, keys::parse_blob) else {
            return Ok(());
        };
        if let Some(references) = self.counts.references.take(tenant, id) {
            self.compare(key, REFERENCES, row.refs.into(), references.into());
        }
        for chunk in 0..row.chunks {
            if !self.snapshot.has(&chunk_key(tenant, id, chunk))? {
                self.find(key, Problem::Dangling("a chunk of the blob is not there"));
                return Ok(());
            }
        }
        let blob = BlobRef {
            id,
            octets: row.octets,
            checksum: row.checksum,
            chunks: row.chunks,
        };
        if let Err(why) = (self.bytes)(tenant, &blob) {
            self.find(key, Problem::Bytes(why));
        }
        Ok(())
    }

    fn chunk(&mut self, key: &Key) -> Result<(), StoreError> {
        let Some((id, number)) = parse_chunk(&key.bytes) else {
            self.find(key, Problem::Unknown);
            return Ok(());
        };
        let Some(tenant) = tenant_of(&key.bytes) else {
            return Ok(());
        };
        if let Some(row) = self.look::<BlobRow>(&keys::blob(tenant, id))? {
            self.expect(key, number < row.chunks, "the chunk's blob has fewer");
            return Ok(());
        }
        let rest: Option<BlobTombstone> = self.look(&key::mailbox::blob_tombstone(tenant, id))?;
        let wanted = rest.is_some() || self.snapshot.has(&upload_key(tenant, id))?;
        self.expect(key, wanted, "the chunk belongs to nothing");
        Ok(())
    }
}

fn parse_chunk(key: &[u8]) -> Option<(BlobId, u32)> {
    let mut reader = KeyReader::new(key);
    reader.prefix(CHUNK_KIND)?;
    let blob = BlobId::from(reader.id()?);
    let number = reader.u32()?;
    reader.end((blob, number))
}
