//! Opening: what was found, and why a store is refused.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    blob::sweep,
    engine::fjall::FjallEngine,
    format::Layout,
    journal::{Cut, Journals},
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
        "{path} is damaged ({why}): restore the data directory from a backup, \
         and see with `angarium check store` what it holds"
    )]
    Damaged {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Commands that were answered are gone. Said again at every start until the loss is accepted.
    #[error(
        "{path} was cut short: {why}; restore the data directory from a backup, \
         or run `angarium check store --accept-truncation` to go on without what is lost"
    )]
    Truncated {
        /// The journal, or the mark that promised more than the journals hold.
        path: PathBuf,
        /// What was promised and what is left.
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
    pub(crate) lock: File,
    pub(crate) layout: Layout,
    pub(crate) report: OpenReport,
}

/// Opens or creates the store of a data directory: lock, format, space, journals, engine, mark, sweep.
pub(crate) fn open(dir: &Path, options: &Options) -> Result<Opened, OpenError> {
    let start = Instant::now();
    let layout = Layout::of(dir);
    let lock = layout.lock()?;
    let created = layout.found_format()?.is_none();
    let gauge = SpaceGauge::new(dir, options.reserve_octets, options.reserve_file_octets)
        .map_err(|error| OpenError::io(dir, error))?;
    let (mut mark, promised) = Mark::open(&layout.mark).map_err(|error| OpenError::io(&layout.mark, error))?;
    let (engine, cut) = open_engine(&layout, options, promised)?;
    let sequence =
        sequence::get(&engine).map_err(|error| OpenError::damaged(&layout.store, error.to_string()))?;
    let torn_octets = if let Cut::Tail(octets) = cut { octets } else { 0 };
    let accepted_loss = loss(&layout, cut, sequence, promised)?;
    if let Some(loss) = &accepted_loss {
        if !options.accept_truncation {
            layout.write_loss(loss)?;
            return Err(OpenError::Truncated { path: layout.mark, why: loss.clone() });
        }
        mark.reset(sequence).map_err(|error| OpenError::io(&layout.mark, error))?;
        layout.forget_loss()?;
    }
    if created {
        layout.write_format()?;
    }
    let swept_uploads =
        sweep::uploads(&engine).map_err(|error| OpenError::damaged(&layout.store, error.to_string()))?;
    let took = start.elapsed();
    let report = OpenReport { created, sequence, took, torn_octets, swept_uploads, accepted_loss };
    Ok(Opened { engine, sequence, mark, gauge, lock, layout, report })
}

/// What is missing of what was promised, now or at an earlier start that was refused.
///
/// Opening cuts the damaged journal, so a second start would find nothing wrong: the finding is kept in a file.
fn loss(layout: &Layout, cut: Cut, sequence: u64, promised: u64) -> Result<Option<String>, OpenError> {
    if let Some(loss) = layout.read_loss()? {
        return Ok(Some(loss));
    }
    let kept = match cut {
        Cut::Tail(_) => sequence,
        Cut::Promised(kept) => kept.min(sequence),
        Cut::Hole(path, offset) => {
            return Ok(Some(format!("{} is unreadable from octet {offset} on", path.display())));
        }
    };
    let lost = promised.saturating_sub(kept);
    Ok((lost > 0).then(|| {
        format!("command {promised} was answered as durable, the journal ends with {kept}: {lost} are lost")
    }))
}

fn open_engine(layout: &Layout, options: &Options, promised: u64) -> Result<(FjallEngine, Cut), OpenError> {
    let journals =
        Journals::look(&layout.store, promised).map_err(|error| OpenError::io(&layout.store, error))?;
    let engine = FjallEngine::open(&layout.store, options.cache_octets).map_err(|error| match error {
        fjall::Error::Locked => OpenError::InUse { path: layout.store.join("lock"), pid: None },
        fjall::Error::Io(source) => OpenError::io(&layout.store, source),
        error => OpenError::damaged(&layout.store, error.to_string()),
    })?;
    let cut = journals.cut().map_err(|error| OpenError::io(&layout.store, error))?;
    Ok((engine, cut))
}
