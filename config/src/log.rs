//! The section `log`: what is written about the running server.

use crate::section::section;
use crate::setting::words;

words! {
    /// How much is logged.
    pub enum LogLevel ("one of") {
        /// What the operator must act on.
        Error = "error",
        /// What may become an error.
        Warn = "warn",
        /// What happened, a few lines a start.
        Info = "info",
        /// What was decided, and why.
        Debug = "debug",
        /// Everything; never content of messages.
        Trace = "trace",
    }
}

section! {
    /// What is logged, to stderr.
    pub struct Log {
        /// The least important lines to write: "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;
    }
}
