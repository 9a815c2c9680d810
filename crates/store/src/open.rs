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
    /// A loss that the operator accepted: the newest command that was promised; [`Self::sequence`] is what is left.
    pub accepted_loss_from: Option<u64>,
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
        "{path} is damaged ({why}): nothing was changed; restore the data directory from a backup, then run `angarium check store`"
    )]
    Damaged {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Commands that were answered are gone.
    #[error(
        "{path} says that command {promised} was durable, but the journal ends at {recovered}: \
         {lost} answered commands are lost; restore the data directory from a backup, \
         or run `angarium check store --accept-truncation` to go on without them",
        lost = promised.saturating_sub(*recovered)
    )]
    Truncated {
        /// The sequence mark.
        path: PathBuf,
        /// The newest command that was answered.
        promised: u64,
        /// The newest command that the journal still has.
        recovered: u64,
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
    let (engine, torn_octets) = open_engine(&layout, options)?;
    let sequence =
        sequence::get(&engine).map_err(|error| OpenError::damaged(&layout.store, error.to_string()))?;
    let (mark, accepted_loss_from) = open_mark(&layout, sequence, options.accept_truncation)?;
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
        torn_octets,
        swept_uploads,
        accepted_loss_from,
    };
    Ok(Opened {
        engine,
        sequence,
        mark,
        gauge,
        lock,
        layout,
        report,
    })
}

fn open_engine(layout: &Layout, options: &Options) -> Result<(FjallEngine, u64), OpenError> {
    let journals = Journals::look(&layout.store).map_err(|error| OpenError::io(&layout.store, error))?;
    let engine = FjallEngine::open(&layout.store, options.cache_octets).map_err(|error| match error {
        fjall::Error::Locked => OpenError::InUse {
            path: layout.store.join("lock"),
            pid: None,
        },
        fjall::Error::Io(source) => OpenError::io(&layout.store, source),
        error => OpenError::damaged(&layout.store, error.to_string()),
    })?;
    match journals
        .cut()
        .map_err(|error| OpenError::io(&layout.store, error))?
    {
        Cut::Tail(octets) => Ok((engine, octets)),
        Cut::Hole(path, _) if options.accept_truncation => {
            tracing::warn!(path = %path.display(), "a journal with a hole is accepted");
            Ok((engine, 0))
        }
        Cut::Hole(path, offset) => Err(OpenError::damaged(
            &path,
            format!("unreadable from octet {offset} on"),
        )),
    }
}

fn open_mark(layout: &Layout, recovered: u64, accept: bool) -> Result<(Mark, Option<u64>), OpenError> {
    let (mut mark, promised) =
        Mark::open(&layout.mark).map_err(|error| OpenError::io(&layout.mark, error))?;
    if recovered >= promised {
        return Ok((mark, None));
    }
    if !accept {
        return Err(OpenError::Truncated {
            path: layout.mark.clone(),
            promised,
            recovered,
        });
    }
    mark.reset(recovered)
        .map_err(|error| OpenError::io(&layout.mark, error))?;
    Ok((mark, Some(promised)))
}
