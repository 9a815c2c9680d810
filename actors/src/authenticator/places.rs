//! Places: how many may try at once, so that nobody fills the room alone.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use auth::pace::Source;

/// How many times as many places a network has as an address.
const NETWORK_FACTOR: u32 = 4;

/// The places of a room.
#[derive(Clone)]
pub(super) struct Places {
    taken: Arc<Mutex<Taken>>,
    limits: Limits,
}

/// How many places there are.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// All of them.
    pub(super) all: u32,
    /// Those that strangers may take together.
    pub(super) strangers: u32,
    /// Those that one address may take, if a stranger asks.
    pub(super) address: u32,
}

#[derive(Default)]
struct Taken {
    all: u32,
    by_source: HashMap<Source, u32>,
}

/// A place, free again when this is dropped.
pub struct Place {
    taken: Arc<Mutex<Taken>>,
    sources: Option<[Source; 2]>,
}

impl Places {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            taken: Arc::default(),
            limits,
        }
    }

    /// A place for somebody who has come in from there before.
    pub(super) fn take_at_home(&self) -> Option<Place> {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .more(self.limits.all)?;
        Some(Place {
            taken: Arc::clone(&self.taken),
            sources: None,
        })
    }

    /// A place for a stranger.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Place> {
        let network = self.limits.address.saturating_mul(NETWORK_FACTOR);
        let sources = [
            (Source::address(peer), self.limits.address),
            (Source::network(peer), network),
        ];
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full =
            |(source, most): &(Source, u32)| taken.by_source.get(source).is_some_and(|count| count >= most);
        if self.limits.address == 0 || sources.iter().any(is_full) {
            return None;
        }
        taken.more(self.limits.strangers.min(self.limits.all))?;
        for (source, _) in sources {
            *taken.by_source.entry(source).or_default() += 1;
        }
        drop(taken);
        Some(Place {
            taken: Arc::clone(&self.taken),
            sources: Some(sources.map(|(source, _)| source)),
        })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> u32 {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Taken {
    fn more(&mut self, most: u32) -> Option<()> {
        if self.all >= most {
            return None;
        }
        self.all += 1;
        Some(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        for source in self.sources.iter().flatten() {
            if let Some(count) = taken.by_source.get_mut(source) {
                *count -= 1;
                if *count == 0 {
                    taken.by_source.remove(source);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> Places {
        Places::new(Limits {
            all: 10,
            strangers: 7,
            address: 2,
        })
    }

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn nobody_fills_the_room_alone() {
        let places = places();
        let one: Vec<_> = (0..100).map_while(|_| places.take(peer("192.0.2.1"))).collect();
        assert_eq!(one.len(), 2);
        let other = places.take(peer("198.51.100.1"));
        assert!(other.is_some());
        drop(one);
        assert_eq!(places.taken(), 1);
        assert!(places.take(peer("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_has_places_for_few_addresses() {
        let places = Places::new(Limits {
            all: 100,
            strangers: 100,
            address: 2,
        });
        let network: Vec<_> = (0..100)
            .filter_map(|host| places.take(peer(&format!("192.0.2.{host}"))))
            .collect();
        assert_eq!(network.len(), 8);
        assert!(places.take(peer("192.0.3.1")).is_some());
    }

    #[test]
    fn strangers_leave_places_for_those_at_home() {
        let places = places();
        let strangers: Vec<_> = (0..100)
            .filter_map(|net| places.take(peer(&format!("10.0.{net}.1"))))
            .collect();
        assert_eq!(strangers.len(), 7);
        let at_home: Vec<_> = (0..100).map_while(|_| places.take_at_home()).collect();
        assert_eq!(at_home.len(), 3);
        drop((strangers, at_home));
        assert_eq!(places.taken(), 0);
        assert!(places.taken.lock().unwrap().by_source.is_empty());
    }

    #[test]
    fn there_may_be_no_place_at_all() {
        let places = Places::new(Limits {
            all: 0,
            strangers: 0,
            address: 0,
        });
        assert!(places.take(peer("192.0.2.1")).is_none());
        assert!(places.take_at_home().is_none());
    }
}
