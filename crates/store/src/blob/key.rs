//! Keys of the blob keyspace that the blob writer, the reader and the sweep use.
//!
//! Both begin as all keys do (tenant, partition, kind) and go on with the blob (16); a chunk adds its number (4). A
//! blob lives in the partition of the node that minted its id.

use message::id::{BlobId, ID_LENGTH, TenantId};

use crate::key::{Key, Keyspace, PREFIX_OCTETS, Partition, prefix};

/// Kind of a chunk's key.
pub const CHUNK_KIND: u8 = b'c';
/// Kind of the key of an open upload's mark.
pub const UPLOAD_KIND: u8 = b'u';

/// Octets of a chunk's number.
const NUMBER_OCTETS: usize = 4;

/// Where a chunk lives.
#[must_use]
pub fn chunk_key(tenant: TenantId, blob: BlobId, chunk: u32) -> Key {
    let mut key = blob_key(tenant, CHUNK_KIND, blob, NUMBER_OCTETS);
    key.bytes.extend_from_slice(&chunk.to_be_bytes());
    key
}

/// Where the mark of an open upload lives: whoever refers to a blob of more than one chunk removes it.
#[must_use]
pub fn upload_key(tenant: TenantId, blob: BlobId) -> Key {
    blob_key(tenant, UPLOAD_KIND, blob, 0)
}

/// Tenant and blob of the mark of an open upload; `None` for any other key.
#[must_use]
pub fn parse_upload_key(key: &[u8]) -> Option<(TenantId, BlobId)> {
    let ([a, b, c, d, _, _, kind], blob) = key.split_first_chunk::<PREFIX_OCTETS>()?;
    if *kind != UPLOAD_KIND {
        return None;
    }
    let blob = BlobId::from_bytes(blob.try_into().ok()?);
    Some((TenantId::new(u32::from_be_bytes([*a, *b, *c, *d])), blob))
}

fn blob_key(tenant: TenantId, kind: u8, blob: BlobId, more: usize) -> Key {
    let mut bytes = Vec::with_capacity(PREFIX_OCTETS + ID_LENGTH + more);
    bytes.extend_from_slice(&prefix(tenant, Partition::new(blob.id().node().get()), kind));
    bytes.extend_from_slice(blob.as_bytes());
    Key {
        space: Keyspace::Blob,
        bytes,
    }
}
