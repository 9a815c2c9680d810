//! The pure function from a command and what it reads to what it changes.

use crate::{
    batch::{Batch, ReadSet},
    command::Proposal,
};

/// What applying a command gave.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The changes to write.
    pub batch: Batch,
    /// What the proposer is told; kept under the command's id.
    pub outcome: Outcome,
    /// What the change feed tells the live actors.
    pub changes: Vec<Change>,
}

/// The answer to a committed command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Done; nothing more to say.
    Done,
}

/// A fact for the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {}

/// Why a command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The command read a key outside its footprint, or met a record it cannot understand: our bug or damage.
    #[error("broken: {0}")]
    Broken(String),
}

/// Says what a command changes.
///
/// # Errors
/// [`Rejected`]: nothing changes, and the commands around it are not concerned.
pub fn apply(proposal: &Proposal, _read: &ReadSet) -> Result<Applied, Rejected> {
    match proposal.command {}
}
