//! Repair: makes a store that `verify` finds fault with one that it finds none with, and loses nothing on the way.
//!
//! It is planned first, over a snapshot and without writing: what is broken is *set aside*, what is whole is kept, and
//! what only follows from other records (indexes, counts, claims, the names of mailboxes) is made anew. Message bytes
//! that are whole stay in the store while anything says whose they are; a whole message that nothing refers to any more
//! is exported. Only then the old octets of every record that goes or changes are written to files and synced, and only
//! then the store is changed. A repair that is interrupted is begun again and finds the rest.

mod blob;
mod directory;
mod mailbox;
mod overlay;
mod report;
mod run;
mod spool;

use std::collections::HashMap;

use message::id::{BlobId, TenantId};

use self::overlay::Overlay;
pub use self::{
    report::ReportError,
    run::{RepairError, Repaired, repair},
};
use crate::{
    batch::Op,
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{
        Key, Keyspace, PREFIX_OCTETS, blob as blobs, directory as names, mailbox as boxes, spool as queue,
    },
    record::{Damaged, Record, RecordError, encode},
    verify::{Finding, Problem, Verifier, blobs as octets_of},
};

/// What is done with one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Which record.
    pub key: Key,
    /// What was wrong; for a record that is made anew, what it was made from.
    pub why: String,
    /// What is done.
    pub deed: Deed,
}

/// What can be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It goes from the store into the files of the repair.
    SetAside,
    /// It is written with another value; the old one goes into the files of the repair.
    Rewritten,
    /// There was none, and now there is.
    Made,
    /// The message is whole, but nothing says whose it is: it goes into a file of its own.
    Exported(TenantId, BlobId),
}

impl Deed {
    /// The word for it in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::SetAside => "set aside",
            Self::Rewritten => "rewritten",
            Self::Made => "made",
            Self::Exported(..) => "exported",
        }
    }
}

/// What a repair is going to do.
pub struct Plan<S> {
    overlay: Overlay<S>,
    /// Each step, in order. A record can be in several.
    pub actions: Vec<Action>,
    /// What was found before.
    pub found: u64,
    /// What no rule can mend: restore a backup.
    pub left: Vec<Finding>,
}

impl<S: Snapshot> Plan<S> {
    /// What is written, in key order.
    pub fn operations(&self) -> impl Iterator<Item = Op> {
        self.overlay.changes().map(|(key, octets)| match octets {
            Some(octets) => Op::Put(key.clone(), octets.clone()),
            None => Op::Delete(key.clone()),
        })
    }
}

/// Findings that are remembered for one round; the others are found again in the next.
const MAX_FINDINGS: usize = 100_000;
/// Records between two looks at how far it is.
const ROWS: usize = 1024;
/// Each round mends one kind of finding. Needed are as many as there are ranks, once or twice.
const MAX_ROUNDS: usize = 64;

/// Plans the repair of what a snapshot shows. `look` is told how many records were gone over in this round, and how many
/// there are when an earlier one has counted them. Reads everything several times, the octets of messages once.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn plan<S: Snapshot>(snapshot: S, mut look: impl FnMut(u64, Option<u64>)) -> Result<Plan<S>, StoreError> {
    let mut mender = Mender {
        overlay: Overlay::new(snapshot),
        actions: Vec::new(),
    };
    let mut found = 0;
    let mut records = None;
    let mut left = Vec::new();
    // Octets are read in the first round only.
    let mut broken = HashMap::new();
    for round in 0..MAX_ROUNDS {
        let mut findings = Vec::new();
        let mut bytes = |tenant, blob: &BlobRef| {
            let known = (tenant, blob.id, blob.checksum);
            if round > 0 {
                return broken.get(&known).map_or(Ok(()), |why: &String| Err(why.clone()));
            }
            let checked = octets_of::check(&mender.overlay, tenant, blob);
            checked.map_err(|why| broken.entry(known).or_insert(why.to_string()).clone())
        };
        let mut keep = |finding| {
            if findings.len() < MAX_FINDINGS {
                findings.push(finding);
            }
        };
        let mut verifier = Verifier::default();
        while !verifier.step(&mender.overlay, ROWS, &mut bytes, &mut keep)? {
            look(verifier.summary().records, records);
        }
        let summary = verifier.summary();
        records = Some(summary.records);
        if round == 0 {
            found = summary.findings;
        }
        let before = mender.actions.len();
        mender.round(&findings)?;
        left = findings;
        if left.is_empty() || mender.actions.len() == before {
            break;
        }
    }
    let Mender { overlay, actions } = mender;
    Ok(Plan {
        overlay,
        actions,
        found,
        left,
    })
}

/// Mends one finding after the other, over what it has mended before.
struct Mender<S> {
    overlay: Overlay<S>,
    actions: Vec<Action>,
}

