//! Reads of the trail.

use message::{
    id::{MessageId, TenantId},
    time::Timestamp,
};

use super::{Range, partitions};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Keyspace,
        trail::{STEP, TrailKey},
    },
    record::trail::TrailStep,
};

/// What happened to a message, in the order of time.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn of_message(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    message: MessageId,
) -> Result<Vec<(TrailKey, TrailStep)>, StoreError> {
    let mut steps = Vec::new();
    let range = Range::of(Keyspace::Trail, &TrailKey::all(tenant, message));
    range.each(snapshot, TrailKey::parse, |key, step| steps.push((key, step)))?;
    steps.sort_by_key(|(key, step): &(TrailKey, TrailStep)| (step.at, key.recipient, key.step));
    Ok(steps)
}

/// The oldest steps of messages that came before a time, at most so many: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn before(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    time: Timestamp,
    limit: usize,
) -> Result<Vec<TrailKey>, StoreError> {
    let mut steps = Vec::new();
    for partition in partitions(snapshot, Keyspace::Trail, tenant, STEP)? {
        let range = Range::of_kind(Keyspace::Trail, tenant, partition, STEP);
        let page = range.octets(snapshot, limit.saturating_sub(steps.len()))?;
        let keys = page.rows.iter().filter_map(|(key, _)| TrailKey::parse(key));
        steps.extend(keys.take_while(|key| key.message.id().timestamp() < time));
    }
    Ok(steps)
}
