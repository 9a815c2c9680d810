//! Opening: what was found, and why a store is refused.

use std::{
    io,
    panic::catch_unwind,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    blob::sweep,
    engine::fjall::FjallEngine,
    format::{FORMAT, Layout},
    journal::{Damage, Journals},
    lock::Lock,
    mark::Mark,
    options::Options,
    sequence,
    space::SpaceGauge,
};

/// What opening found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The data directory was empty and now holds a store.
    pub created: bool,
    /// The number of the newest command.
    pub sequence: u64,
    /// How long it took.
    pub took: Duration,
    /// Octets of an unfinished write at the end of the journal that were dropped: never answered, so never promised.
    pub torn_octets: u64,
    /// Uploads that were never accepted and are removed.
    pub swept_uploads: u64,
    /// A loss that the operator accepted with this start.
    pub accepted_loss: Option<String>,
}

/// Why a store is not opened. The text says which file is concerned and what an operator can do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The operating system refused.
    #[error("cannot open {path}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Written by a newer version.
    #[error(
        "{path}: store format {found} is newer than {known}, the newest this version reads: run the newer version"
    )]
    Newer {
        /// The file that says so.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Another process has it open.
    #[error("{path}: another angarium process{pid} has it open", pid = .pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// The lock file.
        path: PathBuf,
        /// The other process, if it told.
        pid: Option<u32>,
    },
    /// A file of the engine or of ours is damaged.
    #[error(
        "{path} is damaged ({why}): the server cannot start on it; restore a backup into a new data directory"
    )]
    Damaged {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Commands that were answered are gone. Nothing was changed.
    #[error(
        "{path} lost what was promised: {why}; restore the data directory from a backup, \
         or run `angarium check store --accept-truncation` to go on without what is lost"
    )]
    Truncated {
        /// The directory of the engine's files.
        path: PathBuf,
        /// What was promised, what is left, and in which file if that is known.
        why: String,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn damaged(path: &Path, why: String) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why,
        }
    }
}

/// What opening a data directory gives to the store.
pub(crate) struct Opened {
    pub(crate) engine: FjallEngine,
    pub(crate) sequence: u64,
    pub(crate) mark: Mark,
    pub(crate) gauge: SpaceGauge,
    pub(crate) lock: Lock,
    pub(crate) layout: Layout,
    pub(crate) format: u32,
    pub(crate) report: OpenReport,
}

/// Opens or creates the store of a data directory: lock, format, space, journals, engine, mark, sweep.
pub(crate) fn open(dir: &Path, options: &Options) -> Result<Opened, OpenError> {
    let start = Instant::now();
    let layout = Layout::of(dir);
    let lock = layout.lock()?;
    let found = layout.found_format()?;
    let (created, format) = (found.is_none(), found.unwrap_or(FORMAT));
    let gauge = SpaceGauge::new(dir, options.reserve_octets, options.reserve_file_octets)
        .map_err(|error| OpenError::io(dir, error))?;
    let (mut mark, promised) =
        Mark::open(&layout.mark).map_err(|error| OpenError::io(&layout.mark, error))?;
    if created {
        layout.clear_unfinished()?;
    }
    // Before fjall opens the journals: it would cut what it cannot parse.
    let journals = Journals::walk(&layout.store).map_err(|error| OpenError::io(&layout.store, error))?;
    let mut accepted_loss = loss(&journals, promised);
    refuse_loss(&layout, options, accepted_loss.as_deref())?;
    let engine = open_engine(&layout, options)?;
    let sequence =
        sequence::get(&engine).map_err(|error| OpenError::damaged(&layout.store, error.to_string()))?;
    if sequence < promised {
        accepted_loss = Some(lost(promised, sequence));
        refuse_loss(&layout, options, accepted_loss.as_deref())?;
    }
    if accepted_loss.is_some() {
        mark.reset(sequence)
            .map_err(|error| OpenError::io(&layout.mark, error))?;
    }
    if created {
        layout.write_format()?;
    }
    let swept_uploads =
        sweep::uploads(&engine).map_err(|error| OpenError::damaged(&layout.store, error.to_string()))?;
    let took = start.elapsed();
    let report = OpenReport {
        created,
        sequence,
        took,
        torn_octets: journals.torn_octets,
        swept_uploads,
        accepted_loss,
    };
    Ok(Opened {
        engine,
        sequence,
        mark,
        gauge,
        lock,
        layout,
        format,
        report,
    })
}

/// What the journals show to be missing of what was promised.
fn loss(journals: &Journals, promised: u64) -> Option<String> {
    if let Some(Damage { path, why }) = &journals.damage {
        return Some(format!("{}: {why}", path.display()));
    }
    // What is torn was being written, unless the mark says that it was durable already.
    let newest = journals
        .newest
        .filter(|&newest| journals.torn_octets > 0 && newest < promised)?;
    Some(lost(promised, newest))
}

fn lost(promised: u64, left: u64) -> String {
    let lost = promised.saturating_sub(left);
    format!("command {promised} was answered as durable, but the newest one left is {left}: {lost} are lost")
}

fn refuse_loss(layout: &Layout, options: &Options, loss: Option<&str>) -> Result<(), OpenError> {
    match loss {
        Some(why) if !options.accept_truncation => Err(OpenError::Truncated {
            path: layout.store.clone(),
            why: why.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn open_engine(layout: &Layout, options: &Options) -> Result<FjallEngine, OpenError> {
    // fjall asserts what it expects of its files, and a damaged file need not be so: that too is a refusal to start.
    match catch_unwind(|| FjallEngine::open(&layout.store, options.cache_octets)) {
        Ok(Ok(engine)) => Ok(engine),
        Ok(Err(fjall::Error::Locked)) => Err(OpenError::InUse {
            path: layout.store.join("lock"),
            pid: None,
        }),
        Ok(Err(fjall::Error::Io(source))) => Err(OpenError::io(&layout.store, source)),
        Ok(Err(error)) => Err(OpenError::damaged(&layout.store, error.to_string())),
        Err(_) => Err(OpenError::damaged(
            &layout.store,
            "the engine cannot read it".to_owned(),
        )),
    }
}
