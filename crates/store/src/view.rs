//! A view of what was committed at one moment, over whichever engine the store has.

use std::{ops::Bound, sync::Arc};

use bytes::Bytes;

use crate::{
    engine::{Compactions, DiskUse, Engine, Snapshot, StoreError},
    key::{Key, Keyspace},
    quarantine::{BadRecord, Ward},
    record::Damaged,
};

/// Repeatable reads; hold it shortly, the engine keeps old versions for it.
pub struct View {
    snapshot: Box<dyn Snapshot>,
    ward: Arc<Ward>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View")
    }
}

impl Snapshot for View {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.snapshot.get(key)
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        self.snapshot.has(key)
    }

    fn keys(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.snapshot.keys(space, from, to, limit)
    }

    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.snapshot.scan(space, from, to, limit)
    }

    fn report(&self, damaged: &Damaged, octets: &Bytes) {
        self.ward.take(BadRecord {
            key: damaged.key.clone(),
            value: octets.clone(),
            why: damaged.why.to_string(),
        });
    }
}

/// Whatever engine the store has, as readers need it.
pub(crate) trait Source: Send + Sync {
    /// The newest value of one key.
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// What is committed now; bad records that its readers meet go to the ward.
    fn view(&self, ward: Arc<Ward>) -> View;

    /// What the engine takes on the disk.
    fn disk_use(&self) -> DiskUse;

    /// See [`Engine::compactions`].
    fn compactions(&self) -> Compactions;

    /// See [`Engine::compact`].
    fn compact(&self, space: Keyspace) -> Result<(), StoreError>;

    /// See [`Engine::give_back`].
    fn give_back(&self) -> Result<(), StoreError>;
}

impl<E: Engine> Source for E {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Engine::get(self, key)
    }

    fn view(&self, ward: Arc<Ward>) -> View {
        View {
            snapshot: Box::new(self.snapshot()),
            ward,
        }
    }

    fn disk_use(&self) -> DiskUse {
        Engine::disk_use(self)
    }

    fn compactions(&self) -> Compactions {
        Engine::compactions(self)
    }

    fn compact(&self, space: Keyspace) -> Result<(), StoreError> {
        Engine::compact(self, space)
    }

    fn give_back(&self) -> Result<(), StoreError> {
        Engine::give_back(self)
    }
}
