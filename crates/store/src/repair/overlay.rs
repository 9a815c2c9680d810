//! A snapshot with changes over it that nobody has written yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use bytes::Bytes;

use crate::{
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace},
    record::Damaged,
};

/// A snapshot, and what is changed of it: `None` for a record that goes.
pub(super) struct Overlay<S> {
    pub(super) base: S,
    changed: BTreeMap<Key, Option<Bytes>>,
}

impl<S: Snapshot> Overlay<S> {
    pub(super) const fn new(base: S) -> Self {
        Self {
            base,
            changed: BTreeMap::new(),
        }
    }

    pub(super) fn put(&mut self, key: Key, octets: Bytes) {
        self.changed.insert(key, Some(octets));
    }

    pub(super) fn delete(&mut self, key: Key) {
        self.changed.insert(key, None);
    }

    /// What is changed, in key order.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&Key, Option<&Bytes>)> {
        self.changed.iter().map(|(key, octets)| (key, octets.as_ref()))
    }

    /// The changes of one keyspace between two bounds.
    fn within(&self, space: Keyspace, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Vec<(&Key, Option<&Bytes>)> {
        let low = Key {
            space,
            bytes: match from {
                Bound::Included(bytes) | Bound::Excluded(bytes) => bytes.to_vec(),
                Bound::Unbounded => Vec::new(),
            },
        };
        let is_behind = |key: &Key| match from {
            Bound::Excluded(bytes) => key.bytes != bytes,
            Bound::Included(_) | Bound::Unbounded => true,
        };
        let is_before = |key: &Key| match to {
            Bound::Included(bytes) => key.bytes.as_slice() <= bytes,
            Bound::Excluded(bytes) => key.bytes.as_slice() < bytes,
            Bound::Unbounded => true,
        };
        self.changed
            .range(low..)
            .take_while(|(key, _)| key.space == space && is_before(key))
            .filter(|(key, _)| is_behind(key))
            .map(|(key, octets)| (key, octets.as_ref()))
            .collect()
    }
}

impl<S: Snapshot> Snapshot for Overlay<S> {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        match self.changed.get(key) {
            Some(octets) => Ok(octets.clone()),
            None => self.base.get(key),
        }
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        match self.changed.get(key) {
            Some(octets) => Ok(octets.is_some()),
            None => self.base.has(key),
        }
    }

    fn keys(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let changed = self.within(space, from, to);
        if changed.is_empty() {
            return self.base.keys(space, from, to, limit);
        }
        // As many more as the changes may take away.
        let more = limit.saturating_add(changed.len());
        let below = self.base.keys(space, from, to, more)?;
        let whole = below.len() < more;
        let end = below.last().cloned();
        let mut keys: BTreeSet<Vec<u8>> = below.into_iter().collect();
        for (key, octets) in changed {
            if octets.is_none() {
                keys.remove(&key.bytes);
            } else if whole || end.as_ref().is_some_and(|end| key.bytes <= *end) {
                // Behind the end of what was read there may be keys that come first.
                keys.insert(key.bytes.clone());
            }
        }
        Ok(keys.into_iter().take(limit).collect())
    }

    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let changed = self.within(space, from, to);
        if changed.is_empty() {
            return self.base.scan(space, from, to, limit);
        }
        let over: BTreeSet<&[u8]> = changed.iter().map(|(key, _)| key.bytes.as_slice()).collect();
        // As many more as the changes may take away.
        let more = limit.saturating_add(changed.len());
        let below = self.base.scan(space, from, to, more)?;
        let whole = below.len() < more;
        let end = below.last().map(|(key, _)| key.clone());
        let mut rows: Vec<_> = below
            .into_iter()
            .filter(|(key, _)| !over.contains(key.as_slice()))
            .collect();
        for (key, octets) in changed {
            let Some(octets) = octets else { continue };
            // Behind the end of what was read there may be rows that come first.
            if whole || end.as_ref().is_some_and(|end| key.bytes <= *end) {
                rows.push((key.bytes.clone(), octets.clone()));
            }
        }
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        rows.truncate(limit);
        Ok(rows)
    }

    // What is damaged is the business of the repair, not of whoever watches for it in a running server.
    fn report(&self, _damaged: &Damaged, _octets: &Bytes) {}
}
