//! Reads of bans.

use message::time::Timestamp;

use super::Range;
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Keyspace, Partition, SYSTEM_TENANT,
        ban::{BAN, parse_ban},
    },
    record::ban::{Ban, Network},
};

/// Every ban, also those that have lapsed, by network.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn bans(snapshot: &impl Snapshot, each: impl FnMut(Network, Ban)) -> Result<(), StoreError> {
    range().each(snapshot, parse_ban, each)
}

/// Bans that lapsed before a time, at most so many: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn lapsed_before(
    snapshot: &impl Snapshot,
    time: Timestamp,
    limit: usize,
) -> Result<Vec<Network>, StoreError> {
    let mut lapsed = Vec::new();
    bans(snapshot, |network, ban| {
        if lapsed.len() < limit && ban.until.is_some_and(|until| until < time) {
            lapsed.push(network);
        }
    })?;
    Ok(lapsed)
}

fn range() -> Range {
    Range::of_kind(Keyspace::Directory, SYSTEM_TENANT, Partition::OF_TENANT, BAN)
}
