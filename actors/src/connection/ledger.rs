//! Ledger: what must outlive a session actor for the length of its connection.
//!
//! The session settles each turn in it, whole; the I/O task takes from it what to do, and a session that is started
//! again begins from it. So a turn has either happened for both of them or for neither, wherever the session dies.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use message::time::Tick;
use tokio::sync::Notify;

use super::{Checkpoint, Handshake, Next, Turn, dialogue::Expects};

/// The checkpoint of a connection's session, and whether a turn was begun after it.
pub struct Ledger<C> {
    peer: SocketAddr,
    entry: Mutex<Entry<C>>,
    /// Set by the session when it begins a turn, cleared with the turn's checkpoint: still set when a session
    /// starts, it says that the one before it died on the command at the head of the unread input.
    begun: AtomicBool,
    draining: AtomicBool,
    drained: Notify,
}

struct Entry<C> {
    checkpoint: Option<C>,
    /// What the last turn asks of the I/O task, until it takes it.
    unmet: Option<Demand>,
    tls: Option<Arc<Handshake>>,
}

/// What a turn asks of the I/O task; as in [`Turn`].
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) consumed: usize,
    pub(super) output: Vec<Bytes>,
    pub(super) next: Next,
    pub(super) deadline: Tick,
}

impl<C: Checkpoint> Ledger<C> {
    /// The ledger of a connection with this peer that has just been taken.
    #[must_use]
    pub fn new(peer: SocketAddr) -> Self {
        Self {
            peer,
            entry: Mutex::new(Entry {
                checkpoint: None,
                unmet: None,
                tls: None,
            }),
            begun: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            drained: Notify::new(),
        }
    }

    /// The other side of the connection.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The session as it stood after its last turn; `None` before the first.
    #[must_use]
    pub fn checkpoint(&self) -> Option<C> {
        self.entry().checkpoint.clone()
    }

    /// What TLS the connection has.
    #[must_use]
    pub fn tls(&self) -> Option<Arc<Handshake>> {
        self.entry().tls.clone()
    }

    /// The session takes up a turn. False when the I/O task does not know of the one before yet, which then answers
    /// for this one too: its input may have been consumed already.
    pub fn begin(&self) -> bool {
        let is_free = self.entry().unmet.is_none();
        if is_free {
            self.begun.store(true, Ordering::Release);
        }
        is_free
    }

    /// The session is done with a turn: from here on it stands at the turn's checkpoint, whoever dies.
    pub fn settle(&self, turn: Turn<C>) {
        let mut entry = self.entry();
        entry.checkpoint = Some(turn.checkpoint);
        entry.unmet = Some(Demand {
            consumed: turn.consumed,
            output: turn.output,
            next: turn.next,
            deadline: turn.deadline,
        });
        self.begun.store(false, Ordering::Release);
    }

    /// Whether a turn was begun and never settled.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    /// Asks the I/O task to bring the session to an end at the next command boundary.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.drained.notify_one();
    }

    /// Whether the connection has been asked to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    pub(super) async fn draining(&self) {
        self.drained.notified().await;
    }

    /// What the last turn asks for, once.
    pub(super) fn take(&self) -> Option<Demand> {
        self.entry().unmet.take()
    }

    pub(super) fn secured(&self, tls: Arc<Handshake>) {
        self.entry().tls = Some(tls);
    }

    pub(super) fn is_ready(&self, input: &[u8]) -> bool {
        !input.is_empty()
            && self
                .entry()
                .checkpoint
                .as_ref()
                .is_some_and(|session| session.is_ready(input))
    }

    pub(super) fn is_between_commands(&self) -> bool {
        self.entry()
            .checkpoint
            .as_ref()
            .is_none_or(Checkpoint::is_between_commands)
    }

    pub(super) fn expects(&self) -> Expects {
        self.entry()
            .checkpoint
            .as_ref()
            .map_or(Expects::Command, Checkpoint::expects)
    }

    fn entry(&self) -> MutexGuard<'_, Entry<C>> {
        // Nothing panics while the entry is held; were it so, the entry would still be whole.
        self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Lines(usize);

    impl Checkpoint for Lines {
        fn is_ready(&self, input: &[u8]) -> bool {
            input.contains(&b'\n')
        }

        fn is_between_commands(&self) -> bool {
            true
        }

        fn expects(&self) -> Expects {
            Expects::Command
        }
    }

    fn turn(lines: usize) -> Turn<Lines> {
        Turn {
            consumed: lines,
            output: Vec::new(),
            next: Next::Read,
            deadline: Tick::MAX,
            checkpoint: Lines(lines),
        }
    }

    fn stand(ledger: &Ledger<Lines>) -> (Option<usize>, bool) {
        (ledger.checkpoint().map(|lines| lines.0), ledger.is_interrupted())
    }

    #[test]
    fn a_turn_has_happened_for_both_or_for_neither() {
        let ledger = Ledger::new(SocketAddr::from(([127, 0, 0, 1], 1)));
        assert!(ledger.begin());
        ledger.settle(turn(1));
        assert!(ledger.take().is_some());
        // It dies in the middle of a turn: the I/O task has nothing, and the next session knows.
        assert!(ledger.begin());
        assert_eq!(stand(&ledger), (Some(1), true));
        assert!(ledger.take().is_none());
        // It dies behind a turn, before anybody heard of it: the next session stands behind it, and so does the task.
        assert!(ledger.begin());
        ledger.settle(turn(2));
        assert_eq!(stand(&ledger), (Some(2), false));
        assert!(!ledger.begin(), "the input of this turn is consumed");
        assert_eq!(ledger.take().map(|demand| demand.consumed), Some(2));
        assert!(ledger.take().is_none());
        assert!(ledger.begin());
    }
}
