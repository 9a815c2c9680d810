//! Results of commands, kept for a bounded time under the command's id, so that a repeat is answered and not done.

use bytes::Bytes;
use message::id::CommandId;

use crate::{
    apply::{Outcome, Rejected},
    batch::Op,
    engine::StoreError,
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

/// The outcome in the record that is kept for a command.
pub(crate) fn outcome(id: CommandId, record: &Bytes) -> Result<Outcome, StoreError> {
    match record::decode::<CommandResult>(record) {
        Ok(result) => Ok(result.outcome),
        Err(error) => Err(StoreError::Unreadable(format!("command {id}: {error}"))),
    }
}
