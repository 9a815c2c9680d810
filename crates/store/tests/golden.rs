//! The golden store: a small data directory of format 1, kept so that every later version proves that it reads it.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[path = "engine/fixture.rs"]
#[expect(dead_code, reason = "this test needs a part of what others need")]
mod fixture;

use std::{
    fs,
    path::{Path, PathBuf},
};

use message::id::{CommandId, MailboxId};
use store::{
    apply::Outcome,
    command::{Append, Command, Proposal},
    key::{Keyspace, mailbox::MailboxKey},
    options::Options,
    read,
    record::{
        mailbox::{Flags, Parsed, SystemFlags},
        spool::RecipientNumber,
    },
    store::Store,
    verify::verify,
};

use fixture::{
    NOW, TENANT, accept, account, blob, furnish, id, message, noise, octets, spooled, wait, write_blob,
};

/// Octets of the messages, by number. The last has three chunks.
const MESSAGES: [usize; 4] = [1, 2000, 4096, 300_000];
/// The message that does not compress, so that the engine keeps it apart from its key.
const NOISE: u64 = 1;
/// Messages that went into the mailbox; the others wait in the spool.
const APPENDED: [u64; 2] = [1, 3];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden-store/format-1")
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

#[test]
#[ignore = "writes tests/golden-store/format-1; only a new format needs a new golden store, beside the old one"]
fn write_the_golden_store() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (store, _) = Store::open(dir.path(), options()).unwrap();
        furnish(&store);
        for (n, length) in (0..).zip(MESSAGES).take(2) {
            let sealed = wait(write_blob(&store, n, &body(n, length)));
            wait(store.propose(accept(n, sealed))).unwrap();
        }
        wait(store.propose(append(1))).unwrap();
    }
    flush(&dir.path().join("store"));
    {
        let (store, _) = Store::open(dir.path(), options()).unwrap();
        for (n, length) in (0..).zip(MESSAGES).skip(2) {
            let sealed = wait(write_blob(&store, n, &body(n, length)));
            wait(store.propose(accept(n, sealed))).unwrap();
        }
        wait(store.propose(append(3))).unwrap();
    }
    // Opening cuts what the journal has preallocated.
    drop(Store::open(dir.path(), options()).unwrap());
    drop(fs::remove_dir_all(golden()));
    // It says which process had the store open.
    fs::remove_file(dir.path().join("lock")).unwrap();
    copy(dir.path(), &golden());
}

fn body(n: u64, length: usize) -> Vec<u8> {
    if n == NOISE {
        noise(n, length)
    } else {
        octets(n, length)
    }
}

fn append(n: u64) -> Proposal {
    let append = Append {
        tenant: TENANT,
        message: message(n),
        recipient: RecipientNumber::new(0),
        blob: blob(n),
        account: account(),
        mailbox: inbox(),
        prefix: bytes::Bytes::from_static(b"Delivered-To: anna@example.org\r\n"),
        flags: Flags::new(SystemFlags::default(), []),
        internal_date: NOW,
        parsed: Parsed::Not,
        structure: None,
        actor: "/tenants/default/queues/local".to_owned(),
    };
    Proposal::new(CommandId::new(id(7, n)), NOW, Command::Append(append))
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
