//! Commands: the only way in which durable state changes.

use message::{id::CommandId, time::Timestamp};

use crate::key::Key;

/// A command on its way to the serial point.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Repeating a proposal under the same id returns the first result while that is retained.
    pub id: CommandId,
    /// When the proposer made it. The store reads no clock of its own: replicas must agree.
    pub at: Timestamp,
    /// What is to change.
    pub command: Command,
}

/// A durable change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Command {}

/// The keys that applying this command reads.
#[must_use]
pub fn footprint(command: &Command) -> Vec<Key> {
    match *command {}
}
