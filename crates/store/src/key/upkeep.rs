//! The key of the long work that is under way: there is at most one.

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};

/// Kind of the record of a long work.
pub const UPKEEP: u8 = b'w';

/// Where it is.
#[must_use]
pub fn upkeep() -> Key {
    KeyWriter::new(
        Keyspace::Directory,
        SYSTEM_TENANT,
        Partition::OF_TENANT,
        UPKEEP,
        0,
    )
    .finish()
}

/// Whether a key is this one.
#[must_use]
pub fn parse_upkeep(key: &[u8]) -> Option<()> {
    let mut reader = KeyReader::new(key);
    reader.prefix(UPKEEP)?;
    reader.end(())
}
