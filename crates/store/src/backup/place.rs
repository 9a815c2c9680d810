//! A backup directory: `format`, `lock`, `segments/<two digits>/<name>`, `manifests/<name>`.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{BackupError, FORMAT};
use crate::lock::Lock;

const FORMAT_PREFIX: &str = "angarium backup format ";

/// Octets that a backup leaves free on the disk it is on: it may be the disk that mail is on.
const LEAVE_FREE: u64 = 64 << 20;

/// How much is free where a directory is.
type Free = Box<dyn Fn(&Path) -> io::Result<u64> + Send + Sync>;

/// An open backup directory; the lock is held as long as this lives.
pub(super) struct Place {
    pub(super) dir: PathBuf,
    free: Free,
    _lock: Lock,
}

impl Place {
    /// Makes the directory if there is none, and takes it. A directory with anything else in it is refused.
    pub(super) fn make(dir: &Path) -> Result<Self, BackupError> {
        let format = dir.join("format");
        if !format.exists() {
            make_dir(dir)?;
            let mut entries = fs::read_dir(dir).map_err(BackupError::io(dir))?;
            // The lock and the format of a backup that was interrupted before it had begun.
            let is_ours = |name: &std::ffi::OsStr| ["lock", "format.new"].iter().any(|own| name == *own);
            let foreign =
                entries.find_map(|entry| Some(entry.ok()?.file_name()).filter(|name| !is_ours(name)));
            if let Some(name) = foreign {
                return Err(BackupError::Foreign {
                    path: dir.to_owned(),
                    why: format!("this is no backup, there is {}", name.to_string_lossy()),
                });
            }
            let place = Self::lock(dir)?;
            write_whole(&format, format!("{FORMAT_PREFIX}{FORMAT}\n").as_bytes())?;
            return place.furnished();
        }
        Self::open(dir)?.furnished()
    }

    /// Takes a directory that is there.
    pub(super) fn open(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join("format");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BackupError::Missing {
                    path: dir.to_owned(),
                    name: None,
                });
            }
            Err(error) => return Err(BackupError::io(path)(error)),
        };
        let number = text
            .strip_prefix(FORMAT_PREFIX)
            .and_then(|rest| rest.strip_suffix('\n')?.parse::<u32>().ok());
        match number {
            Some(found) if found <= FORMAT => Self::lock(dir),
            Some(found) => Err(BackupError::Foreign {
                path,
                why: format!("backup format {found} is newer than {FORMAT}, the newest this version reads"),
            }),
            None => Err(BackupError::damaged(path, "it is not the format of a backup")),
        }
    }

    fn lock(dir: &Path) -> Result<Self, BackupError> {
        let path = dir.join("lock");
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = options.open(&path).map_err(BackupError::io(&path))?;
        let lock = match Lock::try_take(file) {
            Ok(lock) => lock,
            Err((_, TryLockError::WouldBlock)) => return Err(BackupError::Busy { path }),
            Err((_, TryLockError::Error(error))) => return Err(BackupError::io(path)(error)),
        };
        let free = |dir: &Path| {
            let stat = rustix::fs::statvfs(dir)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        };
        Ok(Self {
            dir: dir.to_owned(),
            free: Box::new(free),
            _lock: lock,
        })
    }

    fn furnished(self) -> Result<Self, BackupError> {
        make_dir(&self.segments())?;
        make_dir(&self.manifests())?;
        sync_dir(&self.dir)?;
        Ok(self)
    }

    /// The same with another idea of what is free.
    #[cfg(test)]
    pub(super) fn with_free(self, free: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static) -> Self {
        Self {
            free: Box::new(free),
            ..self
        }
    }

    pub(super) fn segments(&self) -> PathBuf {
        self.dir.join("segments")
    }

    pub(super) fn manifests(&self) -> PathBuf {
        self.dir.join("manifests")
    }

    /// Where a segment of this name is.
    pub(super) fn segment(&self, name: &str) -> PathBuf {
        self.segments().join(name.get(..2).unwrap_or("__")).join(name)
    }

    /// Refuses what would fill the disk, before it does.
    pub(super) fn need(&self, octets: u64) -> Result<(), BackupError> {
        let free = (self.free)(&self.dir).map_err(BackupError::io(&self.dir))?;
        let needed = octets.saturating_add(LEAVE_FREE);
        if free < needed {
            return Err(BackupError::Full {
                path: self.dir.clone(),
                free,
                needed,
            });
        }
        Ok(())
    }
}

/// Makes a directory that nobody else may read: there is mail in it.
pub(super) fn make_dir(dir: &Path) -> Result<(), BackupError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(BackupError::io(dir))
}

pub(super) fn create(path: &Path) -> Result<File, BackupError> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(BackupError::io(path))
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), BackupError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(BackupError::io(dir))
}

/// Writes a file that is there whole or not at all, durably.
pub(super) fn write_whole(path: &Path, octets: &[u8]) -> Result<(), BackupError> {
    let unfinished = unfinished(path);
    let mut file = create(&unfinished)?;
    let written = file.write_all(octets).and_then(|()| file.sync_all());
    finish(&unfinished, path, written)
}

/// The name of a file that is not whole yet.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Gives a file its name once it is whole and synced; removes what is left of one that could not be.
pub(super) fn finish(unfinished: &Path, path: &Path, written: io::Result<()>) -> Result<(), BackupError> {
    let named = written.and_then(|()| fs::rename(unfinished, path));
    if let Err(error) = named {
        drop(fs::remove_file(unfinished));
        return Err(BackupError::io(path)(error));
    }
    path.parent().map_or(Ok(()), sync_dir)
}
