//! Silence: the places of the shell, and which of those who have one wait for their client, the one that has waited longest
//! first. When there is no place for another, that one gives way: connections that say nothing shut nobody out.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// How long a session may take to give way.
const GIVE_WAY_LIMIT: Duration = Duration::from_millis(500);

/// The places, and the sessions that wait. Copies are the same.
#[derive(Clone)]
pub struct Silence {
    waiting: Arc<Mutex<Waiting>>,
    /// Told when a session begins to wait.
    fallen: Arc<Notify>,
    places: Arc<Semaphore>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// A place, given back when this is dropped.
pub(super) type Place = OwnedSemaphorePermit;

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
    /// So many places, and nobody has one.
    #[must_use]
    pub fn of(places: usize) -> Self {
        Self {
            waiting: Arc::default(),
            fallen: Arc::default(),
            places: Arc::new(Semaphore::new(places)),
            turn: Arc::default(),
        }
    }

    /// A place; if there is none, that of a session which waits for its client and gives way.
    pub(super) async fn place(&self) -> Option<Place> {
        // One after the other: a place that was made free for one is not taken by the next.
        let _turn = self.turn.lock().await;
        let mut asked = false;
        let mut free = std::pin::pin!(Arc::clone(&self.places).acquire_owned());
        let mut end = std::pin::pin!(sleep_until(Instant::now() + GIVE_WAY_LIMIT));
        let mut is_full = self.places.available_permits() == 0;
        loop {
            // One for each that comes. Who is at work now may be done soon.
            asked = asked || (is_full && self.end_longest());
            tokio::select! {
                biased;
                place = &mut free => return place.ok(),
                () = self.fallen.notified(), if !asked => is_full = true,
                () = &mut end => return None,
            }
        }
    }

    /// A session begins to wait.
    pub(super) fn begin(&self) -> Silent {
        let told = Arc::new(Notify::new());
        let mut waiting = self.waiting();
        let number = waiting.next;
        waiting.next += 1;
        waiting.sessions.insert(number, Arc::clone(&told));
        drop(waiting);
        self.fallen.notify_one();
        Silent {
            of: self.clone(),
            number,
            told,
        }
    }

    /// Has the session end that has waited longest. Tells whether there was one.
    fn end_longest(&self) -> bool {
        match self.waiting().sessions.pop_first() {
            Some((_, told)) => {
                told.notify_one();
                true
            }
            None => false,
        }
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
    use super::{GIVE_WAY_LIMIT, Silence};
    use tokio::time::Instant;

    #[tokio::test]
    async fn the_longest_silence_ends_first_and_who_is_busy_is_spared() {
        let silence = Silence::of(3);
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

    #[tokio::test(start_paused = true)]
    async fn who_comes_has_a_place_as_soon_as_one_is_silent_or_done() {
        let silence = Silence::of(2);
        let first = silence.place().await.unwrap();
        let second = silence.place().await.unwrap();
        let began = Instant::now();
        assert!(silence.place().await.is_none(), "both are at work");
        assert_eq!(began.elapsed(), GIVE_WAY_LIMIT);

        // Nobody is asked who need not be.
        drop(first);
        let silent = silence.begin();
        let first = silence.place().await.unwrap();
        let began = Instant::now();
        let (third, ()) = tokio::join!(silence.place(), async {
            silent.gives_way().await;
            drop(second);
        });
        assert!(third.is_some());

        // One that falls silent while somebody waits is asked, too.
        let (fourth, ()) = tokio::join!(silence.place(), async {
            tokio::task::yield_now().await;
            silence.begin().gives_way().await;
            drop(first);
        });
        assert!(fourth.is_some());
        assert_eq!(began.elapsed(), std::time::Duration::ZERO, "nobody polls");
    }
}
