//! The data directory: its layout, its lock, and the number of its format.
//!
//! `format` (a line of text), `lock` (who has it open), `mark` (the sequence mark), `reserve` (space to give up),
//! `store/` (the engine's files), `quarantine/` (copies of bad records).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{lock::Lock, open::OpenError};

/// The format that this version writes and the newest that it reads. In a store of format 1 there may be records of
/// older versions; in one of format 2 every record is of the version that its kind had when the format was raised.
pub(crate) const FORMAT: u32 = 2;

const FORMAT_PREFIX: &str = "angarium store format ";

/// The paths of a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) dir: PathBuf,
    pub(crate) format: PathBuf,
    pub(crate) lock: PathBuf,
    pub(crate) mark: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) quarantine: PathBuf,
}

impl Layout {
    pub(crate) fn of(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            format: dir.join("format"),
            lock: dir.join("lock"),
            mark: dir.join("mark"),
            store: dir.join("store"),
            quarantine: dir.join("quarantine"),
        }
    }

    /// Takes the directory for this process until the lock is dropped.
    pub(crate) fn lock(&self) -> Result<Lock, OpenError> {
        fs::create_dir_all(&self.dir).map_err(|error| OpenError::io(&self.dir, error))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options
            .open(&self.lock)
            .map_err(|error| OpenError::io(&self.lock, error))?;
        let mut lock = match Lock::try_take(file) {
            Ok(lock) => lock,
            Err((mut file, TryLockError::WouldBlock)) => {
                let mut pid = String::new();
                drop(file.read_to_string(&mut pid));
                return Err(OpenError::InUse {
                    path: self.lock.clone(),
                    pid: pid.trim().parse().ok(),
                });
            }
            Err((_, TryLockError::Error(error))) => return Err(OpenError::io(&self.lock, error)),
        };
        let file = lock.file();
        // Only for people: a full disk must not keep the store from opening.
        drop(
            file.set_len(0)
                .and_then(|()| writeln!(file, "{}", std::process::id())),
        );
        Ok(lock)
    }

    /// The format of what is there; `None` when nothing is.
    pub(crate) fn found_format(&self) -> Result<Option<u32>, OpenError> {
        let text = match fs::read_to_string(&self.format) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.without_format(),
            Err(error) => return Err(OpenError::io(&self.format, error)),
        };
        let number = text
            .strip_prefix(FORMAT_PREFIX)
            .and_then(|rest| rest.trim_end().parse().ok());
        let Some(found) = number else {
            return Err(OpenError::damaged(
                &self.format,
                format!("expected \"{FORMAT_PREFIX}{FORMAT}\""),
            ));
        };
        if found > FORMAT {
            return Err(OpenError::Newer {
                path: self.format.clone(),
                found,
                known: FORMAT,
            });
        }
        Ok(Some(found))
    }

    /// Writes our format's number, durably; last of all that creates a store.
    pub(crate) fn write_format(&self) -> Result<(), OpenError> {
        self.write_format_number(FORMAT)
    }

    /// Writes the number of a format, durably.
    pub(crate) fn write_format_number(&self, number: u32) -> Result<(), OpenError> {
        let unfinished = self.format.with_extension("new");
        let write = || {
            let mut file = File::create(&unfinished)?;
            writeln!(file, "{FORMAT_PREFIX}{number}")?;
            file.sync_all()?;
            // Whole or not at all: half a format is damage.
            fs::rename(&unfinished, &self.format)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|error| OpenError::io(&self.format, error))
    }

    /// Removes what a crash left of a store that was being created: without its version the engine cannot open it.
    pub(crate) fn clear_unfinished(&self) -> Result<(), OpenError> {
        if !self.store.exists() || self.store.join("version").exists() {
            return Ok(());
        }
        fs::remove_dir_all(&self.store).map_err(|error| OpenError::io(&self.store, error))
    }

    /// Without a format there may be a store whose creation was interrupted, but none that ever had a command.
    fn without_format(&self) -> Result<Option<u32>, OpenError> {
        // The mark is made before the format is written, and says something only once a command was durable.
        let marked = fs::metadata(&self.mark).is_ok_and(|mark| mark.len() > 0);
        if marked {
            return Err(OpenError::damaged(
                &self.format,
                "it is missing beside a store".to_owned(),
            ));
        }
        Ok(None)
    }
}
