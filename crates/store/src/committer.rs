//! The committer: the one serial point, on its own thread.
//!
//! It takes what waits, at most a group, applies each command to what it and the group before it left, writes
//! everything as one batch with one sync, and only then answers. In this order: durable, sequence mark, answers,
//! change feed. It catches no panic: a panic in `apply` is our bug, the store is then poisoned and the process ends.

use std::{sync::Arc, time::Instant};

use message::id::CommandId;
use tokio::sync::oneshot;

use crate::{
    apply::{Applied, Outcome, Rejected, apply},
    batch::{Batch, MAX_BATCH_OCTETS, MAX_OPERATIONS, Op},
    command::{Proposal, footprint},
    engine::{Engine, StoreError},
    feed::{Committed, Feeder},
    health::Health,
    key::{self, Key},
    mark::Mark,
    once,
    overlay::Overlay,
    propose::{Answer, ProposeError},
    queue::{Queue, Work},
    sequence,
    space::SpaceGauge,
    statistics::Meters,
};

/// The state of the committer thread.
pub(crate) struct Committer<E> {
    pub(crate) engine: Arc<E>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) feed: Arc<Feeder>,
    pub(crate) health: Arc<Health>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) gauge: Option<Arc<SpaceGauge>>,
    pub(crate) mark: Option<Mark>,
    pub(crate) sequence: u64,
}

impl<E: Engine> Committer<E> {
    /// Works until the queue is closed and dry, or the store is poisoned.
    pub(crate) fn run(mut self) {
        let sentinel = Sentinel {
            queue: Arc::clone(&self.queue),
            health: Arc::clone(&self.health),
        };
        let mut works = Vec::new();
        let mut group = Group::default();
        loop {
            self.queue.take(&mut works);
            if works.is_empty() {
                break;
            }
            for work in works.drain(..) {
                self.consider(&mut group, work);
            }
            if let Err(why) = self.commit(&mut group) {
                self.health.poison(why.to_string());
                group.refuse();
                self.queue.poison();
                break;
            }
        }
        if let Some(Err(error)) = self.mark.as_mut().map(Mark::sync) {
            tracing::error!(%error, "cannot sync the sequence mark");
        }
        drop(sentinel);
    }

    fn consider(&mut self, group: &mut Group, work: Work) {
        match work {
            Work::Propose { proposal, done } => {
                let answer = self.answer(group, &proposal);
                group.replies.push(Reply::Propose(done, answer));
            }
            Work::Recall { id, done } => {
                let answer = self.outcome(group, id).map_err(|_| ProposeError::Unknown);
                group.replies.push(Reply::Recall(done, answer));
            }
            Work::Chunk { ops, done } => {
                ops.into_iter().for_each(|op| group.overlay.push(op));
                group.replies.push(Reply::Chunk(done));
            }
            Work::Sweep { upload, chunks } => self.sweep(group, upload, chunks),
        }
    }

    /// The answer to a command, should the group become durable.
    fn answer(&mut self, group: &mut Group, proposal: &Proposal) -> Answer {
        if proposal.command.keeps_result() {
            match self.outcome(group, proposal.id) {
                Ok(None) => {}
                Ok(Some(outcome)) => {
                    self.meters.count_repeated();
                    return Ok(outcome);
                }
                Err(error) => return Err(ProposeError::Rejected(unreadable(&error))),
            }
        }
        self.apply(group, proposal).map_err(|rejected| {
            self.meters.count_rejected();
            ProposeError::Rejected(rejected)
        })
    }

    fn apply(&mut self, group: &mut Group, proposal: &Proposal) -> Result<Outcome, Rejected> {
        let keys = footprint(proposal);
        // A block of the disk that cannot be read concerns the command that needs it, not the ones around it.
        let read = group
            .overlay
            .read(&*self.engine, keys)
            .map_err(|error| unreadable(&error))?;
        let Applied {
            mut batch,
            outcome,
            changes,
        } = apply(proposal, &read)?;
        if proposal.command.keeps_result() {
            batch.ops.push(once::put(proposal.id, &outcome)?);
        }
        within_bounds(&batch)?;
        self.sequence += 1;
        group.commands += 1;
        group.overlay.merge(batch);
        if !changes.is_empty() {
            group.changes.push(Committed {
                sequence: self.sequence,
                changes,
            });
        }
        Ok(outcome)
    }

