//! Verify: goes over every record of a snapshot and says what is not as it must be. It changes nothing.
//!
//! Each row is decoded and compared with the rows that it refers to; counts are compared with what is counted. Rows are
//! read in pages. What is held in memory is a count for each account, domain and tenant, and for a bounded number of
//! blobs: a store with more is gone over again for the others. `check store` prints what it finds; tests use it as their
//! oracle after random runs.

pub mod blobs;

mod blob;
mod directory;
mod mailbox;
mod references;
mod spool;

use std::{collections::HashMap, ops::Bound};

use bytes::Bytes;
use message::{
    address::DomainName,
    id::{AccountId, TenantId},
};

pub(crate) use self::directory::tenant_of;
use self::references::References;
use crate::{
    apply::outcome::Appended,
    blob::{BlobRef, key::CHUNK_KIND},
    engine::{Snapshot, StoreError},
    key::{self, Key, Keyspace, PREFIX_OCTETS},
    read::{Page, Range},
    record::{
        Damaged, Record, RecordError, audit::AuditEntry, configuration::KeptConfiguration,
        once::CommandResult, state::Usage, trail::TrailStep,
    },
};

/// What is said when the engine cannot read what records are found by.
pub const NOT_RECORDS: &str = "files of the engine are no records that could be repaired: restore a backup";

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The record that shows it.
    pub key: Key,
    /// What.
    pub problem: Problem,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It cannot be understood.
    #[error("{0}")]
    Damaged(RecordError),
    /// Its kind is not known.
    #[error("a record of an unknown kind")]
    Unknown,
    /// What it refers to is not there, or does not refer back.
    #[error("{0}")]
    Dangling(&'static str),
    /// A count is not what there is.
    #[error("{what}: {stored} on record, {counted} counted")]
    Miscounted {
        /// What is counted.
        what: &'static str,
        /// What the record says.
        stored: u64,
        /// What there is.
        counted: u64,
    },
    /// The octets of a blob are not what was accepted.
    #[error("message bytes: {0}")]
    Bytes(String),
}

/// What was gone over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records.
    pub records: u64,
    /// Messages among them: blobs, whether their octets were read or not.
    pub messages: u64,
    /// Findings.
    pub findings: u64,
}

/// Goes over everything. `bytes` reads a whole blob and says what is wrong with its octets, if anything; a verifier
/// that always says `Ok` makes for a quick check of the records alone.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn verify<S: Snapshot>(
    snapshot: &S,
    mut bytes: impl FnMut(TenantId, &BlobRef) -> Result<(), String>,
    mut found: impl FnMut(Finding),
) -> Result<Summary, StoreError> {
    let mut verifier = Verifier::default();
    while !verifier.step(snapshot, PAGE, &mut bytes, &mut found)? {}
    Ok(verifier.summary())
}

/// Rows read at once.
const PAGE: usize = 1024;

/// Blobs whose references are counted at once: some 64 MiB. A store with more is gone over again for the others.
const MAX_COUNTED: usize = 1 << 20;

/// A verification that is done in steps, all over the same snapshot: who has other things to do, or must not read too
/// much at once, pauses between them.
#[derive(Debug, Default)]
pub struct Verifier {
    stage: usize,
    after: Option<Vec<u8>>,
    summary: Summary,
    counts: Counts,
}

/// The order of the keyspaces: blobs and states are compared with what the keyspaces before them counted.
const ORDER: [Keyspace; 7] = [
    Keyspace::Spool,
    Keyspace::Directory,
    Keyspace::Mailbox,
    Keyspace::Blob,
    Keyspace::Trail,
    Keyspace::Once,
    Keyspace::Meta,
];

impl Verifier {
    /// Goes over some more rows; says whether that were the last.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot read.
    pub fn step<S: Snapshot>(
        &mut self,
        snapshot: &S,
        rows: usize,
        bytes: &mut impl FnMut(TenantId, &BlobRef) -> Result<(), String>,
        found: &mut impl FnMut(Finding),
    ) -> Result<bool, StoreError> {
        let mut check = Check {
            snapshot,
            found,
            bytes,
            summary: &mut self.summary,
            counts: &mut self.counts,
        };
        let Some(&space) = ORDER.get(self.stage) else {
            check.compare_counts()?;
            return check.next_references();
        };
        let page = page(snapshot, space, self.after.as_deref(), rows)?;
        for (bytes, octets) in page.rows {
            check.summary.records += 1;
            check.row(&Key { space, bytes }, &octets)?;
        }
        self.after = page.next;
        if self.after.is_none() {
            self.stage += 1;
        }
        Ok(false)
    }

    /// What was gone over so far.
    #[must_use]
    pub const fn summary(&self) -> Summary {
        self.summary
    }

    /// Which keyspace is gone over; `None` when all were.
    #[must_use]
    pub fn at(&self) -> Option<Keyspace> {
        ORDER.get(self.stage).copied()
    }
}

