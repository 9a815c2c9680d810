//! What a proposer is told when its command did not commit.

use crate::apply::{Outcome, Rejected};

/// The answer to a proposal.
pub type Answer = Result<Outcome, ProposeError>;

/// Why a proposal did not commit, or why nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProposeError {
    /// The committer has more waiting than it may have; nothing was changed. SMTP says 451 4.3.2.
    #[error("the store is overloaded")]
    Overloaded,
    /// The command was refused; nothing was changed.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// A write or a sync failed. What became of the command is known after the next start; the process must end.
    #[error("the store is poisoned")]
    Poisoned,
    /// The store is closed, or closed before it answered: what became of the command is known after the next start.
    #[error("the store closed before it answered")]
    Unknown,
}
