//! Reads: what of the store the actors and the command line look at, over one [`Snapshot`].
//!
//! Everything here may touch the disk. Lists pass over damaged records, which the snapshot is told about
//! ([`Snapshot::report`]); the read of one record says [`ReadError::Damaged`]. Lists are bounded by their caller's
//! limit or by what one owner may have.

pub mod audit;
pub mod ban;
pub mod configuration;
pub mod directory;
pub mod job;
pub mod mailbox;
pub mod spool;
pub mod trail;
pub mod upkeep;

use std::ops::Bound;

use bytes::Bytes;
use message::id::TenantId;

use crate::{
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace, PARTITIONS, PREFIX_OCTETS, Partition, after_prefix, prefix},
    record::{Damaged, Record, RecordError},
};

/// Why something cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The engine cannot read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record that was asked for is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Some rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, Place = Vec<u8>> {
    /// The rows; fewer than asked for when records are damaged.
    pub rows: Vec<T>,
    /// Behind what the list goes on: not always the last row. `None` at its end.
    pub next: Option<Place>,
}

/// The record at a key, if there is one.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn record<R: Record>(snapshot: &impl Snapshot, key: &Key) -> Result<Option<R>, ReadError> {
    let Some(octets) = snapshot.get(key)? else {
        return Ok(None);
    };
    match Damaged::check(key, &octets) {
        Ok(record) => Ok(Some(record)),
        Err(damaged) => {
            snapshot.report(&damaged, &octets);
            Err(damaged.into())
        }
    }
}

/// Rows scanned at once by what goes over a whole list.
const PAGE: usize = 1024;

/// A range of keys with one front, read in pages.
pub(crate) struct Range {
    space: Keyspace,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
}

impl Range {
    /// All keys that begin so.
    pub(crate) fn of(space: Keyspace, front: &[u8]) -> Self {
        let to = after_prefix(front).map_or(Bound::Unbounded, Bound::Excluded);
        Self {
            space,
            from: Bound::Included(front.to_vec()),
            to,
        }
    }

    /// All keys of one kind of one tenant in one partition.
    pub(crate) fn of_kind(space: Keyspace, tenant: TenantId, partition: Partition, kind: u8) -> Self {
        Self::of(space, &prefix(tenant, partition, kind))
    }

    /// What comes behind a key that an earlier page named.
    pub(crate) fn after(self, key: Option<&[u8]>) -> Self {
        match key {
            Some(key) => Self {
                from: Bound::Excluded(key.to_vec()),
                ..self
            },
            None => self,
        }
    }

    /// What comes from a key on.
    pub(crate) fn starting(self, key: Vec<u8>) -> Self {
        Self {
            from: Bound::Included(key),
            ..self
        }
    }

    /// What comes before a key.
    pub(crate) fn before(self, key: Vec<u8>) -> Self {
        Self {
            to: Bound::Excluded(key),
            ..self
        }
    }

    /// At most so many keys with their octets.
    pub(crate) fn octets(
        &self,
        snapshot: &impl Snapshot,
        limit: usize,
    ) -> Result<Page<(Vec<u8>, Bytes)>, StoreError> {
        let rows = snapshot.scan(self.space, slice(&self.from), slice(&self.to), limit)?;
        let next = if rows.len() < limit {
            None
        } else {
            rows.last().map(|(key, _)| key.clone())
        };
        Ok(Page { rows, next })
    }

    /// At most so many rows, understood; the others are reported.
    pub(crate) fn page<K, R: Record>(
        &self,
        snapshot: &impl Snapshot,
        limit: usize,
        parse: impl Fn(&[u8]) -> Option<K>,
    ) -> Result<Page<(K, R)>, StoreError> {
        let page = self.octets(snapshot, limit)?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for (bytes, octets) in page.rows {
            let key = Key {
                space: self.space,
                bytes,
            };
            match row(&key, &octets, &parse) {
                Ok(row) => rows.push(row),
                Err(damaged) => snapshot.report(&damaged, &octets),
            }
        }
        Ok(Page {
            rows,
            next: page.next,
        })
    }

    /// Every row, understood; the others are reported.
    pub(crate) fn each<K, R: Record>(
        self,
        snapshot: &impl Snapshot,
        parse: impl Fn(&[u8]) -> Option<K>,
        mut each: impl FnMut(K, R),
    ) -> Result<(), StoreError> {
        let mut range = self;
        loop {
            let page = range.page(snapshot, PAGE, &parse)?;
            page.rows.into_iter().for_each(|(key, record)| each(key, record));
            let Some(next) = page.next else {
                return Ok(());
            };
            range = range.after(Some(&next));
        }
    }
}

/// The partitions in which a tenant has rows of a kind: found by skipping, not by looking into each.
pub(crate) fn partitions(
    snapshot: &impl Snapshot,
    space: Keyspace,
    tenant: TenantId,
    kind: u8,
) -> Result<Vec<Partition>, StoreError> {
    let mut found = Vec::new();
    let mut number = 0;
    while number < PARTITIONS {
        let from = prefix(tenant, Partition::new(number), kind);
        let rows = snapshot.scan(space, Bound::Included(&from), Bound::Unbounded, 1)?;
        let Some(([a, b, c, d, high, low, at_kind], _)) = rows
            .first()
            .and_then(|(key, _)| key.split_first_chunk::<PREFIX_OCTETS>())
        else {
            break;
        };
        if [*a, *b, *c, *d] != tenant.get().to_be_bytes() {
            break;
        }
        let at = u16::from_be_bytes([*high, *low]);
        if *at_kind == kind && at < PARTITIONS {
            found.push(Partition::new(at));
        }
        // A lower kind of a later partition may stand before the one that is asked for.
        number = if *at_kind < kind { at } else { at.saturating_add(1) };
    }
    Ok(found)
}

fn row<K, R: Record>(
    key: &Key,
    octets: &[u8],
    parse: impl Fn(&[u8]) -> Option<K>,
) -> Result<(K, R), Damaged> {
    let Some(parsed) = parse(&key.bytes) else {
        return Err(Damaged {
            key: key.clone(),
            why: RecordError::Key(R::NAME),
        });
    };
    Ok((parsed, Damaged::check(key, octets)?))
}

fn slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}
