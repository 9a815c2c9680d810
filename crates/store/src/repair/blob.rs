//! Mends blobs: a row says how many refer to it, and its chunks are those octets.

use message::id::{BlobId, TenantId};

use super::{Deed, Mender, kind_of};
use crate::{
    blob::{BlobRef, key::chunk_key},
    engine::{Snapshot, StoreError},
    key::{Key, blob as keys},
    record::blob::BlobRow,
    verify::blobs,
};

impl<S: Snapshot> Mender<S> {
    pub(super) fn mend_blob(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        match kind_of(key) {
            keys::BLOB => self.set_blob_aside(key, why),
            _ => self.set_aside(key, why),
        }
    }

    /// Octets that are not what was accepted go, and with them, in the next round, whatever refers to them.
    pub(super) fn set_blob_aside(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, id), row)) = keys::parse_blob(&key.bytes).zip(self.read::<BlobRow>(key)?) else {
            return self.set_aside(key, why);
        };
        self.set_aside(key, why)?;
        self.set_chunks_aside(tenant, id, row.chunks, why)
    }

    fn set_chunks_aside(
        &mut self,
        tenant: TenantId,
        id: BlobId,
        chunks: u32,
        why: &str,
    ) -> Result<(), StoreError> {
        (0..chunks).try_for_each(|number| self.set_aside(&chunk_key(tenant, id, number), why))
    }

    pub(super) fn recount_references(
        &mut self,
        key: &Key,
        _what: &str,
        counted: u64,
    ) -> Result<(), StoreError> {
        let Some(((tenant, id), row)) = keys::parse_blob(&key.bytes).zip(self.read::<BlobRow>(key)?) else {
            return Ok(());
        };
        if counted > 0 {
            let refs = u32::try_from(counted).unwrap_or(u32::MAX);
            return self.put(key, &BlobRow { refs, ..row }, "counted again");
        }
        let why = "nothing refers to the message";
        let blob = blob_of(id, &row);
        // Its octets were found good in the first round, unless the row was made since.
        if blobs::check(&self.overlay, tenant, &blob).is_ok() {
            self.act(key, why, Deed::Exported(tenant, id));
        }
        self.set_blob_aside(key, why)
    }

    /// Whether a message's octets are there and right; a row of the blob that is lost or says otherwise is made again.
    pub(super) fn mend_blob_of(
        &mut self,
        tenant: TenantId,
        blob: &BlobRef,
        why: &str,
    ) -> Result<bool, StoreError> {
        let key = keys::blob(tenant, blob.id);
        let row = self.read::<BlobRow>(&key)?;
        if row.is_some_and(|row| blob_of(blob.id, &row) == *blob) {
            return Ok(true);
        }
        if blobs::check(&self.overlay, tenant, blob).is_err() {
            return Ok(false);
        }
        // How many refer to it is counted last.
        let row = BlobRow {
            refs: row.map_or(1, |row| row.refs),
            octets: blob.octets,
            checksum: blob.checksum,
            chunks: blob.chunks,
        };
        self.put(&key, &row, why)?;
        Ok(true)
    }
}

pub(super) const fn blob_of(id: BlobId, row: &BlobRow) -> BlobRef {
    BlobRef {
        id,
        octets: row.octets,
        checksum: row.checksum,
        chunks: row.chunks,
    }
}
