//! Open connections, counted exactly: who has one has an entry, and nobody else. So the memory is bounded by the
//! connections that may be open at all, and no entry is ever pushed out while it still counts.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::table::Key;

/// Locks of the count.
const SHARDS: usize = 64;

/// The connections that are open now, by whom.
pub(super) struct Open {
    shards: Box<[Mutex<HashMap<Key, u32>>]>,
    hash: RandomState,
}

/// A connection that is counted until this is dropped.
pub(super) struct Counted {
    open: Arc<Open>,
    key: Key,
}

impl Open {
    pub(super) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hash: RandomState::new(),
        }
    }

    /// Counts one more, unless that is beyond a limit; 0 is no limit.
    pub(super) fn one_more(self: &Arc<Self>, key: Key, limit: u32) -> Option<Counted> {
        let mut counts = self.shard(&key)?;
        let count = counts.entry(key).or_default();
        if limit != 0 && *count >= limit {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counted {
            open: Arc::clone(self),
            key,
        })
    }

    /// How many are open.
    #[cfg(test)]
    pub(super) fn count(&self, key: &Key) -> u32 {
        let counts = self.shard(key);
        counts.map_or(0, |counts| counts.get(key).copied().unwrap_or_default())
    }

    fn shard(&self, key: &Key) -> Option<MutexGuard<'_, HashMap<Key, u32>>> {
        let shard = self.shards.get(self.hash.hash_one(key) as usize % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(mut counts) = self.open.shard(&self.key) else {
            return;
        };
        if let Some(count) = counts.get_mut(&self.key) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_leaves_nothing() {
        let open = Arc::new(Open::new());
        let held: Vec<_> = (0..3).map(|_| open.one_more([1; 16], 3).unwrap()).collect();
        assert!(open.one_more([1; 16], 3).is_none());
        assert!(open.one_more([2; 16], 3).is_some());
        assert_eq!((open.count(&[1; 16]), open.count(&[2; 16])), (3, 0));
        drop(held);
        assert_eq!(open.count(&[1; 16]), 0);
        let entries: usize = open.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert_eq!(entries, 0);
    }
}
