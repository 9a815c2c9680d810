//! Room: how many connections may be open over all listeners. It may grow and shrink while they stand.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Room for connections. Copies are the same room.
#[derive(Clone, Debug)]
pub struct Room(Arc<Seats>);

#[derive(Debug)]
struct Seats {
    taken: AtomicUsize,
    most: AtomicUsize,
}

/// Room for one connection, given back when this is dropped.
#[derive(Debug)]
pub struct Place(Arc<Seats>);

impl Room {
    /// Room for so many.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self(Arc::new(Seats {
            taken: AtomicUsize::new(0),
            most: AtomicUsize::new(most),
        }))
    }

    /// Room for one more, if there is any.
    #[must_use]
    pub fn take(&self) -> Option<Place> {
        let most = self.0.most.load(Ordering::Relaxed);
        let more = |taken: usize| (taken < most).then(|| taken.saturating_add(1));
        let taken = self
            .0
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.ok().map(|_| Place(Arc::clone(&self.0)))
    }

    /// Makes it larger or smaller. Who is in stays: there is room again when enough have left.
    pub fn resize(&self, most: usize) {
        self.0.most.store(most, Ordering::Relaxed);
    }

    /// How many may be in.
    #[must_use]
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    /// How many are in.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.0.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shrinks_under_those_who_are_in() {
        let room = Room::of(2);
        let (one, two) = (room.take(), room.take());
        assert!(one.is_some() && two.is_some());
        assert!(room.take().is_none());
        room.resize(1);
        drop(one);
        assert!(room.take().is_none());
        drop(two);
        assert!(room.take().is_some());
        room.resize(3);
        let three: Vec<Option<Place>> = (0..4).map(|_| room.take()).collect();
        assert_eq!(three.iter().flatten().count(), 3);
        drop(three);
        assert_eq!(room.taken(), 0);
    }
}
