//! Taking a backup.

use std::{ops::Bound, path::Path};

use bytes::Bytes;
use message::time::Timestamp;

use super::{
    BackupError, Flow, Progress,
    manifest::{Manifest, Part, PartKind},
    place::Place,
    segment::{self, MAX_ROWS_OCTETS, Writer, Written},
};
use crate::{
    blob::key::CHUNK_KIND,
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace, PREFIX_OCTETS, upkeep::upkeep},
    sequence,
};

/// What a backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The backup.
    pub manifest: Manifest,
    /// What was done for it.
    pub progress: Progress,
}

/// Keys read at once.
const PAGE: usize = 4096;
/// A segment of rows ends behind one key in so many, on average.
const ROWS_BORDER: u32 = 4096;
/// A segment of chunks ends behind one key in so many, on average.
const CHUNKS_BORDER: u32 = 256;
/// Chunks in one segment, at most: 256 MiB, and mostly far less.
const MAX_CHUNKS: usize = 1024;

/// Takes a backup of what a snapshot shows into a directory: its own, made if there is none. `format` is that of the
/// store. Blocks; `watch` is asked for each segment and each page.
///
/// # Errors
/// [`BackupError`]. What was backed up before is never harmed, and a repeat goes on from where this ended.
pub fn take(
    snapshot: &impl Snapshot,
    format: u32,
    dir: &Path,
    at: Timestamp,
    watch: impl FnMut(&Progress) -> Flow,
) -> Result<Taken, BackupError> {
    take_into(&Place::make(dir)?, snapshot, format, at, watch)
}

pub(super) fn take_into(
    place: &Place,
    snapshot: &impl Snapshot,
    format: u32,
    at: Timestamp,
    watch: impl FnMut(&Progress) -> Flow,
) -> Result<Taken, BackupError> {
    let manifest = Manifest {
        format,
        sequence: sequence::of(snapshot)?,
        at,
        ..Manifest::default()
    };
    let mut taking = Taking {
        place,
        snapshot,
        watch,
        manifest,
        progress: Progress::default(),
        rows: Vec::new(),
        chunks: Vec::new(),
    };
    for space in Keyspace::ALL {
        taking.keyspace(space)?;
    }
    taking.end_rows()?;
    taking.end_chunks()?;
    let Taking {
        mut manifest,
        progress,
        ..
    } = taking;
    manifest.records = progress.records;
    place.need(manifest.parts.len() as u64 * 256)?;
    manifest.write(&place.manifests())?;
    Ok(Taken { manifest, progress })
}

struct Taking<'t, S, W> {
    place: &'t Place,
    snapshot: &'t S,
    watch: W,
    manifest: Manifest,
    progress: Progress,
    /// Records of the segment that is being filled.
    rows: Vec<u8>,
    /// Keys of the chunks of the other.
    chunks: Vec<Key>,
}

