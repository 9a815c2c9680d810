//! A lock on a file (flock(2)) that ends when it is dropped, whoever else has the file open: a process that this one is just
//! about to start has, until its own program begins.

use std::fs::{File, TryLockError};

/// A file that is locked for this process.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Locks the file, or says who is in the way: gives it back when another has it.
    pub(crate) fn try_take(file: File) -> Result<Self, (File, TryLockError)> {
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(why) => Err((file, why)),
        }
    }

    /// The file.
    pub(crate) const fn file(&mut self) -> &mut File {
        &mut self.0
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing it would not do: a lock is gone only when the last copy of the descriptor is.
        drop(self.0.unlock());
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn it_ends_though_the_descriptor_has_a_copy() {
        let dir = tempfile::tempdir().unwrap();
        let open = || std::fs::File::create(dir.path().join("lock")).unwrap();
        let mut lock = Lock::try_take(open()).unwrap();
        let copy = lock.file().try_clone().unwrap();
        assert!(Lock::try_take(open()).is_err());
        drop(lock);
        assert!(Lock::try_take(open()).is_ok());
        drop(copy);
    }
}
