//! Table: counters of many subjects in memory that never grows beyond its bound.
//!
//! A subject has one slot in one set of eight, as a cache has its lines: which set, a keyed hash says, so that nobody
//! can aim at the set of another. A newcomer in a full set takes the slot that tells least: of somebody idle first,
//! then of the innocent with the least traffic; offenders and those who logged in stay longest. So a flood of new
//! addresses pushes out one another, not what is known of those who did something. Sets are made when they are first
//! needed: a quiet server pays for what it knows.

use std::{
    hash::{BuildHasher, RandomState},
    mem::size_of,
    sync::{Mutex, PoisonError},
};

use super::window::{Moment, Window};

/// Who is counted, in sixteen octets.
pub(super) type Key = [u8; 16];

/// Slots of one set.
const WAYS: usize = 8;

/// Locks of a table: threads that count different subjects rarely meet.
const SHARDS: usize = 64;

/// What is counted of one subject. Empty when nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    key: Key,
    /// Connections taken.
    pub(super) connections: Window,
    /// Messages begun.
    pub(super) messages: Window,
    /// Recipients named.
    pub(super) recipients: Window,
    /// Points of offences.
    pub(super) offences: Window,
    /// Somebody has logged in from here.
    pub(super) logins: Window,
}

/// A moment in the window of each thing that is counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) connections: Moment,
    pub(super) messages: Moment,
    pub(super) offences: Moment,
    pub(super) logins: Moment,
}

type Set = [Slot; WAYS];

/// The counters of many subjects of one kind.
pub(super) struct Table {
    shards: Box<[Mutex<Shard>]>,
    hash: RandomState,
}

/// The sets behind one lock.
type Shard = Box<[Option<Box<Set>>]>;

impl Slot {
    fn is_idle(&self, now: Moments) -> bool {
        self.connections.is_idle(now.connections)
            && self.messages.is_idle(now.messages)
            && self.recipients.is_idle(now.messages)
            && self.offences.is_idle(now.offences)
            && self.logins.is_idle(now.logins)
    }

    /// How much would be lost with it.
    pub(super) fn worth(&self, now: Moments) -> (u32, bool, u32) {
        let traffic = self
            .connections
            .count(now.connections)
            .saturating_add(self.messages.count(now.messages))
            .saturating_add(self.recipients.count(now.messages));
        (
            self.offences.count(now.offences),
            !self.logins.is_idle(now.logins),
            traffic,
        )
    }
}

impl Table {
    /// A table that takes no more than so many octets; at least one set a lock.
    pub(super) fn new(octets: usize) -> Self {
        let sets = (octets / (size_of::<Set>() + size_of::<Option<Box<Set>>>()) / SHARDS).max(1);
        let shard = |_| Mutex::new(std::iter::repeat_with(|| None).take(sets).collect());
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            hash: RandomState::new(),
        }
    }

    /// What is known of a subject; of one that is not here, nothing: a slot without counts.
    pub(super) fn look(&self, key: &Key) -> Slot {
        let found = self.set(key, |set| {
            let slots = set.as_deref()?;
            slots.iter().find(|slot| slot.key == *key).copied()
        });
        found.unwrap_or_default()
    }

    /// Changes what is counted of a subject.
    pub(super) fn change<R>(
        &self,
        key: &Key,
        now: Moments,
        change: impl FnOnce(&mut Slot) -> R,
    ) -> Option<R> {
        self.set(key, |set| {
            let slots = set.get_or_insert_with(|| Box::new([Slot::default(); WAYS]));
            place(slots, key, now).map(change)
        })
    }

    /// Every subject of whom something is known, a lock at a time.
    pub(super) fn each(&self, now: Moments, mut each: impl FnMut(&Key, &Slot)) {
        for shard in &self.shards {
            let sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let slots = sets.iter().flatten().flat_map(|set| set.iter());
            slots
                .filter(|slot| !slot.is_idle(now))
                .for_each(|slot| each(&slot.key, slot));
        }
    }

    fn set<R>(&self, key: &Key, with: impl FnOnce(&mut Option<Box<Set>>) -> Option<R>) -> Option<R> {
        let hash = self.hash.hash_one(key);
        let shard = self.shards.get(hash as usize % SHARDS)?;
        let mut sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (hash / SHARDS as u64) % sets.len().max(1) as u64;
        with(sets.get_mut(place as usize)?)
    }
}

