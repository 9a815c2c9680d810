//! Silence: which sessions of the shell wait for their client, the one that has waited longest first. When there is no room
//! for another, that one gives way: connections that say nothing shut nobody out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The sessions that wait. Copies are the same.
#[derive(Clone, Default)]
pub struct Silence {
    waiting: Arc<Mutex<Waiting>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    /// In the order in which they fell silent.
    sessions: BTreeMap<u64, Arc<Notify>>,
}

/// A session waits for its client as long as this is held.
pub(super) struct Silent {
    of: Silence,
    number: u64,
    told: Arc<Notify>,
}

impl Silence {
    /// A session begins to wait.
    pub(super) fn begin(&self) -> Silent {
        let told = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.sessions.insert(number, Arc::clone(&told));
        Silent {
            of: self.clone(),
            number,
            told,
        }
    }

    /// Has the session end that has waited longest. Tells whether there was one.
    pub(super) fn end_longest(&self) -> bool {
        match self.waiting().sessions.pop_first() {
            Some((_, told)) => {
                told.notify_one();
                true
            }
            None => false,
        }
    }

    /// The turn of who looks for a place.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Silent {
    /// Waits until it has to give way.
    pub(super) async fn gives_way(&self) {
        self.told.notified().await;
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.of.waiting().sessions.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::Silence;

    #[tokio::test]
    async fn the_longest_silence_ends_first_and_who_is_busy_is_spared() {
        let silence = Silence::default();
        let (first, second, third) = (silence.begin(), silence.begin(), silence.begin());
        // The first is asked something, and is silent again afterwards.
        drop(first);
        let first = silence.begin();
        for longest in [second, third, first] {
            assert!(silence.end_longest());
            longest.gives_way().await;
        }
        assert!(!silence.end_longest());
    }
}
