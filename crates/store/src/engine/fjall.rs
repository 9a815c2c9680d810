//! The engine on disk: one fjall database, one keyspace for each kind of record.
//!
//! fjall fixes the options of a keyspace when it creates it and ignores later ones: changing a constant here changes
//! new stores only. `docs/store.md` lists them with their reasons.

mod room;

use std::{ops::Bound, path::Path};

use bytes::Bytes;
use fjall::{
    AbstractTree as _, Database, KeyspaceCreateOptions, KvSeparationOptions, PersistMode, Readable,
    config::{BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry},
};

use crate::{
    batch::Op,
    engine::{Compactions, DiskUse, Engine, Snapshot, SpaceUse, StoreError, fjall::room::Room},
    key::{Key, Keyspace},
};

/// One, because with more fjall 3.1.13 lets the first, which is to flush and never to compact, put compactions back into
/// the queue as fast as it can for as long as another compacts: it burns a whole core. A flush may wait for a compaction.
const WORKER_THREADS: usize = 1;
/// Beyond this, keyspaces are flushed so that the oldest journal can go: it bounds what is replayed after a crash.
const MAX_JOURNALS_OCTETS: u64 = 128 << 20;
/// Memtable of a keyspace of small rows.
const ROWS_MEMTABLE_OCTETS: u64 = 8 << 20;
/// Memtable of the chunks. A flush of 32 MiB makes the committer wait for the disk for some 50 ms, one of 8 MiB for some 20;
/// the messages a second are the same.
const BLOB_MEMTABLE_OCTETS: u64 = 8 << 20;
/// Values from this size on live apart from their keys, so that compaction of keys does not copy message bytes.
const SEPARATION_OCTETS: u32 = 1024;
/// A file of separated values is rewritten when this part of it is garbage.
const STALENESS: f32 = 0.25;
/// Garbage is looked for in all files of separated values, not in the oldest alone: mail dies young and old.
const AGE_CUTOFF: f32 = 1.0;

/// A fjall database as an engine.
pub struct FjallEngine {
    database: Database,
    keyspaces: Keyspaces,
    room: Room,
}

/// A snapshot of a fjall database.
pub struct FjallSnapshot {
    snapshot: fjall::Snapshot,
    keyspaces: Keyspaces,
}

impl FjallEngine {
    /// Opens or creates a database, replaying its journals.
    ///
    /// # Errors
    /// What fjall says; [`fjall::Error::Locked`] when another process has it.
    pub fn open(dir: &Path, cache_octets: u64) -> Result<Self, fjall::Error> {
        let database = Database::builder(dir)
            .cache_size(cache_octets)
            .worker_threads(WORKER_THREADS)
            .max_journaling_size(MAX_JOURNALS_OCTETS)
            .open()?;
        let keyspaces = Keyspaces::open(&database)?;
        Ok(Self {
            database,
            keyspaces,
            room: Room::default(),
        })
    }
}

impl Engine for FjallEngine {
    type Snapshot = FjallSnapshot;

    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let value = self.keyspaces.of(key.space).get(&key.bytes).map_err(unreadable)?;
        Ok(value.map(Bytes::from))
    }

    fn write(&self, ops: Vec<Op>, sync: bool) -> Result<(), StoreError> {
        // With durability in the batch nothing is visible before it is durable; persist() after commit() would be.
        let mode = if sync {
            PersistMode::SyncData
        } else {
            PersistMode::Buffer
        };
        self.room
            .make(&self.database, &self.keyspaces)
            .map_err(poisoned)?;
        let mut batch =
            fjall::OwnedWriteBatch::with_capacity(self.database.clone(), ops.len()).durability(Some(mode));
        for op in ops {
            match op {
                Op::Put(key, value) => batch.insert(self.keyspaces.of(key.space), key.bytes, value),
                Op::Delete(key) => batch.remove(self.keyspaces.of(key.space), key.bytes),
            }
        }
        batch.commit().map_err(poisoned)?;
        self.room.written(&self.keyspaces);
        Ok(())
    }

    fn snapshot(&self) -> FjallSnapshot {
        FjallSnapshot {
            snapshot: self.database.snapshot(),
            keyspaces: self.keyspaces.clone(),
        }
    }

    fn disk_use(&self) -> DiskUse {
        let space = |space| {
            let keyspace = self.keyspaces.of(space);
            SpaceUse {
                space,
                octets: keyspace.disk_space(),
                garbage: keyspace.fragmented_blob_bytes(),
            }
        };
        DiskUse {
            spaces: Keyspace::ALL.map(space).into(),
            // Its size is not worth a failure.
            journals: self.database.journal_disk_space().unwrap_or_default(),
        }
    }

    fn compactions(&self) -> Compactions {
        Compactions {
            made: self.database.compactions_completed() as u64,
            time: self.database.time_compacting(),
        }
    }

    fn compact(&self, space: Keyspace) -> Result<(), StoreError> {
        let keyspace = self.keyspaces.of(space);
        keyspace.rotate_memtable_and_wait().map_err(uncompacted)?;
        // In the thread of the caller. The engine's own worker waits with compactions of this keyspace meanwhile, and
        // with flushes behind them; `Room` says how far memtables grow then.
        keyspace.major_compact().map_err(uncompacted)
    }

    fn give_back(&self) -> Result<(), StoreError> {
        // A journal is kept for as long as any keyspace has something of it in memory alone.
        for space in Keyspace::ALL {
            self.keyspaces
                .of(space)
                .rotate_memtable_and_wait()
                .map_err(uncompacted)?;
        }
        // The engine unlinks files when a memtable with anything in it is put aside, and not before.
        let nothing = Key {
            space: Keyspace::Meta,
            bytes: NOTHING.to_vec(),
        };
        self.write(vec![Op::Delete(nothing)], false)?;
        self.keyspaces
            .of(Keyspace::Meta)
            .rotate_memtable_and_wait()
            .map_err(uncompacted)
    }
}

