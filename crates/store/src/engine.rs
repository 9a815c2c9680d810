//! What a place to keep records must do. `docs/store.md` describes the seam.

pub mod fjall;
pub mod memory;

use std::ops::Bound;

use bytes::Bytes;

use crate::{
    batch::Op,
    key::{Key, Keyspace},
    record::Damaged,
};

/// A key-value engine with atomic batches over all keyspaces and repeatable reads.
pub trait Engine: Send + Sync + 'static {
    /// The view of one moment.
    type Snapshot: Snapshot;

    /// The newest value of one key, seen by the committer between two batches.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// Writes all changes atomically; with `sync`, they are durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Poisoned`] after a failed write or sync: the process must end.
    fn write(&self, ops: Vec<Op>, sync: bool) -> Result<(), StoreError>;

    /// A view that later batches do not change.
    fn snapshot(&self) -> Self::Snapshot;
}

/// Repeatable reads of one moment.
pub trait Snapshot: Send + 'static {
    /// The value of one key.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// At most `limit` records of a keyspace between two bounds, in key order.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError>;

    /// Takes note of a record that a reader met and could not understand; the reader goes on without it.
    fn report(&self, damaged: &Damaged, _octets: &Bytes) {
        tracing::error!(record = %damaged.key, why = %damaged.why, "a record cannot be understood");
    }
}

/// The disk is broken, full, or damaged.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A write or a sync failed: nothing more can be promised, the process must end.
    #[error("the store is poisoned: {0}")]
    Poisoned(String),
    /// The engine could not read.
    #[error("cannot read: {0}")]
    Unreadable(String),
}
