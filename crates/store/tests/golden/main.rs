//! Golden stores: a small data directory of each format, kept so that every later version proves that it reads it, and that
//! what it writes is what it wrote.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod everything;
#[path = "../engine/fixture.rs"]
mod fixture;
mod format_2;

use std::{
    fs,
    path::{Path, PathBuf},
};

use message::id::MailboxId;
use store::{
    apply::Outcome,
    key::{Keyspace, mailbox::MailboxKey},
    options::Options,
    read,
    store::Store,
    verify::verify,
};

use fixture::{TENANT, accept, account, id, noise, octets, spooled, wait, write_blob};

/// Octets of the messages, by number. The last has three chunks.
const MESSAGES: [usize; 4] = [1, 2000, 4096, 300_000];
/// The message that does not compress, so that the engine keeps it apart from its key.
const NOISE: u64 = 1;
/// Messages that went into the mailbox; the others wait in the spool.
const APPENDED: [u64; 2] = [1, 3];

fn golden() -> PathBuf {
    of_format(1)
}

/// The golden store of a format.
fn of_format(format: u32) -> PathBuf {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden-store");
    kept.join(format!("format-{format}"))
}

fn options() -> Options {
    Options {
        reserve_octets: 0,
        reserve_file_octets: 0,
        ..Options::default()
    }
}

fn inbox() -> MailboxId {
    MailboxId::new(id(2, 0))
}

/// Written by the last version that had format 1; what it wrote reads as follows.
#[test]
fn this_version_reads_format_1() {
    let dir = tempfile::tempdir().unwrap();
    copy(&golden(), dir.path());
    let (store, report) = Store::open(dir.path(), options()).unwrap();
    assert_eq!(
        (
            report.created,
            report.sequence,
            report.torn_octets,
            report.swept_uploads
        ),
        (false, 9, 0, 0)
    );
    let view = store.snapshot();
    let mut findings = Vec::new();
    let whole = |tenant, blob: &_| {
        store
            .blob_reader(tenant, blob)
            .verify()
            .map_err(|error| error.to_string())
    };
    let summary = verify(&view, whole, |finding| findings.push(finding)).unwrap();
    assert_eq!(findings, []);
    assert!(summary.records > 30);
    for (n, length) in (0..).zip(MESSAGES) {
        assert_eq!(
            spooled(&store, n).is_some(),
            !APPENDED.contains(&n),
            "message {n}"
        );
        assert_eq!(
            wait(store.recall(fixture::accept_command(n))),
            Ok(Some(Outcome::Done))
        );
        if let Some(waiting) = spooled(&store, n) {
            let read = store.blob_reader(TENANT, &waiting.blob).whole(1 << 20).unwrap();
            assert_eq!(read, body(n, length));
        }
    }
    let key = MailboxKey {
        tenant: TENANT,
        account: account(),
        mailbox: inbox(),
    };
    let listed = read::mailbox::messages(&view, key, None, 10).unwrap();
    assert_eq!(listed.rows.len(), APPENDED.len());
    // And it goes on from there.
    let sealed = wait(write_blob(&store, 9, &octets(9, 100)));
    wait(store.propose(accept(9, sealed))).unwrap();
}

/// Part of what the engine keeps is in tables and files of values, and part in a journal, so all are read.
#[test]
fn the_golden_store_has_tables_values_and_a_journal() {
    let engine = golden().join("store");
    assert!(
        fs::read_dir(&engine).unwrap().any(|entry| entry
            .unwrap()
            .path()
            .extension()
            .is_some_and(|e| e == "jnl"))
    );
    let octets: u64 = walk(&golden())
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(octets < 200 << 10, "{octets} octets");
    for folder in ["/tables/", "/blobs/"] {
        let files = walk(&engine.join("keyspaces"));
        assert!(
            files.iter().any(|path| path.to_string_lossy().contains(folder)),
            "{folder}"
        );
    }
}

/// Puts a data directory where golden stores are.
fn keep(data: &Path, golden: &Path) {
    // Opening cuts what the journal has preallocated.
    drop(Store::open(data, options()).unwrap());
    drop(fs::remove_dir_all(golden));
    // It says which process had the store open.
    fs::remove_file(data.join("lock")).unwrap();
    copy(data, golden);
}

fn body(n: u64, length: usize) -> Vec<u8> {
    if n == NOISE {
        noise(n, length)
    } else {
        octets(n, length)
    }
}

/// Writes what is in memory to tables, as the engine does when there is more of it.
fn flush(engine: &Path) {
    let database = fjall::Database::builder(engine).open().unwrap();
    for space in Keyspace::ALL {
        let keyspace = database
            .keyspace(space.name(), fjall::KeyspaceCreateOptions::default)
            .unwrap();
        keyspace.rotate_memtable_and_wait().unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    for path in walk(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    }
}

/// All files of a directory.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}
