//! Ledger: every letter that was sent, and what the server said of it. The one memory that is not the server's.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::letter::{Letter, LetterId};

/// What is known of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was answered 250: it is the server's, exactly once.
    Accepted,
    /// It was refused, or no answer came: it may be there, but once.
    Open,
    /// It was there, and was deleted with the server's consent.
    Deleted,
    /// It was answered 250 and crashes whoever delivers it: it is the server's, kept for an operator and in no mailbox.
    SetAside,
}

/// One letter of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The number of the account that it was sent to.
    pub(crate) account: usize,
    /// The whole of it.
    pub(crate) octets: Arc<[u8]>,
    /// What is known of it.
    pub(crate) fate: Fate,
}

/// All letters of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    last: AtomicU64,
    entries: Mutex<BTreeMap<LetterId, Entry>>,
}

impl Ledger {
    /// Enters a letter before its first octet is sent.
    pub(crate) fn write(&self, account: usize, compose: impl FnOnce(LetterId) -> Letter) -> Letter {
        let letter = compose(LetterId(self.last.fetch_add(1, Ordering::Relaxed) + 1));
        let entry = Entry {
            account,
            octets: Arc::clone(&letter.octets),
            fate: Fate::Open,
        };
        self.entries().insert(letter.id, entry);
        letter
    }

    /// The server has said of it what decides its fate.
    pub(crate) fn decide(&self, id: LetterId, fate: Fate) {
        if let Some(entry) = self.entries().get_mut(&id) {
            entry.fate = fate;
        }
    }

    /// How many letters were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// How many letters were answered 250.
    pub(crate) fn accepted(&self) -> usize {
        let accepted = |entry: &&Entry| entry.fate == Fate::Accepted;
        self.entries().values().filter(accepted).count()
    }

    /// What is known of one letter.
    pub(crate) fn letter(&self, id: LetterId) -> Option<Entry> {
        self.entries().get(&id).cloned()
    }

    /// The letters to one account.
    pub(crate) fn of(&self, account: usize) -> BTreeMap<LetterId, Entry> {
        self.entries()
            .iter()
            .filter(|(_, entry)| entry.account == account)
            .map(|(id, entry)| (*id, entry.clone()))
            .collect()
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<LetterId, Entry>> {
        // An entry is whole at any time, whoever panicked.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
