//! The overlay: what is committed, covered by what earlier commands of the same group change.

use std::collections::{HashMap, hash_map::Entry};

use bytes::Bytes;

use crate::{
    batch::{Batch, Op, ReadSet},
    engine::{Engine, StoreError},
    key::Key,
};

/// The changes of a group so far. The last change of a key wins, so a row that every command touches is written once.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    changes: HashMap<Key, Option<Bytes>>,
}

impl Overlay {
    /// One value as the next command of the group sees it.
    pub(crate) fn get<E: Engine>(&self, engine: &E, key: &Key) -> Result<Option<Bytes>, StoreError> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => engine.get(key),
        }
    }

    /// The values of a footprint as the next command of the group sees them.
    pub(crate) fn read<E: Engine>(&self, engine: &E, footprint: Vec<Key>) -> Result<ReadSet, StoreError> {
        let mut values = HashMap::with_capacity(footprint.len());
        for key in footprint {
            if let Entry::Vacant(place) = values.entry(key) {
                let value = self.get(engine, place.key())?;
                place.insert(value);
            }
        }
        Ok(ReadSet { values })
    }

    /// Adds the changes of a command that was applied.
    pub(crate) fn merge(&mut self, batch: Batch) {
        for op in batch.ops {
            self.push(op);
        }
    }

    /// Adds one change.
    pub(crate) fn push(&mut self, op: Op) {
        match op {
            Op::Put(key, value) => self.changes.insert(key, Some(value)),
            Op::Delete(key) => self.changes.insert(key, None),
        };
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// What to write, each key once, leaving nothing.
    pub(crate) fn take(&mut self) -> Vec<Op> {
        self.changes
            .drain()
            .map(|(key, value)| match value {
                Some(value) => Op::Put(key, value),
                None => Op::Delete(key),
            })
            .collect()
    }
}
