use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fjall::AbstractTree as _;

use super::*;
use crate::{
    batch::Op,
    engine::{Engine as _, fjall::FjallEngine},
    key::Key,
};

/// How long anything here may take before it is taken for stuck.
const PATIENCE: Duration = Duration::from_secs(60);

fn key(space: Keyspace, n: u64) -> Key {
    Key {
        space,
        bytes: n.to_be_bytes().to_vec(),
    }
}

fn put(space: Keyspace, n: u64, octets: usize) -> Vec<Op> {
    vec![Op::Put(key(space, n), Bytes::from(vec![0x5a; octets]))]
}

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        std::thread::yield_now();
    }
}

/// Octets in all memtables of a keyspace, by the engine's own account of them.
fn held(engine: &FjallEngine, space: Keyspace) -> u64 {
    engine.keyspaces.of(space).tree.version_memtable_size_sum()
}

/// Holds the worker up in a flush, lets a writer run against it, and lets go; says how much was held in memory.
fn held_up_worker(space: Keyspace, octets: usize, batches: u64) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let engine = Arc::new(FjallEngine::open(dir.path(), 1 << 20).unwrap());
    // Whoever has this lock flushes this keyspace: the worker waits for it as it does for a long compaction.
    let directory = engine.keyspaces.of(Keyspace::Directory).clone();
    let lock = directory.tree.get_flush_lock();
    engine.write(put(Keyspace::Directory, 0, 10), false).unwrap();
    assert!(directory.rotate_memtable().unwrap());
    until("the worker takes the flush", || {
        engine.database.outstanding_flushes() == 0
    });

    let (done, over) = mpsc::channel();
    let writer = std::thread::spawn({
        let engine = Arc::clone(&engine);
        move || {
            for n in 0..batches {
                engine.write(put(space, n, octets), false).unwrap();
            }
            done.send(()).unwrap();
        }
    });
    until("the writer waits for the worker", || engine.room.waits());
    let most = held(&engine, space);
    assert!(over.try_recv().is_err(), "nothing held the writer up");
    drop(lock);

    over.recv_timeout(PATIENCE).expect("the writer is stuck");
    writer.join().unwrap();
    until("the worker has read everything", || {
        engine.database.outstanding_flushes() == 0 && engine.keyspaces.sealed(space) == 0
    });
    // It is still there for what comes.
    engine.compact(space).unwrap();
    for n in 0..batches {
        assert_eq!(
            engine.get(&key(space, n)).unwrap().map(|value| value.len()),
            Some(octets)
        );
    }
    most
}

#[test]
fn more_small_batches_than_the_queue_has_places_do_not_stop_a_held_up_worker() {
    // The first fills the memtables of the keyspace, the others ask for a rotation each.
    let most = held_up_worker(Keyspace::Meta, 3_000, 5_000);
    assert!(most > 2 << 20, "{most}: memtables were not sealed in its place");
}

#[test]
fn large_batches_wait_before_the_memory_is_theirs() {
    let most = held_up_worker(Keyspace::Blob, 1 << 20, 70);
    let one = memtable_octets(Keyspace::Blob) * MAX_GROWTH + (2 << 20);
    let bound = one * (MAX_SEALED as u64 + 1);
    assert!(most < bound, "{most} octets, at most {bound}");
}