impl<S: Snapshot, W: FnMut(&Progress) -> Flow> Taking<'_, S, W> {
    fn keyspace(&mut self, space: Keyspace) -> Result<(), BackupError> {
        let mut from = Bound::Unbounded;
        loop {
            // Keys first: a chunk that the backup has need not be read.
            let keys = self.snapshot.keys(space, slice(&from), Bound::Unbounded, PAGE)?;
            let count = keys.len();
            from = keys
                .last()
                .map_or(Bound::Unbounded, |key| Bound::Excluded(key.clone()));
            for bytes in keys {
                self.record(Key { space, bytes })?;
            }
            self.ask()?;
            if count < PAGE {
                return Ok(());
            }
        }
    }

    fn record(&mut self, key: Key) -> Result<(), BackupError> {
        // The work that takes this backup: a store that is restored must not go on with it.
        if key == upkeep() {
            return Ok(());
        }
        self.progress.records += 1;
        let hash = crc32fast::hash(&key.bytes);
        if key.space == Keyspace::Blob && key.bytes.get(PREFIX_OCTETS - 1) == Some(&CHUNK_KIND) {
            self.chunks.push(key);
            if hash.is_multiple_of(CHUNKS_BORDER) || self.chunks.len() == MAX_CHUNKS {
                return self.end_chunks();
            }
            return Ok(());
        }
        let value = self.read(&key)?;
        segment::push(&mut self.rows, &key, &value);
        if hash.is_multiple_of(ROWS_BORDER) || self.rows.len() >= MAX_ROWS_OCTETS {
            return self.end_rows();
        }
        Ok(())
    }

    fn end_rows(&mut self) -> Result<(), BackupError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let name = named(b"rows", |hasher| {
            hasher.update(&rows);
        });
        let path = self.place.segment(&name);
        let written = match segment::known(&path)? {
            Some(known) => self.is_known(known),
            None => {
                self.place.need(rows.len() as u64)?;
                let written = segment::write_rows(&path, &rows)?;
                self.is_new(written)
            }
        };
        self.list(PartKind::Rows, name, &written)
    }

    fn end_chunks(&mut self) -> Result<(), BackupError> {
        let chunks = std::mem::take(&mut self.chunks);
        if chunks.is_empty() {
            return Ok(());
        }
        let name = named(b"chunks", |hasher| {
            for key in &chunks {
                hasher
                    .update(&(key.bytes.len() as u64).to_be_bytes())
                    .update(&key.bytes);
            }
        });
        let path = self.place.segment(&name);
        let written = match segment::known(&path)? {
            Some(known) => self.is_known(known),
            None => {
                let written = self.write_chunks(&path, &chunks)?;
                self.is_new(written)
            }
        };
        self.list(PartKind::Chunks, name, &written)
    }

    fn write_chunks(&mut self, path: &Path, chunks: &[Key]) -> Result<Written, BackupError> {
        let mut writer = Writer::create(path, PartKind::Chunks)?;
        let mut record = Vec::new();
        for (count, key) in chunks.iter().enumerate() {
            let value = self.read(key)?;
            record.clear();
            segment::push(&mut record, key, &value);
            if count.is_multiple_of(ASK_CHUNKS) {
                self.place.need((record.len() * ASK_CHUNKS) as u64)?;
                self.ask()?;
            }
            writer.write(&record)?;
        }
        writer.finish()
    }

    /// What stands at a key of which is known that something does: the snapshot is of one moment.
    fn read(&self, key: &Key) -> Result<Bytes, BackupError> {
        match self.snapshot.get(key) {
            Ok(value) => Ok(value.unwrap_or_default()),
            Err(StoreError::Unreadable(why)) => Err(BackupError::Unreadable {
                key: key.clone(),
                why,
            }),
            Err(other) => Err(other.into()),
        }
    }

    fn is_known(&mut self, known: Written) -> Written {
        self.progress.known += 1;
        known
    }

    fn is_new(&mut self, written: Written) -> Written {
        self.progress.segments += 1;
        self.progress.octets += written.octets;
        written
    }

    fn list(&mut self, kind: PartKind, name: String, written: &Written) -> Result<(), BackupError> {
        self.manifest.parts.push(Part {
            kind,
            name,
            checksum: written.checksum,
            octets: written.octets,
        });
        self.ask()
    }

    fn ask(&mut self) -> Result<(), BackupError> {
        match (self.watch)(&self.progress) {
            Flow::Continue(()) => Ok(()),
            Flow::Break(()) => Err(BackupError::Stopped),
        }
    }
}

/// After how many chunks it is looked for space, and asked whether to go on.
const ASK_CHUNKS: usize = 16;

fn named(kind: &[u8], of: impl FnOnce(&mut blake3::Hasher)) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind);
    of(&mut hasher);
    hasher.finalize().to_hex().to_string()
}

fn slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    };

    use super::*;
    use crate::{
        backup::{list, verify_backup},
        batch::Op,
        engine::{Engine as _, memory::MemoryEngine},
    };

    fn on(_: &Progress) -> Flow {
        Flow::Continue(())
    }

    fn chunk(n: u16) -> Op {
        let blob = message::id::BlobId::from_bytes([(n >> 8) as u8; 16]);
        let key = crate::blob::key::chunk_key(message::id::TenantId::new(1), blob, n.into());
        Op::Put(key, vec![n as u8; 3000].into())
    }

    #[test]
    fn the_work_that_takes_a_backup_is_not_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let engine = MemoryEngine::default();
        engine
            .write(vec![Op::Put(upkeep(), "a backup".into()), chunk(1)], false)
            .unwrap();
        let taken = take(&engine.snapshot(), 1, dir.path(), Timestamp::from_secs(1), on).unwrap();
        assert_eq!((taken.manifest.records, taken.manifest.parts.len()), (1, 1));
    }

    #[test]
    fn a_full_disk_is_said_and_harms_no_earlier_backup() {
        let dir = tempfile::tempdir().unwrap();
        let (backup, aside) = (dir.path().join("backup"), dir.path().join("aside"));
        let engine = MemoryEngine::default();
        engine.write((0..900).map(chunk).collect(), false).unwrap();
        take(&engine.snapshot(), 1, &backup, Timestamp::from_secs(1), on).unwrap();
        engine.write((900..2000).map(chunk).collect(), false).unwrap();

        let asked = Arc::new(AtomicU64::new(0));
        let free = {
            let asked = Arc::clone(&asked);
            // There is room at first.
            move |_: &Path| {
                Ok(if asked.fetch_add(1, SeqCst) < 20 {
                    1 << 40
                } else {
                    1 << 20
                })
            }
        };
        let place = Place::make(&backup).unwrap().with_free(free);
        let full = take_into(&place, &engine.snapshot(), 1, Timestamp::from_secs(2), on);
        assert!(matches!(full, Err(BackupError::Full { .. })), "{full:?}");
        assert!(asked.load(SeqCst) > 20);
        drop(place);
        let left = std::fs::read_dir(backup.join("manifests")).unwrap().count();
        let (whole, damaged) = list(&backup).unwrap();
        assert_eq!((whole.len(), damaged.len(), left), (1, 0, 1));
        verify_backup(&backup, None, &aside, on).unwrap();
    }
}
