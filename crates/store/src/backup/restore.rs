//! Restoring a backup, and finding out whether that would succeed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    BackupError, Findings, Flow, Progress,
    list::find,
    manifest::Manifest,
    place::{self, Place},
    segment::{self, Written},
};
use crate::{
    batch::{MAX_BATCH_OCTETS, Op},
    engine::{Engine as _, fjall::FjallEngine},
    format::{FORMAT, Layout},
    key::Key,
    lock::Lock,
    mark::Mark,
    open::OpenError,
    options::Options,
    sequence,
    store::Store,
    verify::{Summary, blobs, verify},
};

/// A backup that is a store again.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Which it was.
    pub manifest: Manifest,
    /// What was read for it.
    pub progress: Progress,
}

/// A backup that was restored aside and looked at.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Which it was.
    pub manifest: Manifest,
    /// What was gone over: the records of the backup.
    pub summary: Summary,
    /// Uploads that were under way when it was taken: what was never accepted does not outlive a start.
    pub uploads: u64,
    /// What is not as it must be: the first thousand. The store was so when it was backed up.
    pub findings: Findings,
}

/// Findings that are told; more are only counted.
const MAX_FINDINGS: usize = 1000;

/// What says that a directory is the beginning of a restored store.
const MARKER: &str = "restoring";
/// Findings and cache of a store that is only looked at.
const CACHE_OCTETS: u64 = 32 << 20;

/// Makes a data directory of a backup: of the newest, or of the one of this name. The data directory must be new: it
/// gets its name when everything in it is whole and synced. Blocks.
///
/// # Errors
/// [`BackupError`]; there is then no data directory of that name, and a repeat begins anew.
pub fn restore(
    dir: &Path,
    name: Option<&str>,
    data: &Path,
    watch: impl FnMut(&Progress) -> Flow,
) -> Result<Restored, BackupError> {
    let _place = Place::open(dir)?;
    let manifest = find(dir, name)?;
    if manifest.format > FORMAT {
        return Err(BackupError::Open(OpenError::Newer {
            path: dir.to_owned(),
            found: manifest.format,
            known: FORMAT,
        }));
    }
    refuse_occupied(data)?;
    let (aside, lock) = begin(data)?;
    let progress = build(&manifest, dir, &aside, watch)?;
    fs::remove_file(aside.join(MARKER)).map_err(BackupError::io(aside.join(MARKER)))?;
    place::sync_dir(&aside)?;
    drop(lock);
    // Onto nothing, or onto an empty directory.
    fs::rename(&aside, data).map_err(BackupError::io(data))?;
    let parent = parent(data);
    place::sync_dir(&parent)?;
    Ok(Restored { manifest, progress })
}

/// Restores a backup into a directory of its own, goes over every record and every message of it, and removes it again.
/// Blocks.
///
/// # Errors
/// [`BackupError`] when it cannot be restored.
pub fn verify_backup(
    dir: &Path,
    name: Option<&str>,
    aside: &Path,
    watch: impl FnMut(&Progress) -> Flow,
) -> Result<Verified, BackupError> {
    let Restored { manifest, .. } = match restore(dir, name, aside, watch) {
        Ok(restored) => restored,
        Err(why) => {
            // Nobody goes on with it.
            let rest = beside(aside);
            if rest.join(MARKER).is_file() {
                drop(fs::remove_dir_all(rest));
            }
            return Err(why);
        }
    };
    let looked = look(aside, manifest);
    let removed = fs::remove_dir_all(aside).map_err(BackupError::io(aside));
    let verified = looked?;
    removed?;
    Ok(verified)
}

