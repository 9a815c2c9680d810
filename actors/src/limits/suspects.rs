//! Suspects: addresses whose offences are enough for a ban, until the keeper takes them. A bounded list: who does not
//! fit in offends again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use store::record::ban::Network;
use tokio::sync::Notify;

use super::Offence;

/// Suspects that may wait. The keeper takes one in a few milliseconds.
const MAX_WAITING: usize = 1_024;

/// A network whose offences are enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) network: Network,
    /// The last of them.
    pub(super) offence: Offence,
}

/// Those who wait.
#[derive(Default)]
pub(super) struct Suspects {
    waiting: Mutex<Vec<Suspect>>,
    came: Notify,
}

impl Suspects {
    pub(super) fn add(&self, suspect: Suspect) {
        let mut waiting = self.waiting();
        if waiting.len() < MAX_WAITING {
            waiting.push(suspect);
            self.came.notify_one();
        }
    }

    /// All that wait.
    pub(super) fn take(&self) -> Vec<Suspect> {
        std::mem::take(&mut *self.waiting())
    }

    /// Ready when somebody may wait.
    pub(super) async fn came(&self) {
        self.came.notified().await;
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Suspect>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