/// A key under which there is never anything.
const NOTHING: &[u8] = b"nothing";

impl std::fmt::Debug for FjallEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FjallEngine")
    }
}

impl Snapshot for FjallSnapshot {
    fn get(&self, key: &Key) -> Result<Option<Bytes>, StoreError> {
        let value = self
            .snapshot
            .get(self.keyspaces.of(key.space), &key.bytes)
            .map_err(unreadable)?;
        Ok(value.map(Bytes::from))
    }

    fn has(&self, key: &Key) -> Result<bool, StoreError> {
        self.snapshot
            .contains_key(self.keyspaces.of(key.space), &key.bytes)
            .map_err(unreadable)
    }

    fn keys(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = self
            .snapshot
            .range::<&[u8], _>(self.keyspaces.of(space), (from, to));
        range
            .take(limit)
            .map(|record| record.key().map(|key| key.to_vec()).map_err(unreadable))
            .collect()
    }

    fn scan(
        &self,
        space: Keyspace,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Bytes)>, StoreError> {
        let range = self
            .snapshot
            .range::<&[u8], _>(self.keyspaces.of(space), (from, to));
        range
            .take(limit)
            .map(|record| {
                let (key, value) = record.into_inner().map_err(unreadable)?;
                Ok((key.to_vec(), Bytes::from(value)))
            })
            .collect()
    }
}

/// Handles of all keyspaces.
#[derive(Clone)]
struct Keyspaces {
    meta: fjall::Keyspace,
    directory: fjall::Keyspace,
    spool: fjall::Keyspace,
    mailbox: fjall::Keyspace,
    blob: fjall::Keyspace,
    trail: fjall::Keyspace,
    once: fjall::Keyspace,
}

impl Keyspaces {
    fn open(database: &Database) -> Result<Self, fjall::Error> {
        let open = |space: Keyspace| database.keyspace(space.name(), || options(space));
        Ok(Self {
            meta: open(Keyspace::Meta)?,
            directory: open(Keyspace::Directory)?,
            spool: open(Keyspace::Spool)?,
            mailbox: open(Keyspace::Mailbox)?,
            blob: open(Keyspace::Blob)?,
            trail: open(Keyspace::Trail)?,
            once: open(Keyspace::Once)?,
        })
    }

    const fn of(&self, space: Keyspace) -> &fjall::Keyspace {
        match space {
            Keyspace::Meta => &self.meta,
            Keyspace::Directory => &self.directory,
            Keyspace::Spool => &self.spool,
            Keyspace::Mailbox => &self.mailbox,
            Keyspace::Blob => &self.blob,
            Keyspace::Trail => &self.trail,
            Keyspace::Once => &self.once,
        }
    }

    /// Octets of the memtable that takes what is written.
    fn active_octets(&self, space: Keyspace) -> u64 {
        self.of(space).tree.active_memtable().size()
    }

    /// Whether the engine wants to seal that memtable.
    fn is_full(&self, space: Keyspace) -> bool {
        self.active_octets(space) > memtable_octets(space)
    }

    /// Memtables that wait for a flush.
    fn sealed(&self, space: Keyspace) -> usize {
        self.of(space).tree.sealed_memtable_count()
    }
}

/// Octets at which the memtable of a keyspace is full.
const fn memtable_octets(space: Keyspace) -> u64 {
    match space {
        Keyspace::Meta => 1 << 20,
        Keyspace::Directory => 2 << 20,
        Keyspace::Spool | Keyspace::Mailbox | Keyspace::Trail | Keyspace::Once => ROWS_MEMTABLE_OCTETS,
        Keyspace::Blob => BLOB_MEMTABLE_OCTETS,
    }
}

/// What a keyspace is created with, once and for all.
fn options(space: Keyspace) -> KeyspaceCreateOptions {
    let plain = KeyspaceCreateOptions::default().max_memtable_size(memtable_octets(space));
    match space {
        Keyspace::Directory => plain.expect_point_read_hits(true),
        Keyspace::Meta | Keyspace::Spool | Keyspace::Mailbox | Keyspace::Trail => plain,
        // Nearly every read here is of a command that was never seen: filters at every level answer it.
        Keyspace::Once => plain.filter_policy(FilterPolicy::all(FilterPolicyEntry::Bloom(
            BloomConstructionPolicy::BitsPerKey(10.0),
        ))),
        Keyspace::Blob => plain.with_kv_separation(Some(
            KvSeparationOptions::default()
                .separation_threshold(SEPARATION_OCTETS)
                .staleness_threshold(STALENESS)
                .age_cutoff(AGE_CUTOFF),
        )),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn poisoned(error: fjall::Error) -> StoreError {
    StoreError::Poisoned(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn unreadable(error: fjall::Error) -> StoreError {
    StoreError::Unreadable(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn uncompacted(error: fjall::Error) -> StoreError {
    StoreError::Uncompacted(error.to_string())
}