fn look(data: &Path, manifest: Manifest) -> Result<Verified, BackupError> {
    let options = Options {
        cache_octets: CACHE_OCTETS,
        reserve_file_octets: 0,
        ..Options::default()
    };
    let (store, report) = Store::open(data, options)?;
    if report.sequence != manifest.sequence {
        let why = format!(
            "command {} was the newest, not {}",
            manifest.sequence, report.sequence
        );
        return Err(BackupError::damaged(data, why));
    }
    let snapshot = store.snapshot();
    let mut findings = Vec::new();
    let bytes = |tenant, blob: &_| blobs::check(&snapshot, tenant, blob).map_err(|why| why.to_string());
    let summary = verify(&snapshot, bytes, |finding| {
        if findings.len() < MAX_FINDINGS {
            findings.push(finding);
        }
    })?;
    drop(snapshot);
    store.close()?;
    Ok(Verified {
        manifest,
        summary,
        uploads: report.swept_uploads,
        findings,
    })
}

fn refuse_occupied(data: &Path) -> Result<(), BackupError> {
    let is_empty = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        // Something that is no directory is not nothing either.
        Err(_) => false,
    };
    if is_empty {
        return Ok(());
    }
    Err(BackupError::Occupied {
        path: data.to_owned(),
    })
}

fn parent(data: &Path) -> PathBuf {
    match data.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Where a data directory is built.
fn beside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".restoring");
    PathBuf::from(name)
}

/// An empty directory beside the data directory; what an interrupted restoration left there goes.
fn begin(data: &Path) -> Result<(PathBuf, Lock), BackupError> {
    let aside = beside(data);
    let layout = Layout::of(&aside);
    if aside.exists() {
        if !aside.join(MARKER).is_file() {
            refuse_occupied(&aside)?;
        }
        // Whoever is at it still has the lock.
        drop(layout.lock()?);
        fs::remove_dir_all(&aside).map_err(BackupError::io(&aside))?;
    }
    place::make_dir(&aside)?;
    place::write_whole(&aside.join(MARKER), b"")?;
    let lock = layout.lock()?;
    Ok((aside, lock))
}

fn build(
    manifest: &Manifest,
    dir: &Path,
    aside: &Path,
    mut watch: impl FnMut(&Progress) -> Flow,
) -> Result<Progress, BackupError> {
    let layout = Layout::of(aside);
    let engine = FjallEngine::open(&layout.store, CACHE_OCTETS)
        .map_err(|why| BackupError::damaged(&layout.store, why.to_string()))?;
    let mut progress = Progress {
        total: Some(manifest.parts.len() as u64),
        ..Progress::default()
    };
    let mut batch = Batch::default();
    let segments = dir.join("segments");
    for part in &manifest.parts {
        let path = segments.join(part.name.get(..2).unwrap_or("__")).join(&part.name);
        let expected = Written {
            checksum: part.checksum,
            octets: part.octets,
        };
        segment::read(&path, part.kind, &expected, |key, value| {
            progress.records += 1;
            batch.push(&engine, key, value)
        })?;
        progress.segments += 1;
        progress.octets += part.octets;
        if watch(&progress).is_break() {
            return Err(BackupError::Stopped);
        }
    }
    if progress.records != manifest.records {
        let why = format!(
            "{} records were backed up, {} are there",
            manifest.records, progress.records
        );
        return Err(BackupError::damaged(dir, why));
    }
    // One sync for everything: earlier journals were synced when the next began.
    batch.ops.push(sequence::put(manifest.sequence));
    engine.write(batch.ops, true)?;
    drop(engine);
    let (mut mark, _) = Mark::open(&layout.mark).map_err(BackupError::io(&layout.mark))?;
    mark.reset(manifest.sequence)
        .map_err(BackupError::io(&layout.mark))?;
    layout.write_format_number(manifest.format)?;
    Ok(progress)
}

/// Records that are written together.
#[derive(Default)]
struct Batch {
    ops: Vec<Op>,
    octets: usize,
}

impl Batch {
    fn push(&mut self, engine: &FjallEngine, key: Key, value: Bytes) -> Result<(), BackupError> {
        self.octets += key.bytes.len() + value.len();
        self.ops.push(Op::Put(key, value));
        if self.octets >= MAX_BATCH_OCTETS / 2 {
            self.octets = 0;
            engine.write(std::mem::take(&mut self.ops), false)?;
        }
        Ok(())
    }
}
