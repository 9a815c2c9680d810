//! Reads of the audit.

use message::{id::ReceiptId, time::Timestamp};

use super::{Page, Range, ReadError, record};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Keyspace, Partition, SYSTEM_TENANT,
        audit::{AUDIT, audit as audit_key, before as before_key, parse_audit},
    },
    record::audit::AuditEntry,
};

/// What was asked for under a receipt.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn entry(snapshot: &impl Snapshot, receipt: ReceiptId) -> Result<Option<AuditEntry>, ReadError> {
    record(snapshot, &audit_key(receipt))
}

/// The newest entries, or those older than one that an earlier page named; at most so many.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn newest(
    snapshot: &impl Snapshot,
    older_than: Option<ReceiptId>,
    limit: usize,
) -> Result<Page<AuditEntry, ReceiptId>, StoreError> {
    let after = older_than.map(audit_key);
    let range = range().after(after.as_ref().map(|key| &*key.bytes));
    let page = range.page::<_, AuditEntry>(snapshot, limit, parse_audit)?;
    Ok(Page {
        rows: page.rows.into_iter().map(|(_, entry)| entry).collect(),
        next: page.next.and_then(|key| parse_audit(&key)),
    })
}

/// Entries from before a time, at most so many: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn before(snapshot: &impl Snapshot, time: Timestamp, limit: usize) -> Result<Vec<ReceiptId>, StoreError> {
    let page = range().starting(before_key(time).bytes).octets(snapshot, limit)?;
    Ok(page.rows.iter().filter_map(|(key, _)| parse_audit(key)).collect())
}

fn range() -> Range {
    Range::of_kind(Keyspace::Trail, SYSTEM_TENANT, Partition::OF_TENANT, AUDIT)
}