impl<S: Snapshot> Mender<S> {
    /// Mends what stands first in the order: the later may then be no fault any more.
    fn round(&mut self, findings: &[Finding]) -> Result<(), StoreError> {
        let ranked = findings.iter().map(|finding| (rank(finding), finding));
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|&(rank, _)| rank);
        let before = self.actions.len();
        let mut last = None;
        for (rank, finding) in ranked {
            // A rank of which nothing could be mended must not keep the others from being tried.
            if last.is_some_and(|last| last != rank) && self.actions.len() > before {
                break;
            }
            last = Some(rank);
            self.mend(finding)?;
        }
        Ok(())
    }

    fn mend(&mut self, finding: &Finding) -> Result<(), StoreError> {
        // One mended before it may have taken it along.
        if !self.overlay.has(&finding.key)? {
            return Ok(());
        }
        let key = &finding.key;
        match &finding.problem {
            Problem::Damaged(_) | Problem::Unknown => self.set_aside(key, &finding.problem.to_string()),
            Problem::Miscounted {
                what,
                stored: _,
                counted,
            } => self.recount(key, what, *counted),
            Problem::Dangling(why) => match key.space {
                Keyspace::Directory => self.mend_directory(key, why),
                Keyspace::Mailbox => self.mend_mailbox(key, why),
                Keyspace::Spool => self.mend_spool(key, why),
                Keyspace::Blob => self.mend_blob(key, why),
                Keyspace::Meta | Keyspace::Trail | Keyspace::Once => self.set_aside(key, why),
            },
            Problem::Bytes(why) => self.set_blob_aside(key, why),
        }
    }

    fn recount(&mut self, key: &Key, what: &str, counted: u64) -> Result<(), StoreError> {
        match key.space {
            Keyspace::Directory => self.recount_domain(key, what, counted),
            Keyspace::Mailbox => self.recount_mailbox(key, what, counted),
            Keyspace::Spool => self.recount_spooled(key, what, counted),
            Keyspace::Blob => self.recount_references(key, what, counted),
            Keyspace::Meta | Keyspace::Trail | Keyspace::Once => Ok(()),
        }
    }

    /// The record at a key, unless there is none or it is damaged.
    fn read<R: Record>(&self, key: &Key) -> Result<Option<R>, StoreError> {
        let octets = self.overlay.get(key)?;
        Ok(octets.and_then(|octets| Damaged::check(key, &octets).ok()))
    }

    /// Takes a record out of the store.
    fn set_aside(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        if self.overlay.has(key)? {
            self.overlay.delete(key.clone());
            self.act(key, why, Deed::SetAside);
        }
        Ok(())
    }

    /// Writes a record.
    fn put<R: Record>(&mut self, key: &Key, record: &R, why: &str) -> Result<(), StoreError> {
        let octets = encode(record).map_err(|why: RecordError| StoreError::Unreadable(why.to_string()))?;
        let before = self.overlay.get(key)?;
        if before.as_ref() == Some(&octets) {
            return Ok(());
        }
        self.overlay.put(key.clone(), octets);
        let deed = if before.is_some() {
            Deed::Rewritten
        } else {
            Deed::Made
        };
        self.act(key, why, deed);
        Ok(())
    }

    fn act(&mut self, key: &Key, why: &str, deed: Deed) {
        self.actions.push(Action {
            key: key.clone(),
            why: why.to_owned(),
            deed,
        });
    }
}

/// The kind of a key's record: the letter behind tenant and partition.
fn kind_of(key: &Key) -> u8 {
    key.bytes.get(PREFIX_OCTETS - 1).copied().unwrap_or_default()
}

/// In which order findings are mended: first what others are made from, last what is merely counted, from below.
fn rank(finding: &Finding) -> u8 {
    let kind = kind_of(&finding.key);
    let is_count = matches!(finding.problem, Problem::Miscounted { .. });
    match (&finding.problem, finding.key.space) {
        (Problem::Damaged(_) | Problem::Unknown, _) => 0,
        (_, Keyspace::Directory) if is_count => 34,
        (_, Keyspace::Directory) => match kind {
            names::TENANT | names::TENANT_NAME => 1,
            names::DOMAIN | names::DOMAIN_NAME => 2,
            names::ACCOUNT => 3,
            _ => 4,
        },
        (_, Keyspace::Mailbox) if is_count => match kind {
            boxes::MESSAGE | boxes::TOMBSTONE => 30,
            boxes::STATE => 31,
            boxes::ACCOUNT_STATE => 32,
            _ => 33,
        },
        (_, Keyspace::Mailbox) => match kind {
            boxes::ACCOUNT_STATE => 5,
            boxes::NAME => 6,
            boxes::MAILBOX => 7,
            boxes::STATE => 8,
            boxes::MESSAGE => 9,
            _ => 10,
        },
        (_, Keyspace::Spool) if is_count => 30,
        (_, Keyspace::Spool) => match kind {
            queue::MESSAGE => 9,
            queue::RECIPIENT => 11,
            _ => 12,
        },
        (Problem::Bytes(_), _) => 13,
        (_, Keyspace::Blob) if is_count => 20,
        (_, Keyspace::Blob) if kind == blobs::BLOB => 13,
        // A chunk belongs to nothing for certain only when everything that may refer to it has been mended.
        (_, Keyspace::Blob) => 40,
        (_, Keyspace::Meta | Keyspace::Trail | Keyspace::Once) => 10,
    }
}
