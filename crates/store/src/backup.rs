//! Backup: a consistent copy of a store that goes on working, in files that a repeat need not write again.
//!
//! A backup directory holds *segments*, files of records that never change once they have their name, and for each
//! backup a *manifest*, which lists the segments that are the store at one moment. Records are cut into segments where
//! a hash of their keys says so: a change moves the borders next to it and no others. A segment of records is named
//! after what is in it; one of message bytes after its keys, because the bytes under the key of a chunk never change: so
//! for message bytes that are in the backup already not even the store is read.
//!
//! Segments are written and synced under another name first; the manifest comes last of all. What an interruption
//! leaves is segments without a manifest, which the next backup finds and need not write again.

mod list;
mod manifest;
mod place;
mod restore;
mod segment;
mod take;

use std::{io, ops::ControlFlow, path::PathBuf};

pub use self::{
    list::{list, prune},
    manifest::{Manifest, Part, PartKind},
    restore::{Restored, Verified, restore, verify_backup},
    take::{Taken, take},
};
use crate::{engine::StoreError, key::Key, open::OpenError, verify::Finding};

/// The format of backups that this version writes and the newest that it reads.
const FORMAT: u32 = 1;

/// How far a backup or a restoration is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records gone over.
    pub records: u64,
    /// Octets of segments that are new, or that were read back.
    pub octets: u64,
    /// Segments that were written, or read back.
    pub segments: u64,
    /// Segments that were there already.
    pub known: u64,
    /// Segments that there are to read back; `None` while a backup is taken, which does not know before.
    pub total: Option<u64>,
}

/// Whether to go on: whoever watches a long work is asked again and again, and may make it wait by taking its time.
pub type Flow = ControlFlow<()>;

/// Why there is no backup, or why it is not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too little space is free where the backup goes. What was backed up before is as it was.
    #[error(
        "{path}: the disk is full, {free} octets are free and {needed} are needed; earlier backups are whole"
    )]
    Full {
        /// The directory.
        path: PathBuf,
        /// What is free.
        free: u64,
        /// What is needed, with a reserve.
        needed: u64,
    },
    /// Another backup is being taken, or verified, there.
    #[error("{path}: another process works on this backup")]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// There is something else there.
    #[error("{path}: {why}")]
    Foreign {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file of the backup is not what was written.
    #[error("{path} is damaged: {why}; remove the file and take a backup again, or restore an earlier one")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is no whole backup, or none of that name.
    #[error("{path}: there is no backup{}", .name.as_ref().map(|name| format!(" {name}")).unwrap_or_default())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// Which was asked for.
        name: Option<String>,
    },
    /// The data directory holds something: nothing is ever restored over it.
    #[error("{path} is not empty: a backup is restored into a new directory only")]
    Occupied {
        /// The data directory.
        path: PathBuf,
    },
    /// A record of the store cannot be read. What was backed up before is as it was.
    #[error(
        "{key} cannot be backed up ({why}); earlier backups are whole. `check store` says what is damaged, and \
         with --repair on a stopped server it is set aside"
    )]
    Unreadable {
        /// Which.
        key: Key,
        /// Why.
        why: String,
    },
    /// The store cannot be read, or not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was restored cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Whoever watched said so. A repeat goes on where this ended.
    #[error("it was stopped; a repeat goes on from here")]
    Stopped,
}

impl BackupError {
    fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    fn damaged(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.into(),
            why: why.into(),
        }
    }
}

/// A finding in a restored store, and that nothing was found.
type Findings = Vec<Finding>;