    /// What was committed under an id, in this group or before it.
    fn outcome(&self, group: &Group, id: CommandId) -> Result<Option<Outcome>, StoreError> {
        // Through the overlay: a sweep in this group may have removed what an earlier command of it kept.
        let record = group.overlay.get(&*self.engine, &key::once::result(id))?;
        record.map(|record| once::outcome(id, &record)).transpose()
    }

    fn sweep(&self, group: &mut Group, upload: Key, chunks: Vec<Key>) {
        // Without its mark the blob was accepted, or swept already. An unreadable mark is left to the next start.
        if let Ok(Some(_)) = group.overlay.get(&*self.engine, &upload) {
            group.overlay.push(Op::Delete(upload));
            chunks
                .into_iter()
                .for_each(|chunk| group.overlay.push(Op::Delete(chunk)));
        }
    }

    fn commit(&mut self, group: &mut Group) -> Result<(), StoreError> {
        if !group.overlay.is_empty() {
            self.write(group)?;
        }
        group.replies.drain(..).for_each(Reply::send);
        let changes = std::mem::take(&mut group.changes);
        if !changes.is_empty() {
            self.feed.push(Arc::new(changes));
        }
        Ok(())
    }

    fn write(&mut self, group: &mut Group) -> Result<(), StoreError> {
        let sync = group.commands > 0;
        if sync {
            group.overlay.push(sequence::put(self.sequence));
        }
        let ops = group.overlay.take();
        let octets = ops.iter().map(octets_of).sum::<usize>();
        let start = Instant::now();
        self.engine.write(ops, sync)?;
        self.meters.count_write(
            std::mem::take(&mut group.commands),
            octets,
            start.elapsed(),
            self.sequence,
        );
        if let (true, Some(mark)) = (sync, &mut self.mark) {
            mark.write(self.sequence)
                .map_err(|error| StoreError::Poisoned(format!("sequence mark: {error}")))?;
        }
        if let Some(gauge) = &self.gauge {
            gauge.after_write(octets as u64);
        }
        Ok(())
    }
}

/// What one sync makes durable, and who waits for it.
#[derive(Default)]
struct Group {
    overlay: Overlay,
    replies: Vec<Reply>,
    changes: Vec<Committed>,
    commands: usize,
}

impl Group {
    fn refuse(&mut self) {
        self.replies.drain(..).for_each(Reply::refuse);
    }
}

enum Reply {
    Propose(oneshot::Sender<Answer>, Answer),
    Recall(
        oneshot::Sender<Result<Option<Outcome>, ProposeError>>,
        Result<Option<Outcome>, ProposeError>,
    ),
    Chunk(oneshot::Sender<Result<(), ProposeError>>),
}

impl Reply {
    // A proposer that has gone does not wait for an answer.
    fn send(self) {
        match self {
            Self::Propose(done, answer) => drop(done.send(answer)),
            Self::Recall(done, answer) => drop(done.send(answer)),
            Self::Chunk(done) => drop(done.send(Ok(()))),
        }
    }

    fn refuse(self) {
        match self {
            Self::Propose(done, _) => drop(done.send(Err(ProposeError::Poisoned))),
            Self::Recall(done, _) => drop(done.send(Err(ProposeError::Poisoned))),
            Self::Chunk(done) => drop(done.send(Err(ProposeError::Poisoned))),
        }
    }
}

/// Poisons the store when the committer's thread unwinds.
struct Sentinel {
    queue: Arc<Queue>,
    health: Arc<Health>,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.health.poison("the committer panicked".to_owned());
            self.queue.poison();
        }
    }
}

fn within_bounds(batch: &Batch) -> Result<(), Rejected> {
    let ops = &batch.ops;
    let octets = ops.iter().map(octets_of).sum::<usize>();
    if ops.len() > MAX_OPERATIONS || octets > MAX_BATCH_OCTETS {
        return Err(Rejected::Broken(format!(
            "a batch of {} operations and {octets} octets",
            ops.len()
        )));
    }
    Ok(())
}

fn octets_of(op: &Op) -> usize {
    match op {
        Op::Put(key, value) => key.bytes.len() + value.len(),
        Op::Delete(key) => key.bytes.len(),
    }
}

fn unreadable(error: &StoreError) -> Rejected {
    Rejected::Broken(error.to_string())
}
