//! Record: an entry of the audit is made once and ended once.

use super::{Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    command::Record,
    key::{Key, audit::audit as audit_key},
    record::audit::{
        AuditEntry, AuditOutcome, MAX_AUDIT_DETAIL_OCTETS, MAX_AUDIT_LINE_OCTETS, MAX_AUDIT_TEXT_OCTETS,
    },
};

pub(super) fn footprint(command: &Record, keys: &mut Vec<Key>) {
    keys.push(audit_key(command.entry.id));
}

pub(super) fn record(command: &Record, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let entry = &command.entry;
    check(entry)?;
    let key = audit_key(entry.id);
    // A damaged entry must not keep the end of a change from being told.
    if let Some(before) = draft.find_whole::<AuditEntry>(&key)? {
        if before == *entry {
            return Ok(Outcome::Done);
        }
        if !before.is_same_request(entry) {
            return Err(Rejected::NotPermitted("an entry is of one request"));
        }
        if before.outcome != AuditOutcome::Begun {
            return Err(Rejected::Exists(Noun::AuditEntry));
        }
    }
    draft.put(key, entry)?;
    Ok(Outcome::Done)
}

fn check(entry: &AuditEntry) -> Result<(), Rejected> {
    let AuditEntry {
        who,
        line,
        reason,
        what,
        inverse,
        outcome,
        detail,
        ..
    } = entry;
    bounded("who", who.len(), MAX_AUDIT_TEXT_OCTETS)?;
    bounded("line", line.len(), MAX_AUDIT_LINE_OCTETS)?;
    bounded(
        "reason",
        reason.as_deref().map_or(0, str::len),
        MAX_AUDIT_TEXT_OCTETS,
    )?;
    bounded("sentence", what.len(), MAX_AUDIT_TEXT_OCTETS)?;
    bounded(
        "inverse",
        inverse.as_deref().map_or(0, str::len),
        MAX_AUDIT_LINE_OCTETS,
    )?;
    bounded("detail", detail.len(), MAX_AUDIT_DETAIL_OCTETS)?;
    match outcome {
        AuditOutcome::Failed(why) => bounded("failure", why.len(), MAX_AUDIT_TEXT_OCTETS),
        AuditOutcome::Begun | AuditOutcome::Done | AuditOutcome::Unknown => Ok(()),
    }
}
