//! The audit, as the model has it.

use store::{apply::Outcome, command::Record, record::audit::AuditOutcome};

use super::{Model, Refusal};

impl Model {
    pub(super) fn record(&mut self, command: &Record) -> Result<Outcome, Refusal> {
        let entry = &command.entry;
        if entry.clone().fitting() != *entry {
            return Err("TooLarge");
        }
        match self.audit.get(&entry.id) {
            Some(before) if before == entry => return Ok(Outcome::Done),
            Some(before)
                if (before.at, &before.who, &before.line, &before.reason)
                    != (entry.at, &entry.who, &entry.line, &entry.reason) =>
            {
                return Err("NotPermitted");
            }
            Some(before) if before.outcome != AuditOutcome::Begun => return Err("Exists"),
            Some(_) | None => {}
        }
        self.audit.insert(entry.id, entry.clone());
        Ok(Outcome::Done)
    }
}
