//! Keys of the audit: over all tenants, the newest first.

use message::{
    id::{ID_LENGTH, Id, NodeId, ReceiptId},
    time::Timestamp,
};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};

/// Kind of an entry of the audit.
pub const AUDIT: u8 = b'u';

/// An entry. The id stands in it with every bit turned over: ids begin with their time, ranges are read forwards, and
/// whoever reads the audit wants what was last.
#[must_use]
pub fn audit(receipt: ReceiptId) -> Key {
    KeyWriter::new(
        Keyspace::Trail,
        SYSTEM_TENANT,
        Partition::OF_TENANT,
        AUDIT,
        ID_LENGTH,
    )
    .put(&receipt.to_bytes().map(|octet| !octet))
    .finish()
}

/// The first key that an entry from before this time can have.
#[must_use]
pub fn before(time: Timestamp) -> Key {
    // The lowest id of that time is the last key that is not older.
    let lowest = Id::compose(time, NodeId::new(0), 0);
    let mut key = audit(ReceiptId::new(lowest));
    key.bytes.push(0);
    key
}

/// The entry that a key names.
#[must_use]
pub fn parse_audit(key: &[u8]) -> Option<ReceiptId> {
    let mut reader = KeyReader::new(key);
    reader.prefix(AUDIT)?;
    let octets = reader.id()?.to_bytes().map(|octet| !octet);
    reader.end(ReceiptId::from_bytes(octets))
}
