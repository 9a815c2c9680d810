//! The section `log`: what is written about the running server, and where to.

use std::path::PathBuf;
use std::str::FromStr;

use crate::byte_size::ByteSize;
use crate::found::Found;
use crate::section::section;
use crate::setting::{Setting, quoted, words};

/// Longest target that has a level of its own, in bytes.
const MAX_TARGET: usize = 100;
/// The first names of what is ours; others have no level of their own below "info".
const OURS: [&str; 4] = ["angarium", "actors", "store", "supervision"];

words! {
    /// How much is logged.
    pub enum LogLevel ("one of") {
        /// What the operator must act on.
        Error = "error",
        /// What may become an error.
        Warn = "warn",
        /// What happened: each step of a message, a few lines a start.
        Info = "info",
        /// What was decided, and why.
        Debug = "debug",
        /// Everything; never content of messages.
        Trace = "trace",
    }
}

words! {
    /// How a line is written.
    pub enum LogFormat ("one of") {
        /// For people.
        Text = "text",
        /// For programs: one JSON object a line.
        Json = "json",
    }
}

/// The level of one target and of all below it: `angarium::smtp=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTarget {
    target: String,
    level: LogLevel,
}

impl LogTarget {
    /// The target, as the log names it.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The least important lines of it to write.
    #[must_use]
    pub const fn level(&self) -> LogLevel {
        self.level
    }
}

/// What is no target with a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a target and its level, such as angarium::smtp=debug; of libraries at most info")]
pub struct NotALogTarget;

impl FromStr for LogTarget {
    type Err = NotALogTarget;

    fn from_str(text: &str) -> Result<Self, NotALogTarget> {
        Self::of(text).ok_or(NotALogTarget)
    }
}

impl LogTarget {
    fn of(text: &str) -> Option<Self> {
        let (target, word) = text.split_once('=')?;
        let is_name = |part: &str| {
            let mut octets = part.bytes();
            !part.is_empty() && octets.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let is_target = target.len() <= MAX_TARGET && target.split("::").all(is_name);
        let level = LogLevel::read(&Found::Text(word.to_owned()))?;
        let is_ours = target
            .split("::")
            .next()
            .is_some_and(|first| OURS.contains(&first));
        // Other people's crates write what they carry when they are asked for more: ractor_cluster whole messages.
        (is_target && (is_ours || level <= LogLevel::Info)).then(|| Self {
            target: target.to_owned(),
            level,
        })
    }
}

impl Setting for LogTarget {
    const NOUN: &'static str = "a target and its level, of others than ours at most info,";
    const EXAMPLE: &'static str = "\"angarium::smtp=debug\"";

    fn read(found: &Found) -> Option<Self> {
        found.text()?.parse().ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(format_args!("{}={}", self.target, self.level)))
    }
}

section! {
    /// What is logged, and where to. Never passwords, never content of messages.
    pub struct Log {
        /// The least important lines to write: "error", "warn", "info", "debug" or "trace".
        level: LogLevel = LogLevel::Info;

        /// Other levels for some targets, such as ["angarium::smtp=debug", "angarium::message=warn"]. They hold for
        /// what is below them, too; the longest counts. Of libraries at most "info".
        targets: Vec<LogTarget> = Vec::new();

        /// How lines are written, on standard error and in the file: "text" or "json".
        format: LogFormat = LogFormat::Text;

        /// Whether lines go to standard error. Text has colours if that is a terminal and NO_COLOR is not set.
        stderr: bool = true;

        /// The file that lines go to.
        file: Option<PathBuf> = None;

        /// The size at which a file is full. It is renamed to have .1 behind its name, and a new one begins.
        file_size: ByteSize = ByteSize::mib(64), ByteSize::kib(64)..=ByteSize::gib(16);

        /// Full files that are kept; the oldest goes when there are more.
        file_count: u32 = 7, 0..=1_000;

        /// Whether lines go to the journal of systemd, each field of its own. Not beside standard error where systemd
        /// writes that to the journal already.
        journald: bool = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_level() {
        for (text, expected) in [
            ("angarium::smtp=debug", Some("\"angarium::smtp=debug\"")),
            ("actors=trace", Some("\"actors=trace\"")),
            ("rustls=info", Some("\"rustls=info\"")),
            ("rustls=debug", None),
            ("ractor_cluster::node=trace", None),
            ("angariumx=debug", None),
            ("angarium", None),
            ("angarium=", None),
            ("=info", None),
            ("a b=info", None),
            ("a::=info", None),
            ("a=verbose", None),
        ] {
            let target = LogTarget::read(&Found::Text(text.to_owned()));
            assert_eq!(
                target.and_then(|target| target.print()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
