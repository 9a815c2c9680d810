//! What a message says of itself: envelope and body structure, scanned chunk by chunk.

use bytes::Bytes;
use message::{id::TenantId, structure::StructureScanner};
use store::{
    blob::BlobRef,
    record::mailbox::{MAX_STRUCTURE_OCTETS, Parsed},
    store::Store,
};

use crate::structure;

/// Scans a message. Never more of it is in memory than one chunk.
///
/// A message that cannot be read now is appended without a structure: it can be scanned again by who needs it, and a
/// recipient must not wait for that.
pub(super) fn structure(store: &Store, tenant: TenantId, blob: &BlobRef) -> (Parsed, Option<Bytes>) {
    let reader = store.blob_reader(tenant, blob);
    let mut scanner = StructureScanner::new();
    for number in 0..blob.chunks {
        match reader.chunk(number) {
            Ok(chunk) => scanner.feed(&chunk),
            Err(why) => {
                tracing::error!(target: "angarium::queue", %why, "a message cannot be read");
                return (Parsed::Not, None);
            }
        }
    }
    let found = scanner.finish();
    let parsed = if found.caveats.is_truncated() {
        Parsed::Partly
    } else {
        Parsed::Whole
    };
    match structure::encode(&found).filter(|encoded| encoded.len() <= MAX_STRUCTURE_OCTETS) {
        Some(encoded) => (parsed, Some(encoded)),
        None => (Parsed::Partly, None),
    }
}
