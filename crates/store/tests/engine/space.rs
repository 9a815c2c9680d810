//! What is deleted leaves the disk when space is given back, and those who write meanwhile need not wait for it.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::{Duration, Instant},
};

use bytes::Bytes;
use message::id::{CommandId, MailboxId};
use store::{
    command::{Append, Command, Expunge, Proposal},
    key::{Keyspace, mailbox::MailboxKey},
    options::Options,
    record::{
        mailbox::{Flags, Parsed, SystemFlags, Uid},
        spool::RecipientNumber,
    },
    store::Store,
    verify::{blobs, verify},
};

use crate::fixture::{
    NOW, TENANT, accept, account, blob, furnish, id, message, noise, small, wait, write_blob,
};

/// Octets of all messages; the full size is 1 GB.
const OCTETS: &str = "ANGARIUM_TEST_SPACE_OCTETS";
const MESSAGE_OCTETS: usize = 100_000;

fn octets() -> u64 {
    std::env::var(OCTETS).map_or(60_000_000, |octets| octets.parse().unwrap())
}

#[test]
fn nine_tenths_of_the_mail_deleted_leave_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        reserve_file_octets: 0,
        ..Options::default()
    };
    let (store, _) = Store::open(dir.path(), options).unwrap();
    furnish(&store);
    let messages = octets() / MESSAGE_OCTETS as u64;
    let numbers: Vec<u64> = (0..messages).collect();
    // Some share a sync: it is not the writing that is measured here.
    for group in numbers.chunks(32) {
        let mut answers = Vec::new();
        for &n in group {
            let sealed = wait(write_blob(&store, n, &noise(n, MESSAGE_OCTETS)));
            answers.push(store.propose(accept(n, sealed)));
            answers.push(store.propose(append(n)));
        }
        for answer in answers {
            wait(answer).unwrap();
        }
    }
    let before = on_disk(dir.path());
    let doomed: Vec<u64> = (0..messages).filter(|n| n % 10 != 0).collect();
    for group in doomed.chunks(200) {
        let expunge = Expunge {
            mailbox: inbox(),
            messages: group.iter().map(|&n| (Uid::new(n as u32 + 1), blob(n))).collect(),
        };
        let proposal = Proposal::new(CommandId::new(id(9, group[0])), NOW, Command::Expunge(expunge));
        wait(store.propose(proposal)).unwrap();
    }
    let idle = latencies(&store, 1 << 40, || {
        std::thread::park_timeout(Duration::from_secs(2))
    });
    let deleted = on_disk(dir.path());
    let began = Instant::now();
    let busy = latencies(&store, 2 << 40, || {
        for _ in 0..2 {
            store.compact(Keyspace::Blob).unwrap();
        }
        store.give_back().unwrap();
    });
    let took = began.elapsed();
    // What was written beside it is small; the last journal is let go with the next.
    let after = on_disk(dir.path());
    println!(
        "disk: {before} octets with all mail, {deleted} after nine tenths were deleted, {after} after {took:?}; \
         a commit takes {idle} before and {busy} meanwhile"
    );
    let allowed = before / 4 + JOURNALS;
    assert!(
        after < allowed,
        "{after} octets of {before}, {:?}",
        store.disk_use()
    );
    // The engine has looked after its tables meanwhile, and says for how long.
    let compactions = store.statistics().compactions;
    assert!(
        compactions.made > 0 && compactions.time > Duration::ZERO,
        "{compactions:?}"
    );
    let space = store
        .disk_use()
        .spaces
        .into_iter()
        .find(|space| space.space == Keyspace::Blob)
        .unwrap();
    assert!(space.octets < before / 5, "{space:?} of {before}");

    let view = store.snapshot();
    let bytes = |tenant, blob: &_| blobs::check(&view, tenant, blob).map_err(|why| why.to_string());
    let mut found = Vec::new();
    verify(&view, bytes, |finding| found.push(finding)).unwrap();
    assert_eq!(found, Vec::new());
}

/// A journal is let go when the next one has begun.
const JOURNALS: u64 = 80 << 20;

/// How long commits take while something else is done, one after the other.
fn latencies(store: &Store, first: u64, work: impl FnOnce()) -> Latencies {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut took = Vec::new();
            let mut n = first;
            while !done.load(SeqCst) {
                let proposal = small(store, n);
                let began = Instant::now();
                wait(store.propose(proposal)).unwrap();
                took.push(began.elapsed());
                n += 1;
            }
            took
        });
        work();
        done.store(true, SeqCst);
        let mut took = writer.join().unwrap();
        took.sort_unstable();
        Latencies(took)
    })
}

struct Latencies(Vec<Duration>);

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |part: usize| {
            self.0
                .get(self.0.len() * part / 1000)
                .copied()
                .unwrap_or_default()
        };
        let most = self.0.last().copied().unwrap_or_default();
        write!(
            f,
            "p50 {:?} p99 {:?} max {most:?} ({} commits)",
            at(500),
            at(990),
            self.0.len()
        )
    }
}

fn inbox() -> MailboxKey {
    MailboxKey {
        tenant: TENANT,
        account: account(),
        mailbox: MailboxId::new(id(2, 0)),
    }
}

fn append(n: u64) -> Proposal {
    let append = Append {
        tenant: TENANT,
        message: message(n),
        recipient: RecipientNumber::new(0),
        blob: blob(n),
        account: account(),
        mailbox: inbox().mailbox,
        prefix: Bytes::new(),
        flags: Flags::new(SystemFlags::default(), []),
        internal_date: NOW,
        parsed: Parsed::Not,
        structure: None,
        actor: "/tenants/default/queues/local".to_owned(),
    };
    Proposal::new(CommandId::new(id(7, n)), NOW, Command::Append(append))
}

/// Octets that the files of a directory take on the disk: journals are preallocated, and holes take nothing.
fn on_disk(dir: &Path) -> u64 {
    let mut octets = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        // A file may go while it is looked at.
        let Ok(known) = entry.metadata() else { continue };
        octets += if known.is_dir() {
            on_disk(&entry.path())
        } else {
            known.blocks() * 512
        };
    }
    octets
}
