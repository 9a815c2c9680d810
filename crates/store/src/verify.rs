//! Verify: goes over every record of a snapshot and says what is not as it must be. It changes nothing.
//!
//! Each row is decoded and compared with the rows that it refers to; counts are compared with what is counted. Rows are
//! read in pages. What is held in memory is a count for each blob, account, domain and tenant: some 50 octets a blob.
//! `check store` prints what it finds; tests use it as their oracle after random runs.

mod blob;
mod directory;
mod mailbox;
mod spool;

use std::collections::HashMap;

use bytes::Bytes;
use message::{
    address::DomainName,
    id::{AccountId, BlobId, TenantId},
};

use crate::{
    apply::outcome::Appended,
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{self, Key, Keyspace, PREFIX_OCTETS},
    read::Range,
    record::{
        Damaged, Record, RecordError, audit::AuditEntry, configuration::KeptConfiguration,
        once::CommandResult, state::Usage, trail::TrailStep,
    },
};

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
    bytes: impl FnMut(TenantId, &BlobRef) -> Result<(), String>,
    found: impl FnMut(Finding),
) -> Result<Summary, StoreError> {
    let mut check = Check {
        snapshot,
        found,
        bytes,
        summary: Summary::default(),
        counts: Counts::default(),
    };
    // Blobs and states are compared with what the keyspaces before them counted.
    check.keyspace(Keyspace::Spool)?;
    check.keyspace(Keyspace::Directory)?;
    check.keyspace(Keyspace::Mailbox)?;
    check.keyspace(Keyspace::Blob)?;
    check.keyspace(Keyspace::Trail)?;
    check.keyspace(Keyspace::Once)?;
    check.compare_counts()?;
    Ok(check.summary)
}

/// Rows read at once.
const PAGE: usize = 1024;

struct Check<'s, S, B, F> {
    snapshot: &'s S,
    found: F,
    bytes: B,
    summary: Summary,
    counts: Counts,
}

/// What was counted on the way.
#[derive(Default)]
struct Counts {
    references: HashMap<(TenantId, BlobId), u32>,
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
    fn keyspace(&mut self, space: Keyspace) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = Range::of(space, &[])
                .after(after.as_deref())
                .octets(self.snapshot, PAGE)?;
            for (bytes, octets) in page.rows {
                self.summary.records += 1;
                self.row(&Key { space, bytes }, &octets)?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn row(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
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
            // Facts about the store itself are the engine's.
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

    fn refer(&mut self, tenant: TenantId, blob: BlobId) {
        let count = self.counts.references.entry((tenant, blob)).or_default();
        *count = count.saturating_add(1);
    }
}
