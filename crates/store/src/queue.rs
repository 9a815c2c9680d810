//! The queue in front of the committer: bounded in number and octets, never waits for its proposers.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use message::id::CommandId;
use tokio::sync::oneshot;

use crate::{
    apply::Outcome,
    batch::Op,
    command::Proposal,
    key::Key,
    options::Options,
    propose::{Answer, ProposeError},
};

/// What waits for the committer. See the head of this module.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

/// How much may wait, and how much of it shares one sync.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) works: usize,
    pub(crate) octets: usize,
    pub(crate) group: usize,
    pub(crate) group_octets: usize,
}

/// One piece of work, and where its answer goes.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are proposals, and a box would cost each an allocation"
)]
pub(crate) enum Work {
    /// A command.
    Propose {
        proposal: Proposal,
        done: oneshot::Sender<Answer>,
    },
    /// A question for the outcome of an earlier command.
    Recall {
        id: CommandId,
        done: oneshot::Sender<Result<Option<Outcome>, ProposeError>>,
    },
    /// Chunks of a blob that nothing refers to yet: written without a sync of their own.
    Chunk {
        ops: Vec<Op>,
        done: oneshot::Sender<Result<(), ProposeError>>,
    },
    /// Chunks to remove if the mark of their upload still stands.
    Sweep { upload: Key, chunks: Vec<Key> },
}

impl Bounds {
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            works: options.max_queue,
            octets: options.max_queue_octets,
            group: options.max_group.max(1),
            group_octets: options.max_group_octets,
        }
    }
}

impl Work {
    /// Answers without having done anything.
    pub(crate) fn refuse(self, why: ProposeError) {
        // A proposer that has gone does not wait for an answer.
        match self {
            Self::Propose { done, .. } => drop(done.send(Err(why))),
            Self::Recall { done, .. } => drop(done.send(Err(why))),
            Self::Chunk { done, .. } => drop(done.send(Err(why))),
            Self::Sweep { .. } => {}
        }
    }
}

impl Queue {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                bounds,
                works: VecDeque::new(),
                octets: 0,
                closed: false,
                poisoned: false,
                committer_waits: false,
            }),
            filled: Condvar::new(),
        }
    }

    /// Keeps to other bounds from now on. What waits beyond them is done all the same.
    pub(crate) fn limit(&self, bounds: Bounds) {
        self.lock().bounds = bounds;
    }

    /// Puts work at the end, or answers it at once when there is no room.
    pub(crate) fn push(&self, work: Work, octets: usize) {
        let mut waiting = self.lock();
        if let Some(why) = self.refusal(&waiting, octets) {
            drop(waiting);
            work.refuse(why);
            return;
        }
        waiting.octets += octets;
        waiting.works.push_back((work, octets));
        let wake = std::mem::take(&mut waiting.committer_waits);
        drop(waiting);
        // A committer at work looks again by itself: most pushes cost no system call.
        if wake {
            self.filled.notify_one();
        }
    }

    /// Waits for work and moves what may share one sync to `group`; leaves it empty when the queue is closed and dry.
    pub(crate) fn take(&self, group: &mut Vec<Work>) {
        let mut waiting = self.lock();
        while waiting.works.is_empty() && !waiting.closed {
            waiting.committer_waits = true;
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let Bounds {
            group: max_works,
            group_octets: max_octets,
            ..
        } = waiting.bounds;
        let mut taken = 0;
        while let Some(&(_, octets)) = waiting.works.front() {
            if group.len() == max_works || (taken + octets > max_octets && !group.is_empty()) {
                return;
            }
            taken += octets;
            waiting.octets -= octets;
            group.extend(waiting.works.pop_front().map(|(work, _)| work));
        }
    }

    /// Takes nothing more; what waits is still done.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        drop(waiting);
        self.filled.notify_one();
    }

    /// Takes nothing more and answers everything that waits: the store is poisoned.
    pub(crate) fn poison(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.poisoned = true;
        waiting.octets = 0;
        let works = std::mem::take(&mut waiting.works);
        drop(waiting);
        for (work, _) in works {
            work.refuse(ProposeError::Poisoned);
        }
    }

    /// How many works and octets wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.works.len(), waiting.octets)
    }

    fn refusal(&self, waiting: &Waiting, octets: usize) -> Option<ProposeError> {
        if waiting.poisoned {
            return Some(ProposeError::Poisoned);
        }
        if waiting.closed {
            return Some(ProposeError::Unknown);
        }
        let full =
            waiting.works.len() >= waiting.bounds.works || waiting.octets + octets > waiting.bounds.octets;
        full.then_some(ProposeError::Overloaded)
    }

    /// No code that can panic runs under this lock, so what it guards is whole even if a holder's thread died.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Waiting {
    bounds: Bounds,
    works: VecDeque<(Work, usize)>,
    octets: usize,
    closed: bool,
    poisoned: bool,
    committer_waits: bool,
}
