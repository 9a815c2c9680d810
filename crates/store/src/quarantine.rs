//! Records of ours that cannot be understood: set aside and reported, never a reason to stop.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

use crate::key::Key;

/// A record that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Where it stands. It stays there: only an operator removes it.
    pub key: Key,
    /// What stands there.
    pub value: Bytes,
    /// What is wrong with it.
    pub why: String,
}

/// What was set aside since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantine {
    /// How often a bad record was met, counting the same one each time.
    pub met: u64,
    /// The first [`MAX_LISTED`] different ones.
    pub records: Vec<BadRecord>,
}

/// The most bad records that are listed and copied; more are only counted.
pub const MAX_LISTED: usize = 256;

/// Where bad records are listed, and copied to when the store has files.
#[derive(Debug)]
pub(crate) struct Ward {
    dir: Option<PathBuf>,
    listed: Mutex<Quarantine>,
}

impl Ward {
    pub(crate) fn new(dir: Option<PathBuf>) -> Self {
        Self {
            dir,
            listed: Mutex::default(),
        }
    }

    /// Counts a bad record; lists, reports and copies it when it is met for the first time.
    pub(crate) fn take(&self, record: BadRecord) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.met += 1;
        if listed.records.len() >= MAX_LISTED || listed.records.iter().any(|known| known.key == record.key) {
            return;
        }
        listed.records.push(record.clone());
        drop(listed);
        let name = file_name(&record.key);
        tracing::error!(record = %name, why = %record.why, "a record cannot be understood and is set aside");
        if let Some(Err(error)) = self.dir.as_ref().map(|dir| copy(dir, &name, &record)) {
            tracing::warn!(%error, record = %name, "cannot copy a bad record");
        }
    }

    pub(crate) fn met(&self) -> u64 {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).met
    }

    pub(crate) fn list(&self) -> Quarantine {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn copy(dir: &Path, name: &str, record: &BadRecord) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    fs::write(dir.join(name), &record.value)
}

/// Keyspace and key in hexadecimal; a key that is too long for a file name is shortened to its hash.
fn file_name(key: &Key) -> String {
    const MAX_KEY_IN_NAME: usize = 100;
    let hash = blake3::hash(&key.bytes);
    let bytes = if key.bytes.len() > MAX_KEY_IN_NAME {
        hash.as_bytes().as_slice()
    } else {
        &key.bytes
    };
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}-{hex}", key.space.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Keyspace;

    fn bad(n: u16, octets: usize) -> BadRecord {
        let mut bytes = vec![7; octets];
        bytes.extend_from_slice(&n.to_be_bytes());
        let key = Key {
            space: Keyspace::Spool,
            bytes,
        };
        BadRecord {
            key,
            value: Bytes::from_static(b"not a record"),
            why: "too short".to_owned(),
        }
    }

    #[test]
    fn bad_records_are_counted_listed_and_copied() {
        let dir = tempfile::tempdir().unwrap();
        let ward = Ward::new(Some(dir.path().join("quarantine")));
        ward.take(bad(1, 2));
        ward.take(bad(2, 300));
        ward.take(bad(1, 2));
        let listed = ward.list();
        assert_eq!((listed.met, listed.records), (3, vec![bad(1, 2), bad(2, 300)]));
        let copy = dir.path().join("quarantine").join("spool-07070001");
        assert_eq!(fs::read(copy).unwrap(), b"not a record");
        assert_eq!(fs::read_dir(dir.path().join("quarantine")).unwrap().count(), 2);
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let ward = Ward::new(None);
        (0..1000).for_each(|n| ward.take(bad(n, 4)));
        let listed = ward.list();
        assert_eq!((listed.met, listed.records.len()), (1000, MAX_LISTED));
    }
}
