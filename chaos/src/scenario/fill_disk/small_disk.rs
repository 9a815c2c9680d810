//! SmallDisk: a file system in memory, small enough to be filled. Only who may mount has one.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

use super::free;

/// Its size.
const SIZE: &str = "size=64m";

/// Somebody else's file, which takes the space.
const FILLER: &str = "somebody-elses-file";

/// What is written at once.
const BLOCK: [u8; 4096] = [0x55; 4096];

/// A small file system. Its content goes with it.
pub(super) struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// Mounts one at a path; `None` when that is not allowed here.
    pub(super) fn mount(path: &Path) -> anyhow::Result<Option<Self>> {
        fs::create_dir_all(path)?;
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        Ok(mount.is_ok_and(|status| status.success()).then(|| Self {
            path: path.to_owned(),
        }))
    }

    /// Takes space until only this much is left.
    pub(super) fn leave(&self, octets: u64) -> anyhow::Result<()> {
        let mut filler = File::options()
            .create(true)
            .append(true)
            .open(self.path.join(FILLER))?;
        while free(&self.path)? > octets {
            match filler.write(&BLOCK) {
                Ok(_) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(why) => return Err(why.into()),
            }
        }
        Ok(())
    }

    /// Gives the space back.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        fs::remove_file(self.path.join(FILLER)).context("the space cannot be given back")
    }

    /// Copies everything beside it, for whoever wants to know what went wrong.
    pub(super) fn save(&self) -> anyhow::Result<()> {
        let copy = self.path.with_extension("saved");
        let saved = Command::new("cp").arg("-a").args([&self.path, &copy]).status()?;
        ensure!(saved.success(), "the data cannot be copied to {}", copy.display());
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A child may hold a file for a moment longer: it goes when the last one is closed.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}
