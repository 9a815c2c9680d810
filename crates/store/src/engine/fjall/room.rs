//! What keeps writers from running ahead of the engine's worker.
//!
//! A keyspace whose memtable is full asks for its rotation after *every* batch, through a queue of 1,000 places that the
//! worker alone empties. The worker, when it rotates, puts a flush into the same queue, and waits for a place. So when it
//! was held up by a long compaction while 1,000 batches were written, it waits for itself for ever: nothing is flushed any
//! more, memtables and journal grow until the memory is gone (fjall 3.1.13, pull request 323). Here the requests are
//! counted, and a writer waits for the worker long before the queue is full. `docs/decisions/0051-room-in-the-engine.md`.

use std::{
    sync::atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{AcqRel, Acquire, Release},
    },
    time::{Duration, Instant},
};

use fjall::{Database, PersistMode};

use crate::{
    engine::fjall::{Keyspaces, memtable_octets},
    key::Keyspace,
};

/// Requests that may be in the worker's queue. With those of one more batch, and a flush and a compaction of each sealed
/// memtable, they are fewer than its 1,000 places.
const MAX_REQUESTS: usize = 512;
/// From so many on, or when a memtable has grown, the worker is taken for held up: full memtables are sealed in its place.
const HELD_UP: usize = 64;
/// Sealed memtables of a keyspace at which no more are sealed; at four the engine itself makes writers sleep.
const MAX_SEALED: usize = 2;
/// A memtable may grow to this many times its size, and by one batch; then the writer waits. So a keyspace holds at most
/// three times that in memory.
const MAX_GROWTH: u64 = 2;
/// How often a waiting writer looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// A wait that is longer is worth two lines in the log: while it lasts, and when it is over.
const LONG: Duration = Duration::from_secs(1);

/// Counts what writers ask of the worker.
#[derive(Debug, Default)]
pub(super) struct Room {
    requests: AtomicUsize,
    waiting: AtomicBool,
}

impl Room {
    /// Waits until a batch may be written. Blocks for as long as the worker compacts.
    ///
    /// # Errors
    /// [`fjall::Error::Poisoned`] when the worker failed: it will never come back.
    pub(super) fn make(&self, database: &Database, keyspaces: &Keyspaces) -> Result<(), fjall::Error> {
        if self.requests.load(Acquire) < HELD_UP && !keyspaces.any_grown() {
            return Ok(());
        }
        let began = Instant::now();
        let mut is_said = false;
        while !self.enough(database, keyspaces)? {
            self.waiting.store(true, Release);
            // It is the one call that looks whether the engine still works and writes nothing.
            database.persist(PersistMode::Buffer)?;
            if !is_said && began.elapsed() > LONG {
                // While it lasts: afterwards is too late for whoever looks why mail waits.
                tracing::warn!("commits wait for the engine, which compacts");
                is_said = true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        self.waiting.store(false, Release);
        if is_said {
            tracing::warn!(waited = ?began.elapsed(), "commits go on");
        }
        Ok(())
    }

    /// Counts what a batch that was written asked for. A full keyspace that it did not touch counts, too: it costs nothing
    /// but an earlier look.
    pub(super) fn written(&self, keyspaces: &Keyspaces) {
        let full = Keyspace::ALL
            .iter()
            .filter(|&&space| keyspaces.is_full(space))
            .count();
        if full > 0 {
            self.requests.fetch_add(full, AcqRel);
        }
    }

    /// Whether a writer waits just now.
    #[cfg(test)]
    pub(super) fn waits(&self) -> bool {
        self.waiting.load(Acquire)
    }

    fn enough(&self, database: &Database, keyspaces: &Keyspaces) -> Result<bool, fjall::Error> {
        for space in Keyspace::ALL {
            if keyspaces.is_full(space) && keyspaces.sealed(space) < MAX_SEALED {
                keyspaces.of(space).rotate_memtable()?;
            }
        }
        // A flush is put into the queue behind the requests that it answers. When none is left and no memtable is full, the
        // worker has read them all.
        let full = Keyspace::ALL.iter().any(|&space| keyspaces.is_full(space));
        if !full && database.outstanding_flushes() == 0 {
            self.requests.store(0, Release);
            return Ok(true);
        }
        Ok(!keyspaces.any_grown() && self.requests.load(Acquire) < MAX_REQUESTS)
    }
}

impl Keyspaces {
    /// Whether a memtable is larger than a writer may make it.
    fn any_grown(&self) -> bool {
        Keyspace::ALL
            .iter()
            .any(|&space| self.active_octets(space) > MAX_GROWTH * memtable_octets(space))
    }
}

#[cfg(test)]
mod tests;
