//! What is wrong with a configuration, and where.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// One mistake of the operator. Printed as one line: `angarium.toml:12:5: smtp.max_recipient: unknown key; did
/// you mean smtp.max_recipients?`
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// The path of the key, `smtp.max_recipients`; empty where the text could not be read that far.
    pub key: String,
    /// What is wrong.
    pub mistake: Mistake,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() || self.place.names_key {
            return write!(f, "{}: {}", self.place, self.mistake);
        }
        write!(f, "{}: {}: {}", self.place, self.key, self.mistake)
    }
}

/// What is wrong. Repeats at most a short part of a value, escaped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mistake {
    /// The text is not TOML, not UTF-8, or too long.
    #[error("{0}")]
    Syntax(String),
    /// The file cannot be read; what the system says.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// No setting has this name; the nearest that exists.
    #[error("unknown key{}", question(.nearest))]
    UnknownKey {
        /// The path of the nearest known key, if one is near.
        nearest: Option<String>,
    },
    /// The value is of another type, out of its limits, or not one of the words.
    #[error("expected {expected}, found {found}{}", question(.nearest))]
    Unexpected {
        /// What the key takes.
        expected: String,
        /// What stands there.
        found: String,
        /// The nearest word allowed, if one is near.
        nearest: Option<String>,
    },
    /// A key without a default is not set.
    #[error("required: {0}")]
    Missing(String),
    /// The value is well in itself, but not beside another.
    #[error("{0}")]
    Conflict(String),
    /// More mistakes than are listed; the number listed.
    #[error("too many mistakes; only the first {0} are listed")]
    TooMany(usize),
}

/// Where something stands in a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The name of the source: a file, `SMTP_PORT`, `--port` or `--set smtp.max_errors`.
    pub source: Arc<str>,
    /// Line and column, both from 1, the column in characters; `None` where the source has none.
    pub position: Option<(usize, usize)>,
    /// Whether the name of the source holds the path of the key already.
    names_key: bool,
}

impl Place {
    /// A place in a text.
    pub(crate) fn at(source: &Arc<str>, line: usize, column: usize) -> Self {
        Self {
            source: Arc::clone(source),
            position: Some((line, column)),
            names_key: false,
        }
    }

    /// A source as a whole.
    pub(crate) fn whole(source: &Arc<str>) -> Self {
        Self {
            source: Arc::clone(source),
            position: None,
            names_key: false,
        }
    }

    /// A source that is one assignment and named after its key.
    pub(crate) fn assignment(source: &Arc<str>) -> Self {
        Self {
            source: Arc::clone(source),
            position: None,
            names_key: true,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.source),
            None => f.write_str(&self.source),
        }
    }
}

fn question(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
