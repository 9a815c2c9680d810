//! Verifies the octets of blobs, a bounded number of them at a time: for a server that has other things to do.
//!
//! Octets of a blob never change, so this needs no lasting snapshot: each step may have its own, and what a restart
//! interrupts goes on behind the key that was last read.

use std::ops::Bound;

use message::id::TenantId;

use super::{Finding, Problem};
use crate::{
    blob::{BlobError, BlobRef, chunk, key::chunk_key},
    engine::{Snapshot, StoreError},
    key::{Key, Keyspace, PREFIX_OCTETS, blob as keys},
    record::{blob::BlobRow, decode},
};

/// What one step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Blobs whose octets were read.
    pub blobs: u64,
    /// Octets read.
    pub octets: u64,
    /// Behind which key to go on; `None` at the end.
    pub next: Option<Vec<u8>>,
}

/// Reads blobs behind a key until that many octets were read, and says what is wrong with them.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn step(
    snapshot: &impl Snapshot,
    after: Option<&[u8]>,
    octets: u64,
    mut found: impl FnMut(Finding),
) -> Result<Step, StoreError> {
    let mut done = Step::default();
    let mut from = after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_vec()));
    while done.octets < octets {
        let next = snapshot.keys(Keyspace::Blob, slice(&from), Bound::Unbounded, 1)?;
        let Some(bytes) = next.into_iter().next() else {
            return Ok(Step { next: None, ..done });
        };
        let key = Key {
            space: Keyspace::Blob,
            bytes,
        };
        let Some((tenant, blob)) = blob_at(snapshot, &key)? else {
            // A damaged record is found where records are verified; chunks are jumped over, unread.
            from = behind(&key.bytes);
            continue;
        };
        done.blobs += 1;
        // A blob without octets takes its time too.
        done.octets += blob.octets + 1;
        if let Err(why) = check(snapshot, tenant, &blob) {
            let problem = Problem::Bytes(why.to_string());
            found(Finding {
                key: key.clone(),
                problem,
            });
        }
        done.next = Some(key.bytes.clone());
        from = Bound::Excluded(key.bytes);
    }
    Ok(done)
}

/// The blob whose record is at a key, if that is one and can be understood.
fn blob_at(snapshot: &impl Snapshot, key: &Key) -> Result<Option<(TenantId, BlobRef)>, StoreError> {
    let Some((tenant, id)) = keys::parse_blob(&key.bytes) else {
        return Ok(None);
    };
    let row = snapshot
        .get(key)?
        .and_then(|octets| decode::<BlobRow>(&octets).ok());
    Ok(row.map(|row| {
        let blob = BlobRef {
            id,
            octets: row.octets,
            checksum: row.checksum,
            chunks: row.chunks,
        };
        (tenant, blob)
    }))
}

/// Reads a blob as the snapshot has it, one chunk at a time, and compares it with its BLAKE3.
///
/// # Errors
/// [`BlobError`] says what is wrong with it.
pub fn check(snapshot: &impl Snapshot, tenant: TenantId, blob: &BlobRef) -> Result<(), BlobError> {
    let damaged = |chunk, why| BlobError::Damaged {
        id: blob.id,
        chunk,
        why,
    };
    let mut hasher = blake3::Hasher::new();
    for number in 0..blob.chunks {
        let stored = snapshot.get(&chunk_key(tenant, blob.id, number))?;
        let stored = stored.ok_or(BlobError::Missing {
            id: blob.id,
            chunk: number,
        })?;
        hasher.update(&chunk::decode(&stored).map_err(|why| damaged(number, why))?);
    }
    if *hasher.finalize().as_bytes() == blob.checksum && hasher.count() == blob.octets {
        return Ok(());
    }
    Err(damaged(0, "the checksum of the whole message differs"))
}

/// Where the next row of a blob can stand, seen from a row of another kind or a damaged one.
fn behind(key: &[u8]) -> Bound<Vec<u8>> {
    match key.get(PREFIX_OCTETS - 1) {
        Some(&kind) if kind > keys::BLOB => match after_owner(key) {
            Some(place) => Bound::Included(place),
            None => Bound::Excluded(key.to_vec()),
        },
        _ => Bound::Excluded(key.to_vec()),
    }
}

/// The first key of the next tenant and partition.
fn after_owner(key: &[u8]) -> Option<Vec<u8>> {
    crate::key::after_prefix(key.get(..PREFIX_OCTETS - 1)?)
}

fn slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}
