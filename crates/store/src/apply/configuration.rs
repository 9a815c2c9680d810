//! KeepConfiguration: one is kept, and older ones go.

use super::{Outcome, Rejected, bounded, draft::Draft};
use crate::{
    command::KeepConfiguration,
    key::{Key, configuration::configuration as configuration_key},
    record::configuration::{
        KeptConfiguration, MAX_KEPT_CONFIGURATIONS, MAX_KEPT_DOCUMENTS, MAX_KEPT_OCTETS,
    },
};

pub(super) fn footprint(command: &KeepConfiguration, keys: &mut Vec<Key>) {
    keys.push(configuration_key(command.kept.id));
}

pub(super) fn keep(command: &KeepConfiguration, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let KeepConfiguration { kept, forget } = command;
    bounded("documents", kept.documents.len(), MAX_KEPT_DOCUMENTS)?;
    bounded("configuration", kept.octets(), MAX_KEPT_OCTETS)?;
    bounded("rows", forget.len(), MAX_KEPT_CONFIGURATIONS)?;
    let key = configuration_key(kept.id);
    if draft.find_whole::<KeptConfiguration>(&key)?.is_some() {
        return Ok(Outcome::Done);
    }
    for &old in forget.iter().filter(|old| **old != kept.id) {
        draft.delete(configuration_key(old));
    }
    draft.put(key, kept)?;
    Ok(Outcome::Done)
}
