//! Keys of bans: the network, over all tenants.

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};
use crate::record::ban::Network;

/// Kind of a ban.
pub const BAN: u8 = b'b';

/// The ban of a network.
#[must_use]
pub fn ban(network: &Network) -> Key {
    let (octets, prefix) = network.parts();
    KeyWriter::new(Keyspace::Directory, SYSTEM_TENANT, Partition::OF_TENANT, BAN, 17)
        .put(&octets)
        .put(&[prefix])
        .finish()
}

/// The network of the key of a ban.
#[must_use]
pub fn parse_ban(key: &[u8]) -> Option<Network> {
    let mut reader = KeyReader::new(key);
    reader.prefix(BAN)?;
    let (octets, prefix) = (reader.id()?.to_bytes(), reader.u8()?);
    reader.end(Network::from_parts(octets, prefix)?)
}
