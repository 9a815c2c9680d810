//! Ledger: what must outlive a session actor for the length of its connection.
//!
//! The I/O task writes it after each turn; a session that is started again begins from it.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use super::{Checkpoint, TlsInfo};

/// The checkpoint of a connection's session, and whether a turn was begun after it.
pub struct Ledger<C> {
    entry: Mutex<Entry<C>>,
    /// Set by the session when it begins a turn, cleared with the turn's checkpoint: still set when a session
    /// starts, it says that the one before it died on the command at the head of the unread input.
    begun: AtomicBool,
    draining: AtomicBool,
    drained: Notify,
}

struct Entry<C> {
    checkpoint: Option<C>,
    tls: Option<TlsInfo>,
}

impl<C: Checkpoint> Ledger<C> {
    /// The ledger of a connection that has just been taken.
    #[must_use]
    pub fn new() -> Self {
        Self {
            entry: Mutex::new(Entry {
                checkpoint: None,
                tls: None,
            }),
            begun: AtomicBool::new(false),
            draining: AtomicBool::new(false),
            drained: Notify::new(),
        }
    }

    /// The session as it stood after its last turn; `None` before the first.
    #[must_use]
    pub fn checkpoint(&self) -> Option<C> {
        self.entry().checkpoint.clone()
    }

    /// What TLS the connection has.
    #[must_use]
    pub fn tls(&self) -> Option<TlsInfo> {
        self.entry().tls.clone()
    }

    /// The session takes up a turn.
    pub fn begin(&self) {
        self.begun.store(true, Ordering::Release);
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

    pub(super) fn settle(&self, checkpoint: C) {
        self.entry().checkpoint = Some(checkpoint);
        self.begun.store(false, Ordering::Release);
    }

    pub(super) fn secured(&self, tls: TlsInfo) {
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

    fn entry(&self) -> MutexGuard<'_, Entry<C>> {
        // Nothing panics while the entry is held; were it so, the entry would still be whole.
        self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Checkpoint> Default for Ledger<C> {
    fn default() -> Self {
        Self::new()
    }
}
