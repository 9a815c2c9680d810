//! The audit and the configurations that were in force, as the model has them.

use store::{
    apply::Outcome,
    command::{KeepConfiguration, Record},
    record::{
        audit::AuditOutcome,
        configuration::{MAX_KEPT_CONFIGURATIONS, MAX_KEPT_DOCUMENTS, MAX_KEPT_OCTETS},
    },
};

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

    pub(super) fn keep_configuration(&mut self, command: &KeepConfiguration) -> Result<Outcome, Refusal> {
        let KeepConfiguration { kept, forget } = command;
        let is_large = kept.documents.len() > MAX_KEPT_DOCUMENTS || kept.octets() > MAX_KEPT_OCTETS;
        if is_large || forget.len() > MAX_KEPT_CONFIGURATIONS {
            return Err("TooLarge");
        }
        if !self.configurations.contains_key(&kept.id) {
            self.configurations.retain(|id, _| !forget.contains(id));
            self.configurations.insert(kept.id, kept.clone());
        }
        Ok(Outcome::Done)
    }
}