/// Some rows of a keyspace. Those of chunks without their octets: they are read with their message, one at a time, and one
/// that the engine cannot read is then the fault of that message alone.
fn page(
    snapshot: &impl Snapshot,
    space: Keyspace,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<(Vec<u8>, Bytes)>, StoreError> {
    if space != Keyspace::Blob {
        return Range::of(space, &[]).after(after).octets(snapshot, limit);
    }
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let keys = snapshot.keys(space, from, Bound::Unbounded, limit)?;
    let next = keys.last().filter(|_| keys.len() == limit).cloned();
    let mut rows = Vec::with_capacity(keys.len());
    for bytes in keys {
        let is_chunk = bytes.get(PREFIX_OCTETS - 1) == Some(&CHUNK_KIND);
        let key = Key { space, bytes };
        let octets = match is_chunk {
            true => Bytes::new(),
            // It is there: the snapshot is of one moment.
            false => snapshot.get(&key)?.unwrap_or_default(),
        };
        rows.push((key.bytes, octets));
    }
    Ok(Page { rows, next })
}

struct Check<'s, S, B, F> {
    snapshot: &'s S,
    found: &'s mut F,
    bytes: &'s mut B,
    summary: &'s mut Summary,
    counts: &'s mut Counts,
}

/// What was counted on the way.
#[derive(Debug, Default)]
struct Counts {
    references: References,
    addresses: HashMap<(TenantId, DomainName), u32>,
    domains: HashMap<TenantId, u32>,
    accounts: HashMap<TenantId, u32>,
    account_usage: HashMap<(TenantId, AccountId), Usage>,
    mailboxes: HashMap<(TenantId, AccountId), u32>,
    tenant_usage: HashMap<TenantId, Usage>,
}

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    fn row(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        // Facts of the store about itself: they are read when it is opened.
        if key.space == Keyspace::Meta {
            return Ok(());
        }
        let Some(&[.., kind]) = key.bytes.first_chunk::<PREFIX_OCTETS>() else {
            self.find(key, Problem::Unknown);
            return Ok(());
        };
        match key.space {
            Keyspace::Spool => self.spool_row(kind, key, octets),
            Keyspace::Directory => self.directory_row(kind, key, octets),
            Keyspace::Mailbox => self.mailbox_row(kind, key, octets),
            Keyspace::Blob => self.blob_row(kind, key, octets),
            Keyspace::Trail if kind == key::audit::AUDIT => {
                let entry = self.decode::<_, AuditEntry>(key, octets, key::audit::parse_audit);
                let same = entry.is_none_or(|(id, entry)| entry.id == id);
                self.expect(key, same, "the entry is another's");
                Ok(())
            }
            Keyspace::Trail if kind == key::configuration::CONFIGURATION => {
                let kept =
                    self.decode::<_, KeptConfiguration>(key, octets, key::configuration::parse_configuration);
                let same = kept.is_none_or(|(id, kept)| kept.id == id);
                self.expect(key, same, "the configuration is another's");
                Ok(())
            }
            Keyspace::Trail => {
                self.decode::<_, TrailStep>(key, octets, key::trail::TrailKey::parse);
                Ok(())
            }
            Keyspace::Once if kind == key::once::RESULT => {
                self.decode::<_, CommandResult>(key, octets, key::once::parse_result);
                Ok(())
            }
            Keyspace::Once => {
                self.decode::<_, Appended>(key, octets, key::once::parse_appended);
                Ok(())
            }
            Keyspace::Meta => Ok(()),
        }
    }

    /// Key and record of a row, if both can be understood.
    fn decode<K, R: Record>(
        &mut self,
        key: &Key,
        octets: &[u8],
        parse: impl Fn(&[u8]) -> Option<K>,
    ) -> Option<(K, R)> {
        let Some(parsed) = parse(&key.bytes) else {
            self.find(key, Problem::Damaged(RecordError::Key(R::NAME)));
            return None;
        };
        match Damaged::check(key, octets) {
            Ok(record) => Some((parsed, record)),
            Err(damaged) => {
                self.find(key, Problem::Damaged(damaged.why));
                None
            }
        }
    }

    /// The record that another refers to; a damaged one is found at its own row and counts as absent here.
    fn look<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        Ok(self
            .snapshot
            .get(key)?
            .and_then(|octets| Damaged::check(key, &octets).ok()))
    }

    fn expect(&mut self, key: &Key, holds: bool, what: &'static str) {
        if !holds {
            self.find(key, Problem::Dangling(what));
        }
    }

    fn compare(&mut self, key: &Key, what: &'static str, stored: u64, counted: u64) {
        if stored != counted {
            self.find(
                key,
                Problem::Miscounted {
                    what,
                    stored,
                    counted,
                },
            );
        }
    }

    fn compare_usage(&mut self, key: &Key, stored: Usage, counted: Usage) {
        self.compare(key, "octets", stored.octets, counted.octets);
        self.compare(key, "messages", stored.messages, counted.messages);
    }

    fn find(&mut self, key: &Key, problem: Problem) {
        self.summary.findings += 1;
        (self.found)(Finding {
            key: key.clone(),
            problem,
        });
    }
}
