//! Results of commands, kept for a bounded time under the command's id, so that a repeat is answered and not done.

use message::id::CommandId;

use crate::{
    apply::{Outcome, Rejected},
    batch::Op,
    engine::{Engine, StoreError},
    key,
    record::{self, once::CommandResult},
};

/// Keeps the outcome of a command.
pub(crate) fn put(id: CommandId, outcome: &Outcome) -> Result<Op, Rejected> {
    let result = record::encode(&CommandResult {
        outcome: outcome.clone(),
    })?;
    Ok(Op::Put(key::once::result(id), result))
}

/// The outcome kept for a command.
pub(crate) fn get<E: Engine>(engine: &E, id: CommandId) -> Result<Option<Outcome>, StoreError> {
    let Some(value) = engine.get(&key::once::result(id))? else {
        return Ok(None);
    };
    match record::decode::<CommandResult>(&value) {
        Ok(result) => Ok(Some(result.outcome)),
        Err(error) => Err(StoreError::Unreadable(format!("command {id}: {error}"))),
    }
}
