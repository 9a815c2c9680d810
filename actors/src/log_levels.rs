//! Log levels: which lines the log writes, as far as an operator asks for it. Who writes the log is not known here; it is
//! handed in.

use config::LogLevel;

/// What stands in the place of a target for all that is ours and has no level of its own.
pub const EVERYTHING: &str = "*";

/// What decides which lines are written.
pub trait LogLevels: Send + Sync {
    /// The levels that count.
    fn list(&self) -> Vec<Level>;

    /// Gives a target, or [`EVERYTHING`], another level; without one that of the configuration.
    fn set(&self, target: &str, level: Option<LogLevel>);
}

/// The level of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// The target, or [`EVERYTHING`].
    pub target: String,
    /// The least important lines of it that are written.
    pub level: LogLevel,
    /// Whether an operator said so; otherwise it is the configuration's.
    pub is_said: bool,
}