/// The slot of a subject: its own, or that of whoever tells least.
fn place<'s>(slots: &'s mut Set, key: &Key, now: Moments) -> Option<&'s mut Slot> {
    let own = slots.iter().position(|slot| slot.key == *key);
    if let Some(own) = own {
        return slots.get_mut(own);
    }
    let least = slots.iter_mut().min_by_key(|slot| slot.worth(now))?;
    *least = Slot {
        key: *key,
        ..Slot::default()
    };
    Some(least)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use message::time::Tick;

    use super::*;

    const OCTETS: usize = 4 << 20;

    fn now(seconds: u64) -> Moments {
        let moment = Moment::of(Tick::from_micros(seconds * 1_000_000), Duration::from_secs(600));
        Moments {
            connections: moment,
            messages: moment,
            offences: moment,
            logins: moment,
        }
    }

    fn key(number: u64) -> Key {
        let [a, b] = [number.to_be_bytes(), (!number).to_be_bytes()];
        [a, b].concat().try_into().unwrap()
    }

    /// Octets that a table has taken, but for what the allocator adds.
    fn octets(table: &Table) -> usize {
        let of = |shard: &Mutex<Shard>| {
            let sets = shard.lock().unwrap();
            let made = sets.iter().flatten().count();
            sets.len() * size_of::<Option<Box<Set>>>() + made * size_of::<Set>()
        };
        table.shards.iter().map(of).sum()
    }

    fn connect(table: &Table, number: u64, seconds: u64) {
        let now = now(seconds);
        table.change(&key(number), now, |slot| slot.connections.add(now.connections, 1));
    }

    #[test]
    fn a_million_subjects_take_no_more_than_the_bound() {
        let table = Table::new(OCTETS);
        assert!(octets(&table) < OCTETS / 32, "a quiet table is small");
        for number in 0..1_000_000 {
            connect(&table, number, 1);
        }
        let taken = octets(&table);
        assert!(taken <= OCTETS && taken > OCTETS / 2, "{taken}");
        let mut known = 0;
        table.each(now(1), |_, _| known += 1);
        assert!(known > 40_000, "{known}");
    }

    #[test]
    fn a_flood_washes_out_neither_offenders_nor_those_who_logged_in() {
        let table = Table::new(OCTETS);
        let start = now(0);
        for number in 0..1_000 {
            table.change(&key(number), start, |slot| slot.offences.add(start.offences, 1));
            table.change(&key(10_000 + number), start, |slot| {
                slot.logins.add(start.logins, 1)
            });
            for _ in 0..10 {
                connect(&table, 20_000 + number, 0);
            }
        }
        for number in 0..1_000_000 {
            connect(&table, 1_000_000 + number, 1);
        }
        let left = |from: u64| {
            (from..from + 1_000)
                .filter(|number| table.look(&key(*number)) != Slot::default())
                .count()
        };
        let left = [left(0), left(10_000), left(20_000)];
        assert!(left.iter().all(|left| *left > 990), "{left:?}");
        assert!(left[0] == 1_000, "{left:?}");
    }

    #[test]
    fn the_idle_make_room_first() {
        let table = Table::new(0);
        for number in 0..512 {
            connect(&table, number, 0);
            connect(&table, number, 0);
        }
        // Two windows later the old counts are worth nothing, although they were higher.
        for number in 1_000..1_064 {
            connect(&table, number, 1_200);
        }
        let left = (1_000..1_064)
            .filter(|number| table.look(&key(*number)) != Slot::default())
            .count();
        assert!(left > 60, "{left}");
    }

    #[test]
    fn who_is_not_here_has_no_counts() {
        let table = Table::new(OCTETS);
        assert_eq!(table.look(&key(1)), Slot::default());
        connect(&table, 1, 0);
        assert_eq!(table.look(&key(1)).connections.count(now(0).connections), 1);
        assert_eq!(table.look(&key(2)), Slot::default());
    }
}
