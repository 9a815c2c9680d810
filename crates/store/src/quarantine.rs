//! Records of ours that cannot be understood: set aside and reported, never a reason to stop.

use std::{
    fs,
    path::PathBuf,
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

    pub(crate) fn list(&self) -> Quarantine {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn copy(dir: &PathBuf, name: &str, record: &BadRecord) -> std::io::Result<()> {
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
