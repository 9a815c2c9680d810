//! The files of a repair: one line of JSON for each record, with its old octets, and a file for each message that was
//! exported. They are written and synced before the store is changed.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{Deed, Plan, blob::blob_of};
use crate::{
    blob::{chunk, key::chunk_key},
    engine::{Snapshot, StoreError},
    key::{Key, blob as blobs},
    record::{blob::BlobRow, decode},
};

/// Why the files of a repair cannot be written. The store has not been changed.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The operating system refused.
    #[error("cannot write {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The engine cannot read what is to be set aside.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The name of the file with one line for each record.
pub(super) const REPORT: &str = "report.jsonl";

/// Writes the files of a plan into a new directory.
pub(super) fn write<S: Snapshot>(plan: &Plan<S>, dir: &Path) -> Result<(), ReportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReportError::Io { path, source }
    };
    // There is mail in it.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed(dir))?;
    let path = dir.join(REPORT);
    let file = create(&path).map_err(failed(&path))?;
    let mut out = BufWriter::new(file);
    let mut written = BTreeSet::new();
    for action in &plan.actions {
        let (key, why) = (&action.key, &action.why);
        if let Deed::Exported(tenant, blob) = action.deed {
            let path = dir.join(format!("{blob}.eml"));
            export(plan, key, tenant, &path)?;
        }
        // What the store holds now, once for each record, whatever is done with it in several steps.
        let before = if written.insert(key) {
            plan.overlay.base.get(key)
        } else {
            Ok(None)
        };
        let (value, unread) = match before {
            Ok(Some(octets)) => (format!("\"{}\"", hexadecimal(&octets)), String::new()),
            Ok(None) => ("null".to_owned(), String::new()),
            // What a disk has lost is not kept by leaving everything as it is.
            Err(StoreError::Unreadable(lost)) => {
                let unread = format!(r#","unread":"{}""#, escaped(&lost));
                ("null".to_owned(), unread)
            }
            Err(other) => return Err(other.into()),
        };
        let deed = action.deed.word();
        writeln!(
            out,
            r#"{{"record":"{key}","done":"{deed}","why":"{}","value":{value}{unread}}}"#,
            escaped(why)
        )
        .map_err(failed(&path))?;
    }
    out.flush()
        .and_then(|()| out.get_ref().sync_all())
        .map_err(failed(&path))?;
    let sync = |dir: &Path| File::open(dir).and_then(|dir| dir.sync_all());
    sync(dir).map_err(failed(dir))?;
    match dir.parent() {
        Some(parent) => sync(parent).map_err(failed(parent)),
        None => Ok(()),
    }
}

/// Writes a whole message as it was accepted.
fn export<S: Snapshot>(
    plan: &Plan<S>,
    key: &Key,
    tenant: message::id::TenantId,
    path: &Path,
) -> Result<(), ReportError> {
    let failed = |source| ReportError::Io {
        path: path.to_owned(),
        source,
    };
    // The row may have been made by this repair, and the chunks are as they were.
    let value = plan.overlay.base.get(key)?;
    let row = value.and_then(|octets| decode::<BlobRow>(&octets).ok());
    let Some(((_, id), row)) = blobs::parse_blob(&key.bytes).zip(row) else {
        return Ok(());
    };
    let mut file = create(path).map_err(failed)?;
    for number in 0..blob_of(id, &row).chunks {
        let Some(stored) = plan.overlay.base.get(&chunk_key(tenant, id, number))? else {
            continue;
        };
        if let Ok(octets) = chunk::decode(&stored) {
            file.write_all(&octets).map_err(failed)?;
        }
    }
    file.sync_all().map_err(failed)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

pub(super) fn hexadecimal(octets: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(2 * octets.len());
    for octet in octets {
        // Writing into a string cannot fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

/// Text as it stands in a string of JSON. RFC 8259 §7
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '\\' => escaped.extend(['\\', letter]),
            letter if letter.is_control() => escaped.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_octets_are_hexadecimal() {
        assert_eq!(
            escaped("a \"b\" \\ c\n\u{1f}é"),
            "a \\\"b\\\" \\\\ c\\u000a\\u001fé"
        );
        assert_eq!(hexadecimal(&[0, 255, 16]), "00ff10");
    }
}
