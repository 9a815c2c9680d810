//! Draft: the settings while sources are laid over each other, with the place of each and what went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::config::{Config, MAX_ERRORS};
use crate::error::{ConfigError, Mistake, Place};
use crate::nearest::nearest;
use crate::profile::Profile;
use crate::section::Section;
use crate::setting::{Refused, Wrong, read, read_within};
use crate::source::{Assignment, Layer, Part, Reading, Source};

/// The port of a listener that was given a host alone (RFC 5321 §4.5.4.2).
const SMTP_PORT: u16 = 25;
/// Longest part of a key that an error repeats, in characters.
const MAX_SHOWN: usize = 60;

/// The settings while sources are laid over each other.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What is settled so far.
    pub(crate) config: Config,
    /// Mistakes so far; a few more than are listed at most.
    pub(crate) errors: Vec<ConfigError>,
    /// Where the winning value of each key stands; a key without a place has its default.
    places: BTreeMap<String, Place>,
    /// The sources taken so far: which wins.
    order: Vec<(Arc<str>, Layer)>,
    /// Whether a source could not be read at all.
    pub(crate) is_lost: bool,
    /// Keys with a value that was refused, and sections of which something could not be read.
    unsettled: BTreeSet<String>,
    /// Sections and tables that were refused as a whole, each by source: their keys are not reported as well.
    refused: BTreeSet<(Arc<str>, String)>,
}

impl Draft {
    /// The settings of a profile, above the defaults.
    pub(crate) fn of(profile: Profile) -> Self {
        let mut config = Config::bare();
        config.server.profile = profile;
        let mut draft = Self {
            config,
            errors: Vec::new(),
            places: BTreeMap::new(),
            order: Vec::new(),
            is_lost: false,
            unsettled: BTreeSet::new(),
            refused: BTreeSet::new(),
        };
        let source = Source::profile(profile.word(), profile.text());
        draft.take(&source, source.read());
        draft
    }

    /// Lays a source over what is there.
    pub(crate) fn take(&mut self, source: &Source, reading: Reading) {
        self.order.push((Arc::clone(source.name()), source.layer()));
        self.is_lost |= reading.is_lost;
        self.errors.extend(reading.errors);
        self.unsettled.extend(reading.torn);
        for assignment in &reading.assignments {
            if self.errors.len() > MAX_ERRORS {
                break;
            }
            self.assign(assignment);
        }
    }

    /// All mistakes in the order of the sources and of their lines.
    pub(crate) fn sorted_errors(&mut self) -> Vec<ConfigError> {
        let mut errors = std::mem::take(&mut self.errors);
        errors.sort_by_cached_key(|error| self.rank(&error.place));
        errors
    }

    /// Where a key was set, if it was.
    pub(crate) fn place(&self, path: &str) -> Option<&Place> {
        self.places.get(path)
    }

    /// The place of whichever of these keys was set last: the one that an operator has just written.
    pub(crate) fn last_place(&self, paths: &[&str]) -> Option<&Place> {
        paths
            .iter()
            .filter_map(|path| self.place(path))
            .max_by_key(|place| self.rank(place))
    }

    /// Earlier places are weaker.
    pub(crate) fn rank(&self, place: &Place) -> (usize, Option<(usize, usize)>) {
        let source = self.order.iter().position(|(name, _)| *name == place.source);
        (source.map_or(0, |index| index + 1), place.position)
    }

    /// Whether the value of a key is what was meant: neither it nor its section had a mistake that could change it.
    pub(crate) fn is_settled(&self, path: &str) -> bool {
        let section = path.split('.').next().unwrap_or_default();
        !self.unsettled.contains(path) && !self.unsettled.contains(section)
    }

    /// Of which kind the source of a place is.
    pub(crate) fn layer(&self, place: &Place) -> Option<Layer> {
        let source = self.order.iter().find(|(name, _)| *name == place.source);
        source.map(|(_, layer)| *layer)
    }

