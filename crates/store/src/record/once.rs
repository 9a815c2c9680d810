//! What makes a change happen once.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::apply::outcome::{Appended, Outcome};

/// The result of a command that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// What its proposer was told.
    pub outcome: Outcome,
}

impl Record for CommandResult {
    const NAME: &'static str = "result of a command";
    const VERSION: u8 = 1;
}

impl Record for Appended {
    const NAME: &'static str = "record of an append";
    const VERSION: u8 = 1;
}
