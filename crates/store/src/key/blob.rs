//! The key of the record that counts the references to a blob. Its chunks: [`crate::blob::key`].

use message::id::{BlobId, ID_LENGTH, TenantId};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition};

/// Kind of the record that counts references.
pub const BLOB: u8 = b'b';

/// The record that counts the references to a blob.
#[must_use]
pub fn blob(tenant: TenantId, blob: BlobId) -> Key {
    KeyWriter::new(Keyspace::Blob, tenant, Partition::OF_TENANT, BLOB, ID_LENGTH)
        .put(blob.as_bytes())
        .finish()
}

/// The blob of the key of a reference count.
#[must_use]
pub fn parse_blob(key: &[u8]) -> Option<(TenantId, BlobId)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(BLOB)?;
    let blob = BlobId::from(reader.id()?);
    reader.end((tenant, blob))
}