    fn assign(&mut self, assignment: &Assignment) {
        if assignment.part != Part::Whole {
            return self.set_bind(assignment);
        }
        let path: Vec<&str> = assignment.path.iter().map(String::as_str).collect();
        let is_named = path.first().is_some_and(|section| Config::is_named(section));
        match *path.as_slice() {
            [section] if is_named || self.config.section(section).is_some() => self.expect_table(assignment),
            [section, ref rest @ ..] if !is_named && self.config.section(section).is_none() => {
                self.unknown_section(section, rest.first().copied(), assignment);
            }
            [section, name] if is_named => {
                self.open(section, name, assignment);
                self.expect_table(assignment);
            }
            [section, key] => self.set(section, key, assignment),
            [section, name, key] if is_named => self.set_named(section, name, key, assignment),
            _ => self.report(
                &assignment.key_place,
                assignment,
                Mistake::UnknownKey { nearest: None },
            ),
        }
    }

    fn expect_table(&mut self, assignment: &Assignment) {
        if assignment.found.is_table() {
            return;
        }
        let mistake = Mistake::Unexpected {
            expected: format!("a table such as [{}]", printed(&assignment.path)),
            found: assignment.found.to_string(),
            nearest: None,
        };
        self.report(&assignment.value_place, assignment, mistake);
    }

    fn unknown_section(&mut self, section: &str, key: Option<&str>, assignment: &Assignment) {
        let id = (Arc::clone(&assignment.key_place.source), section.to_owned());
        if !self.refused.insert(id) {
            return;
        }
        let near = nearest(section, Config::SECTIONS.iter().copied());
        let nearest = match (near, key) {
            (Some(near), Some(key)) if self.has_key(near, key) => Some(format!("{near}.{key}")),
            (Some(near), _) => Some(near.to_owned()),
            (None, _) => self.sections_with(section),
        };
        self.report(&assignment.key_place, assignment, Mistake::UnknownKey { nearest });
    }

    /// Makes the table with this name; false if it cannot have this name.
    fn open(&mut self, section: &str, name: &str, assignment: &Assignment) -> bool {
        let Some(tables) = self.config.tables_mut(section) else {
            return false;
        };
        if tables.open(name).is_some() {
            let table = printed(&[section, name]);
            self.places
                .entry(table)
                .or_insert_with(|| assignment.key_place.clone());
            return true;
        }
        let expected = tables.expected();
        let table = [section.to_owned(), name.to_owned()];
        if self
            .refused
            .insert((Arc::clone(&assignment.key_place.source), printed(&table)))
        {
            let found = part(name, true);
            let mistake = Mistake::Unexpected {
                expected,
                found,
                nearest: None,
            };
            self.report(&assignment.key_place, assignment, mistake);
        }
        false
    }

    fn set(&mut self, section: &str, key: &str, assignment: &Assignment) {
        let Some(table) = self.config.section_mut(section) else {
            return;
        };
        let result = table.set(key, &assignment.found);
        self.settle(result, assignment);
    }

    fn set_named(&mut self, section: &str, name: &str, key: &str, assignment: &Assignment) {
        self.open(section, name, assignment);
        let Some(tables) = self.config.tables_mut(section) else {
            return;
        };
        // The keys of a table with an impossible name are looked at all the same: they may be wrong, too.
        let mut blank = tables.blank();
        let table = tables.open(name).unwrap_or(blank.as_mut());
        let result = table.set(key, &assignment.found);
        self.settle(result, assignment);
    }

