//! Fading: a map of bounded size, each of whose entries is forgotten at a moment of its own.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use message::Tick;

/// Entries by their key, and by the moment when they are forgotten.
#[derive(Debug)]
pub(super) struct Fading<K, V> {
    capacity: usize,
    entries: HashMap<K, (Tick, V)>,
    order: BTreeSet<(Tick, K)>,
}

impl<K: Copy + Ord + Hash, V: Copy> Fading<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            order: BTreeSet::new(),
        }
    }

    pub(super) fn find(&self, now: Tick, key: &K) -> Option<V> {
        let (until, value) = self.entries.get(key)?;
        (now < *until).then_some(*value)
    }

    /// Keeps a value for a while. Without room, what would be forgotten first makes way.
    pub(super) fn keep(&mut self, now: Tick, key: K, until: Tick, value: V) {
        self.forget(&key);
        while self.order.first().is_some_and(|(until, _)| *until <= now) {
            self.forget_first();
        }
        if until <= now || self.capacity == 0 {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.forget_first();
        }
        self.entries.insert(key, (until, value));
        self.order.insert((until, key));
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn forget(&mut self, key: &K) {
        if let Some((until, _)) = self.entries.remove(key) {
            self.order.remove(&(until, *key));
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.order.pop_first() {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_indexes_stay_the_same_and_within_capacity(
            capacity in 0_usize..4,
            steps in prop::collection::vec((0_u8..6, 0_u64..30, 0_u64..90), 0..40),
        ) {
            let mut fading = Fading::new(capacity);
            let mut now = Tick::ZERO;
            for (key, pause, lifetime) in steps {
                now += Duration::from_secs(pause);
                fading.keep(now, key, now + Duration::from_secs(lifetime), key);
                prop_assert!(fading.len() <= capacity);
                prop_assert_eq!(fading.order.len(), fading.entries.len());
                for (until, key) in &fading.order {
                    prop_assert_eq!(fading.entries.get(key), Some(&(*until, *key)));
                }
            }
        }
    }
}
