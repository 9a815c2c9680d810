//! Migration: brings the store of a stopped server to the current format, in steps that a kill cannot harm.
//!
//! A step goes over all records in key order and says of each what is to change. Each page of changes is one durable
//! batch, and the mark of how far it came is in the same batch: a migration that is interrupted goes on behind it. Until
//! the last step is done the store has its old number, and every version that reads the old format reads the store on
//! its way: a step may only write what both understand. The number is written last.

mod records;

use std::{ops::Bound, path::Path};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    backup::Flow,
    batch::Op,
    engine::{Engine, Snapshot, StoreError},
    format::{FORMAT, Layout},
    key::{Key, Keyspace},
    open::{self, OpenError},
    options::Options,
    record::{self, Record, RecordError},
};

/// A step from one format to the next.
pub trait Step {
    /// The format that a store has after it.
    fn to(&self) -> u32;

    /// What it does, in a few words.
    fn what(&self) -> &'static str;

    /// What becomes of one record: nothing, or the operations that change it.
    ///
    /// # Errors
    /// [`RecordError`] when it cannot be understood: it stays as it is, and is counted.
    fn record(&self, key: &Key, octets: &Bytes) -> Result<Vec<Op>, RecordError>;
}

/// The steps that there are, in order.
const STEPS: [&dyn Step; 1] = [&records::CurrentRecords];

/// What a migration did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The format before.
    pub from: u32,
    /// The format after.
    pub to: u32,
    /// What the steps do, in order.
    pub steps: Vec<&'static str>,
    /// Records gone over; in a migration that went on from a mark, those behind it.
    pub records: u64,
    /// Records that changed, or would.
    pub changed: u64,
    /// Records that cannot be understood. They stay as they are: `check store` names them.
    pub damaged: u64,
    /// Whether it went on from where an earlier one was interrupted.
    pub resumed: bool,
}

/// Why a store is not migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no store.
    #[error("{0}: there is no store")]
    Missing(std::path::PathBuf),
    /// Whoever watched said so. A repeat goes on where this ended.
    #[error("it was stopped; a repeat goes on from here")]
    Stopped,
}

/// Migrates the store of a data directory that no server has open to the current format, or only says what that would
/// change. Blocks; `watch` is asked after each page.
///
/// # Errors
/// [`MigrateError`]; a repeat goes on where this ended.
pub fn migrate(
    dir: &Path,
    options: &Options,
    apply: bool,
    watch: impl FnMut(&Migrated) -> Flow,
) -> Result<Migrated, MigrateError> {
    if !dir.join("format").exists() {
        return Err(MigrateError::Missing(dir.to_owned()));
    }
    let opened = open::open(dir, options)?;
    let migrated = run(&opened.engine, opened.format, &STEPS, apply, watch)?;
    if apply && migrated.to > migrated.from {
        opened.layout.write_format_number(migrated.to)?;
        forget(&opened.engine)?;
    }
    Ok(migrated)
}

/// The format of the store of a data directory; `None` when there is none.
///
/// # Errors
/// [`OpenError`] when that cannot be read, or is newer than the newest that is known.
pub fn format_of(dir: &Path) -> Result<Option<u32>, OpenError> {
    Layout::of(dir).found_format()
}

/// The newest format: that of new stores.
#[must_use]
pub const fn newest() -> u32 {
    FORMAT
}

/// Runs the steps that a store of this format needs, over any engine. Whoever calls it writes the number afterwards, and
/// only then [forgets](forget) the mark.
///
/// # Errors
/// [`MigrateError`]; a repeat goes on where this ended.
pub fn run(
    engine: &impl Engine,
    from: u32,
    steps: &[&dyn Step],
    apply: bool,
    mut watch: impl FnMut(&Migrated) -> Flow,
) -> Result<Migrated, MigrateError> {
    let mut migrated = Migrated {
        from,
        to: from,
        ..Migrated::default()
    };
    let mark = mark(engine)?;
    for step in steps.iter().filter(|step| step.to() > from) {
        migrated.steps.push(step.what());
        migrated.to = step.to();
        match &mark {
            // An earlier run has done this step and was interrupted in a later one.
            Some(mark) if mark.to > step.to() => continue,
            Some(mark) if mark.to == step.to() && apply => {
                migrated.resumed = true;
                one(engine, *step, Some(mark), apply, &mut migrated, &mut watch)?;
            }
            _ => one(engine, *step, None, apply, &mut migrated, &mut watch)?,
        }
    }
    Ok(migrated)
}

/// Removes the mark of a migration that is done.
///
/// # Errors
/// [`StoreError`] when it cannot be written.
pub fn forget(engine: &impl Engine) -> Result<(), StoreError> {
    engine.write(vec![Op::Delete(mark_key())], true)
}

/// Records in one durable batch.
const PAGE: usize = 512;

fn one(
    engine: &impl Engine,
    step: &dyn Step,
    mark: Option<&Mark>,
    apply: bool,
    migrated: &mut Migrated,
    watch: &mut impl FnMut(&Migrated) -> Flow,
) -> Result<(), MigrateError> {
    let (first, mut after) = mark.map_or((0, None), |mark| (usize::from(mark.space), mark.after.clone()));
    for (number, space) in Keyspace::ALL.into_iter().enumerate().skip(first) {
        // What the store knows of itself is not a record of a format.
        if space == Keyspace::Meta {
            continue;
        }
        loop {
            let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let rows = engine.snapshot().scan(space, from, Bound::Unbounded, PAGE)?;
            let is_last = rows.len() < PAGE;
            after = rows.last().map(|(key, _)| key.clone()).or(after);
            let mut ops = Vec::new();
            for (bytes, octets) in rows {
                migrated.records += 1;
                match step.record(&Key { space, bytes }, &octets) {
                    Ok(changes) => {
                        migrated.changed += u64::from(!changes.is_empty());
                        ops.extend(changes);
                    }
                    Err(_) => migrated.damaged += 1,
                }
            }
            if apply {
                let mark = Mark {
                    to: step.to(),
                    space: number as u8,
                    after: after.clone(),
                };
                let octets = record::encode(&mark).map_err(|why| StoreError::Unreadable(why.to_string()))?;
                ops.push(Op::Put(mark_key(), octets));
                engine.write(ops, true)?;
            }
            if watch(migrated).is_break() {
                return Err(MigrateError::Stopped);
            }
            if is_last {
                break;
            }
        }
        after = None;
    }
    Ok(())
}

/// How far a migration came: durable with the changes that it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    to: u32,
    space: u8,
    after: Option<Vec<u8>>,
}

impl Record for Mark {
    const NAME: &'static str = "mark of a migration";
    const VERSION: u8 = 1;
}

fn mark_key() -> Key {
    Key {
        space: Keyspace::Meta,
        bytes: b"migration".to_vec(),
    }
}

fn mark(engine: &impl Engine) -> Result<Option<Mark>, StoreError> {
    let Some(octets) = engine.get(&mark_key())? else {
        return Ok(None);
    };
    record::decode(&octets)
        .map(Some)
        .map_err(|why| StoreError::Unreadable(why.to_string()))
}
