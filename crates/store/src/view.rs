//! A view of what was committed at one moment, over whichever engine the store has.

use std::ops::Bound;

use bytes::Bytes;

use crate::{
    engine::{Engine, Snapshot, StoreError},
    key::{Key, Keyspace},
};

/// Repeatable reads; hold it shortly, the engine keeps old versions for it.
pub struct View {
    snapshot: Box<dyn Snapshot>,
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

    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        self.snapshot.scan(space, from, to, limit)
    }
}

/// Whatever engine the store has, as readers need it.
pub(crate) trait Source: Send + Sync {
    /// The newest value of one key.
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError>;

    /// What is committed now.
    fn view(&self) -> View;
}

impl<E: Engine> Source for E {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Engine::get(self, key)
    }

    fn view(&self) -> View {
        View {
            snapshot: Box::new(self.snapshot()),
        }
    }
}
