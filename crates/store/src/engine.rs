//! What a place to keep records must do. `docs/store.md` describes the seam.

pub mod fjall;
pub mod memory;

use std::{ops::Bound, time::Duration};

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

    /// What each keyspace takes on the disk; nothing for an engine without files.
    fn disk_use(&self) -> DiskUse {
        DiskUse::default()
    }

    /// What it has compacted of its own accord since it was opened; nothing for an engine without files.
    fn compactions(&self) -> Compactions {
        Compactions::default()
    }

    /// Rewrites the tables of a keyspace without what was deleted, and its files of values that are a good part garbage.
    /// Takes long. Readers go on; so do writers, until what they wrote meanwhile is as much as the engine may hold in memory.
    ///
    /// # Errors
    /// [`StoreError::Uncompacted`] when it could not; nothing is lost.
    fn compact(&self, _space: Keyspace) -> Result<(), StoreError> {
        Ok(())
    }

    /// Lets go of the files that nothing needs any more.
    ///
    /// # Errors
    /// [`StoreError::Uncompacted`] when it could not; [`StoreError::Poisoned`] after a failed write.
    fn give_back(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// What an engine has compacted of its own accord.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compactions {
    /// How often it has looked after a keyspace, and compacted what it found.
    pub made: u64,
    /// How long that took.
    pub time: Duration,
}

/// What a store takes on the disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// By keyspace.
    pub spaces: Vec<SpaceUse>,
    /// Octets of journals.
    pub journals: u64,
}

impl DiskUse {
    /// Octets of everything.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.spaces.iter().map(|space| space.octets).sum::<u64>() + self.journals
    }

    /// Octets known to be garbage.
    #[must_use]
    pub fn garbage(&self) -> u64 {
        self.spaces.iter().map(|space| space.garbage).sum()
    }
}

/// What a keyspace takes on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceUse {
    /// Which.
    pub space: Keyspace,
    /// Octets of its files.
    pub octets: u64,
    /// Octets of values in them that compaction found to be deleted. What was deleted since is not known yet.
    pub garbage: u64,
}

/// Repeatable reads of one moment.
pub trait Snapshot: Send + 'static {
    /// The value of one key.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// Whether there is a value at a key; a large one is not read for this.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        Ok(self.get(key)?.is_some())
    }

    /// At most `limit` keys of a keyspace between two bounds, in order; large values are not read for this.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    fn keys(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.scan(space, from, to, limit)?;
        Ok(rows.into_iter().map(|(key, _)| key).collect())
    }

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
    /// The engine could not give space back.
    #[error("cannot compact: {0}")]
    Uncompacted(String),
    /// The engine could not read.
    #[error("cannot read: {0}")]
    Unreadable(String),
}
