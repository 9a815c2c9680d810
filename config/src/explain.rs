//! Where each value comes from: what `angarium check config --explain` prints.

use std::fmt;

use crate::config::{Config, parse_sourced};
use crate::draft::{Draft, printed};
use crate::error::{ConfigError, Place};
use crate::profile::Profile;
use crate::section::Section;
use crate::source::{Layer, Source};

/// One key, its value, and where that comes from. No setting holds a secret: keys and passwords are in files and in the
/// store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The path of the key, `smtp.max_recipients`.
    pub key: String,
    /// The value as TOML, which is JSON as well; `None` where there is none.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// No source has given another.
    Default,
    /// The profile.
    Profile(Profile),
    /// A line of a file.
    File(Place),
    /// A variable of the environment.
    Environment(String),
    /// An argument of the command line.
    CommandLine(String),
}

impl Origin {
    /// The kind of source, in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Profile(_) => "profile",
            Self::File(_) => "file",
            Self::Environment(_) => "environment",
            Self::CommandLine(_) => "command line",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Profile(profile) => write!(f, "profile {profile}"),
            Self::File(place) => write!(f, "{place}"),
            Self::Environment(name) | Self::CommandLine(name) => f.write_str(name),
        }
    }
}

/// Reads all sources as [`crate::parse`] does, and says of each key where its value comes from: in the order of the
/// sample, listeners that are not opened included.
///
/// # Errors
/// As [`crate::parse`].
pub fn explain(sources: &[Source], fallback: Profile) -> Result<Vec<Explained>, Vec<ConfigError>> {
    parse_sourced(sources, fallback).map(|sourced| sourced.values)
}

/// Where each value of a draft comes from.
pub(crate) fn explain_draft(draft: &Draft) -> Vec<Explained> {
    let mut explained = Vec::new();
    for name in Config::SECTIONS {
        if let Some(section) = draft.config.section(name) {
            explain_section(draft, &[name], section, &mut explained);
        }
        let tables = draft.config.tables(name);
        for (table, section) in tables.map(|tables| tables.all()).unwrap_or_default() {
            explain_section(draft, &[name, table], section, &mut explained);
        }
    }
    explained
}

fn explain_section(draft: &Draft, path: &[&str], section: &dyn Section, explained: &mut Vec<Explained>) {
    for key in section.keys() {
        let path = printed(&[path, &[key.name]].concat());
        let origin = match draft.place(&path) {
            Some(place) => origin(draft, place),
            // The profile itself is known before anything is laid down.
            None => Origin::Default,
        };
        explained.push(Explained {
            value: section.print(key.name),
            origin,
            key: path,
        });
    }
}

fn origin(draft: &Draft, place: &Place) -> Origin {
    let name = || place.source.to_string();
    match draft.layer(place) {
        None => Origin::Default,
        Some(Layer::Profile) => Origin::Profile(draft.config.server.profile),
        Some(Layer::File) => Origin::File(place.clone()),
        Some(Layer::Environment) => Origin::Environment(name()),
        Some(Layer::CommandLine) => Origin::CommandLine(name()),
    }
}