    /// Gives the addresses of a listener other hosts or another port. A listener that nobody has declared speaks SMTP.
    fn set_bind(&mut self, assignment: &Assignment) {
        let [section, name, _] = assignment.path.as_slice() else {
            return;
        };
        let place = &assignment.value_place;
        for path in [format!("{section}.{name}"), format!("{section}.{name}.protocol")] {
            self.places.entry(path).or_insert_with(|| place.clone());
        }
        let bind = &mut self.config.listeners.entry(name.clone()).or_default().bind;
        let result = if assignment.part == Part::Host {
            let port = bind.first().map_or(SMTP_PORT, SocketAddr::port);
            read::<Vec<IpAddr>>(&assignment.found).map(|hosts| {
                *bind = hosts
                    .into_iter()
                    .map(|host| SocketAddr::new(host, port))
                    .collect();
            })
        } else {
            read_within(&assignment.found, &(0..=u16::MAX))
                .map(|port| bind.iter_mut().for_each(|address| address.set_port(port)))
        };
        if result.is_ok() && bind.is_empty() {
            let mistake = Mistake::Missing("an address, too: give SMTP_HOST or --host".to_owned());
            self.unsettled.insert(printed(&assignment.path));
            return self.report(place, assignment, mistake);
        }
        self.settle(result, assignment);
    }

    /// Notes where a value stands, or why it was refused.
    fn settle(&mut self, result: Result<(), Refused>, assignment: &Assignment) {
        let path = printed(&assignment.path);
        match result {
            Ok(()) => {
                self.unsettled.remove(&path);
                self.places.insert(path, assignment.value_place.clone());
            }
            Err(Refused::Unknown) => {
                let nearest = self.nearest_key(&assignment.path);
                self.report(&assignment.key_place, assignment, Mistake::UnknownKey { nearest });
            }
            Err(Refused::Wrong(wrong)) => {
                self.unsettled.insert(path);
                for Wrong {
                    place,
                    expected,
                    found,
                    nearest,
                } in wrong.into_iter().take(MAX_ERRORS)
                {
                    let mistake = Mistake::Unexpected {
                        expected,
                        found,
                        nearest,
                    };
                    let place = place.as_ref().unwrap_or(&assignment.value_place);
                    self.report(place, assignment, mistake);
                }
            }
        }
    }

    fn report(&mut self, place: &Place, assignment: &Assignment, mistake: Mistake) {
        let key = printed(&assignment.path);
        self.errors.push(ConfigError {
            place: place.clone(),
            key,
            mistake,
        });
    }

    /// The nearest key of the same section, else the same key of another one.
    fn nearest_key(&self, path: &[String]) -> Option<String> {
        let (key, table) = path.split_last()?;
        let names: Vec<&str> = self.keys(table.first()?);
        if let Some(near) = nearest(key, names) {
            return Some(format!("{}.{near}", printed(table)));
        }
        self.sections_with(key)
    }

    /// The path of a key with this name, in whichever section it is.
    fn sections_with(&self, key: &str) -> Option<String> {
        Config::SECTIONS
            .iter()
            .filter(|section| !Config::is_named(section))
            .find(|section| self.has_key(section, key))
            .map(|section| format!("{section}.{key}"))
    }

    fn has_key(&self, section: &str, key: &str) -> bool {
        self.keys(section).contains(&key)
    }

    fn keys(&self, section: &str) -> Vec<&'static str> {
        let keys = match self.config.tables(section) {
            Some(tables) => tables.blank().keys(),
            None => self.config.section(section).map_or(&[][..], Section::keys),
        };
        keys.iter().map(|key| key.name).collect()
    }
}

/// A path as it is written in a file, each part cut to a bounded length.
pub(crate) fn printed(path: &[impl AsRef<str>]) -> String {
    path.iter()
        .map(|name| part(name.as_ref(), false))
        .collect::<Vec<_>>()
        .join(".")
}

fn part(name: &str, always_quoted: bool) -> String {
    let is_bare = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let shown: String = name.chars().take(MAX_SHOWN).collect();
    let more = if shown.len() < name.len() { "…" } else { "" };
    if is_bare && !always_quoted {
        format!("{shown}{more}")
    } else {
        format!("{shown:?}{more}")
    }
}
