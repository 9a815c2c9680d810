//! The model engine: ordered maps in memory. Nothing outlives it.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;

use crate::{
    batch::Op,
    engine::{Engine, Snapshot, StoreError},
    key::{Key, Keyspace},
};

/// An engine for tests, and for conformance: whatever it says, the engine on disk must say too.
#[derive(Debug, Default)]
pub struct MemoryEngine {
    spaces: RwLock<MemorySnapshot>,
}

/// A view of the model engine. Keyspaces are copied only when they change while a view of them is alive.
#[derive(Clone, Debug, Default)]
pub struct MemorySnapshot {
    spaces: BTreeMap<Keyspace, Arc<BTreeMap<Vec<u8>, Bytes>>>,
}

impl Engine for MemoryEngine {
    type Snapshot = MemorySnapshot;

    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        self.spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
    }

    fn write(&self, ops: Vec<Op>, _sync: bool) -> Result<(), StoreError> {
        let mut snapshot = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        for op in ops {
            match op {
                Op::Put(key, value) => {
                    Arc::make_mut(snapshot.spaces.entry(key.space).or_default()).insert(key.bytes, value);
                }
                Op::Delete(key) => {
                    Arc::make_mut(snapshot.spaces.entry(key.space).or_default()).remove(&key.bytes);
                }
            }
        }
        Ok(())
    }

    fn snapshot(&self) -> MemorySnapshot {
        self.spaces.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Snapshot for MemorySnapshot {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        Ok(self
            .spaces
            .get(&key.space)
            .and_then(|space| space.get(&key.bytes))
            .cloned())
    }

    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let Some(space) = self.spaces.get(&space) else {
            return Ok(Vec::new());
        };
        if is_void(from, to) {
            return Ok(Vec::new());
        }
        let range = space.range::<[u8], _>((from, to));
        Ok(range
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// Whether no key can lie between the bounds; the standard map panics on such a range.
fn is_void(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
        _ => false,
    }
}
