//! References to blobs, counted for a bounded number of blobs at a time.
//!
//! When there are more blobs than may be counted at once, half of them (by a bit of a hash of their ids) are put off,
//! and the store is gone over again for those.

use std::collections::HashMap;

use message::id::{BlobId, TenantId};

use super::{Check, Finding, MAX_COUNTED, PAGE, blob::REFERENCES, page};
use crate::{
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace, PREFIX_OCTETS, blob as blobs, mailbox, spool},
    record::{Record, blob::BlobRow, decode, mailbox::MailboxMessage, spool::SpoolMessage},
};

/// How often each blob is referred to, of those that it is their turn to be counted.
#[derive(Debug, Default)]
pub(super) struct References {
    counted: HashMap<(TenantId, BlobId), u32>,
    /// The parts are as many as numbers have so many bits.
    bits: u32,
    part: u32,
}

impl References {
    pub(super) fn count(&mut self, tenant: TenantId, blob: BlobId) {
        if !self.is_counted(blob) {
            return;
        }
        let count = self.counted.entry((tenant, blob)).or_default();
        *count = count.saturating_add(1);
        // The parts are fixed when the first has been gone over.
        while self.counted.len() > MAX_COUNTED && self.part == 0 {
            self.bits += 1;
            let (bits, part) = (self.bits, self.part);
            self.counted.retain(|(_, blob), _| part_of(*blob, bits) == part);
        }
    }

    /// How many refer to a blob; `None` when it is not its turn.
    pub(super) fn take(&mut self, tenant: TenantId, blob: BlobId) -> Option<u32> {
        self.is_counted(blob)
            .then(|| self.counted.remove(&(tenant, blob)).unwrap_or_default())
    }

    /// Goes on with the next part, if there is one.
    fn next(&mut self) -> bool {
        self.counted.clear();
        self.part += 1;
        self.part < 1 << self.bits
    }

    fn is_counted(&self, blob: BlobId) -> bool {
        part_of(blob, self.bits) == self.part
    }
}

fn part_of(blob: BlobId, bits: u32) -> u32 {
    crc32fast::hash(blob.as_bytes()) & ((1 << bits) - 1)
}

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    /// Counts the references to the blobs that were put off; says whether there were none.
    pub(super) fn next_references(&mut self) -> Result<bool, StoreError> {
        if !self.counts.references.next() {
            return Ok(true);
        }
        self.each::<_, SpoolMessage>(
            Keyspace::Spool,
            spool::MESSAGE,
            spool::parse_message,
            |check, _, (tenant, _), row| {
                check.counts.references.count(tenant, row.blob.id);
            },
        )?;
        self.each::<_, MailboxMessage>(
            Keyspace::Mailbox,
            mailbox::MESSAGE,
            mailbox::parse_message,
            |check, _, (tenant, ..), row| {
                check.counts.references.count(tenant, row.blob.id);
            },
        )?;
        self.each::<_, BlobRow>(
            Keyspace::Blob,
            blobs::BLOB,
            blobs::parse_blob,
            |check, key, (tenant, id), row| {
                if let Some(counted) = check.counts.references.take(tenant, id) {
                    check.compare(key, REFERENCES, row.refs.into(), counted.into());
                }
            },
        )?;
        Ok(false)
    }

    /// Every row of a kind that can be understood; the others were found before.
    fn each<K, R: Record>(
        &mut self,
        space: Keyspace,
        kind: u8,
        parse: impl Fn(&[u8]) -> Option<K>,
        mut each: impl FnMut(&mut Self, &Key, K, R),
    ) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = page(self.snapshot, space, after.as_deref(), PAGE)?;
            for (bytes, octets) in page.rows {
                if bytes.get(PREFIX_OCTETS - 1) != Some(&kind) {
                    continue;
                }
                let (Some(parsed), Ok(row)) = (parse(&bytes), decode(&octets)) else {
                    continue;
                };
                each(self, &Key { space, bytes }, parsed, row);
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
