//! Tend: one long work is under way at a time, or none.

use super::{Outcome, Rejected, bounded, draft::Draft};
use crate::{
    command::Tend,
    key::upkeep::upkeep as upkeep_key,
    record::{
        audit::MAX_AUDIT_TEXT_OCTETS,
        upkeep::{MAX_UPKEEP_LINE_OCTETS, Upkeep, UpkeepTask},
    },
};

pub(super) fn tend(command: &Tend, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    match &command.upkeep {
        Some(upkeep) => {
            check(upkeep)?;
            draft.put(upkeep_key(), upkeep)?;
        }
        None => draft.delete(upkeep_key()),
    }
    Ok(Outcome::Done)
}

fn check(upkeep: &Upkeep) -> Result<(), Rejected> {
    let reason = upkeep.reason.as_deref().map_or(0, str::len);
    let place = upkeep.place.as_ref().map_or(0, Vec::len);
    bounded("who", upkeep.who.len(), MAX_AUDIT_TEXT_OCTETS)?;
    bounded("reason", reason, MAX_AUDIT_TEXT_OCTETS)?;
    bounded("line", upkeep.line.len(), MAX_UPKEEP_LINE_OCTETS)?;
    bounded("place", place, MAX_UPKEEP_LINE_OCTETS)?;
    match &upkeep.task {
        UpkeepTask::Backup { dir, keep: _ } => bounded("directory", dir.len(), MAX_UPKEEP_LINE_OCTETS),
        UpkeepTask::Check | UpkeepTask::Reclaim => Ok(()),
    }
}
