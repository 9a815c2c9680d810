//! Record: what an operator asked for goes on record.

use crate::record::audit::AuditEntry;

/// An entry of the audit: as begun before the change is made, and again under the same id when it has ended.
///
/// `Exists` when an entry of this id has ended differently already, `NotPermitted` when it is of another request:
/// what was asked for, and by whom, never changes.
#[derive(Clone, Debug)]
pub struct Record {
    /// The entry, within its bounds; see [`AuditEntry::fitting`].
    pub entry: AuditEntry,
}
