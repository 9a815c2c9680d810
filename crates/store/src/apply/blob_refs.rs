//! References to blobs that end, and what goes from the disk with the last.

use std::collections::BTreeMap;

use message::id::{BlobId, TenantId};

use super::{Change, Rejected, draft::Draft};
use crate::{
    blob,
    key::{blob as blob_row, mailbox as tombstones},
    record::{blob::BlobRow, job::BlobTombstone},
};

/// Chunks of one blob that go in the command that ends its last reference; a longer blob leaves a tombstone.
const MAX_CHUNKS_AT_ONCE: u32 = 16;
/// Operations that a command needs besides those for blobs.
const OTHER_OPERATIONS: usize = 16;

/// Collects the references that one command ends, so that a blob that two of its messages share is counted twice and
/// written once.
pub(super) struct BlobRefs {
    tenant: TenantId,
    blobs: BTreeMap<BlobId, BlobRow>,
}

impl BlobRefs {
    pub(super) const fn new(tenant: TenantId) -> Self {
        Self {
            tenant,
            blobs: BTreeMap::new(),
        }
    }

    /// One reference to the blob ends. A count that is missing or damaged is left for `check store`: the message must
    /// be able to go.
    pub(super) fn release(&mut self, blob: BlobId, draft: &Draft<'_>) -> Result<(), Rejected> {
        if let Some(row) = self.blobs.get_mut(&blob) {
            row.refs = row.refs.saturating_sub(1);
            return Ok(());
        }
        let Some(mut row) = draft.find_whole::<BlobRow>(&blob_row::blob(self.tenant, blob))? else {
            return Ok(());
        };
        row.refs = row.refs.saturating_sub(1);
        self.blobs.insert(blob, row);
        Ok(())
    }

    /// Writes the counts, and removes what nothing refers to.
    pub(super) fn write(self, draft: &mut Draft<'_>) -> Result<(), Rejected> {
        let mut left = self.blobs.len();
        let mut buried = false;
        for (blob, row) in self.blobs {
            left -= 1;
            let key = blob_row::blob(self.tenant, blob);
            if row.refs > 0 {
                draft.put(key, &row)?;
                continue;
            }
            draft.delete(key);
            // Every blob that follows needs two operations, whatever becomes of it.
            let room = draft.room().saturating_sub(OTHER_OPERATIONS + 2 * left);
            if row.chunks <= MAX_CHUNKS_AT_ONCE && row.chunks as usize <= room {
                for chunk in 0..row.chunks {
                    draft.delete(blob::key::chunk_key(self.tenant, blob, chunk));
                }
                continue;
            }
            let rest = BlobTombstone {
                next: 0,
                chunks: row.chunks,
            };
            draft.put(tombstones::blob_tombstone(self.tenant, blob), &rest)?;
            buried = true;
        }
        if buried {
            draft.tell(Change::Tombstone(self.tenant));
        }
        Ok(())
    }
}
