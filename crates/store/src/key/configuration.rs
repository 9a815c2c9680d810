//! Keys of configurations that were in force: over all tenants, the newest first.

use message::id::{ID_LENGTH, ReceiptId};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};

/// Kind of a configuration.
pub const CONFIGURATION: u8 = b'g';

/// A configuration. As in the audit the bits of its id are turned over, so that the newest comes first.
#[must_use]
pub fn configuration(receipt: ReceiptId) -> Key {
    KeyWriter::new(
        Keyspace::Trail,
        SYSTEM_TENANT,
        Partition::OF_TENANT,
        CONFIGURATION,
        ID_LENGTH,
    )
    .put(&receipt.to_bytes().map(|octet| !octet))
    .finish()
}

/// The configuration that a key names.
#[must_use]
pub fn parse_configuration(key: &[u8]) -> Option<ReceiptId> {
    let mut reader = KeyReader::new(key);
    reader.prefix(CONFIGURATION)?;
    let octets = reader.id()?.to_bytes().map(|octet| !octet);
    reader.end(ReceiptId::from_bytes(octets))
}
