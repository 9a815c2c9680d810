//! Reads of the configurations that were in force.

use message::id::ReceiptId;

use super::{Range, ReadError, record};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Keyspace, Partition, SYSTEM_TENANT,
        configuration::{CONFIGURATION, configuration as configuration_key, parse_configuration},
    },
    record::configuration::{KeptConfiguration, MAX_KEPT_CONFIGURATIONS},
};

/// The configuration that is kept under a receipt.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn configuration(
    snapshot: &impl Snapshot,
    receipt: ReceiptId,
) -> Result<Option<KeptConfiguration>, ReadError> {
    record(snapshot, &configuration_key(receipt))
}

/// All that are kept, the newest first.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn configurations(snapshot: &impl Snapshot) -> Result<Vec<KeptConfiguration>, StoreError> {
    let page = range().page::<_, KeptConfiguration>(snapshot, LISTED, parse_configuration)?;
    Ok(page.rows.into_iter().map(|(_, kept)| kept).collect())
}

/// Their receipts, the newest first.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn receipts(snapshot: &impl Snapshot) -> Result<Vec<ReceiptId>, StoreError> {
    let page = range().octets(snapshot, LISTED)?;
    let receipts = page.rows.iter().filter_map(|(key, _)| parse_configuration(key));
    Ok(receipts.collect())
}

/// A few more than are kept: a process may have died between two.
const LISTED: usize = 2 * MAX_KEPT_CONFIGURATIONS;

fn range() -> Range {
    Range::of_kind(
        Keyspace::Trail,
        SYSTEM_TENANT,
        Partition::OF_TENANT,
        CONFIGURATION,
    )
}
