//! Where settings come from, and which of two sources wins.

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::alias::{Alias, Flag};
use crate::document;
use crate::error::{ConfigError, Mistake, Place};
use crate::found::Found;

/// Longest `--set` argument, variable or flag that is looked at, in bytes.
const MAX_ASSIGNMENT: usize = 8 * 1024;
/// Longest part of such an argument that names it in an error, in characters.
const MAX_NAME: usize = 80;

/// One source of settings: a file, a variable of the environment, or an argument of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    layer: Layer,
    kind: Kind,
    content: Vec<u8>,
}

/// What the content of a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// A document of TOML.
    Document,
    /// What is said of a document that could not be read.
    Unreadable,
    /// An assignment, `section.key=value`.
    Assignment,
    /// The value of what has this path.
    Value(Vec<String>),
    /// The value of what has a short name.
    Short(Alias),
}

impl Source {
    /// The content of a file, under the name that errors call it by.
    #[must_use]
    pub fn file(name: impl Into<Arc<str>>, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            layer: Layer::File,
            kind: Kind::Document,
            content: content.into(),
        }
    }

    /// A file that cannot be read, and why: a mistake, found together with those of the other sources.
    #[must_use]
    pub fn unreadable(name: impl Into<Arc<str>>, why: &str) -> Self {
        Self {
            name: name.into(),
            layer: Layer::File,
            kind: Kind::Unreadable,
            content: why.into(),
        }
    }

    /// A flag of the command line with its value; of those without one the value is of no matter.
    #[must_use]
    pub fn flag(flag: Flag, value: impl Into<Vec<u8>>) -> Self {
        Self {
            name: flag.name().into(),
            layer: Layer::CommandLine,
            kind: Kind::Short(flag.alias()),
            content: flag.word().map_or_else(|| value.into(), Into::into),
        }
    }

    /// A variable that sets the key with this path.
    pub(crate) fn variable(name: &str, path: Vec<String>, value: Vec<u8>) -> Self {
        let name: String = name.chars().take(MAX_NAME).flat_map(char::escape_debug).collect();
        Self {
            name: name.into(),
            layer: Layer::Environment,
            kind: Kind::Value(path),
            content: value,
        }
    }

    /// A variable with a short name.
    pub(crate) fn short_variable(name: &str, alias: Alias, value: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            layer: Layer::Environment,
            kind: Kind::Short(alias),
            content: value,
        }
    }

    /// The argument of one `--set section.key=value`. The value is TOML or a bare word: `smtp.max_errors=5`,
    /// `listeners.mx.bind=127.0.0.1:0`, `routes."bench.test".kind=discard`.
    #[must_use]
    pub fn command_line(assignment: impl Into<Vec<u8>>) -> Self {
        let content = assignment.into();
        let text = String::from_utf8_lossy(content.get(..MAX_ASSIGNMENT).unwrap_or(&content)).into_owned();
        let key = key_and_value(&text).map_or(text.as_str(), |(key, _)| key.trim());
        let name: String = key.chars().take(MAX_NAME).flat_map(char::escape_debug).collect();
        // A quoted domain reads better without the escapes of its quotes.
        let name = format!("--set {}", name.replace("\\\"", "\""));
        Self {
            name: name.into(),
            layer: Layer::CommandLine,
            kind: Kind::Assignment,
            content,
        }
    }

    /// The settings of a profile.
    pub(crate) fn profile(name: &str, text: &str) -> Self {
        Self {
            name: format!("profile {name}").into(),
            layer: Layer::Profile,
            kind: Kind::Document,
            content: text.into(),
        }
    }

    pub(crate) const fn layer(&self) -> Layer {
        self.layer
    }

    pub(crate) const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Everything the source assigns, in its order, and what could not be read.
    pub(crate) fn read(&self) -> Reading {
        match &self.kind {
            Kind::Document if self.layer == Layer::Profile => self.read_profile(),
            Kind::Document => document::read(&self.name, &self.content),
            Kind::Unreadable => self.lost(),
            Kind::Assignment => self.read_assignment(),
            Kind::Value(path) => match self.text() {
                Ok(value) => self.one(path.clone(), Part::Whole, found(value.trim())),
                Err(why) => self.wrong(Mistake::Syntax(why)),
            },
            Kind::Short(alias) => match self.text().map(|value| alias.assign(value.trim())) {
                Ok(Ok((path, part, found))) => self.one(path, part, found),
                Ok(Err(why)) => self.wrong(Mistake::Conflict(why.to_owned())),
                Err(why) => self.wrong(Mistake::Syntax(why)),
            },
        }
    }

    /// A profile is no file that somebody could look into: its lines are of no matter.
    fn read_profile(&self) -> Reading {
        let mut reading = document::read(&self.name, &self.content);
        for assignment in &mut reading.assignments {
            assignment.key_place = self.place();
            assignment.value_place = self.place();
        }
        reading
    }

    /// The content, if it is text of a bounded length.
    fn text(&self) -> Result<&str, String> {
        if self.content.len() > MAX_ASSIGNMENT {
            return Err(format!("longer than {MAX_ASSIGNMENT} bytes"));
        }
        std::str::from_utf8(&self.content).map_err(|_| "not UTF-8".to_owned())
    }

    fn read_assignment(&self) -> Reading {
        let assignment = self
            .text()
            .ok()
            .and_then(key_and_value)
            .and_then(|(key, value)| Some((key_path(key)?, found(value.trim()))));
        match assignment {
            Some((path, found)) => self.one(path, Part::Whole, found),
            None => self.wrong(Mistake::Syntax("expected section.key=value".to_owned())),
        }
    }

    /// What is read of a source that cannot be read.
    fn lost(&self) -> Reading {
        let why = String::from_utf8_lossy(&self.content).into_owned();
        let mut reading = self.wrong(Mistake::Unreadable(why));
        reading.is_lost = true;
        reading
    }

    fn one(&self, path: Vec<String>, part: Part, found: Found) -> Reading {
        let place = self.place();
        Reading {
            assignments: vec![Assignment {
                path,
                part,
                found,
                key_place: place.clone(),
                value_place: place,
            }],
            ..Reading::default()
        }
    }

    fn wrong(&self, mistake: Mistake) -> Reading {
        Reading {
            errors: vec![ConfigError {
                place: self.place(),
                key: String::new(),
                mistake,
            }],
            ..Reading::default()
        }
    }

    /// The source as a whole.
    fn place(&self) -> Place {
        match self.kind {
            Kind::Assignment | Kind::Value(_) => Place::assignment(&self.name),
            Kind::Document | Kind::Unreadable | Kind::Short(_) => Place::whole(&self.name),
        }
    }
}

/// Which source wins: a later layer lays its values over those of an earlier one. Below all are the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// The profile.
    Profile,
    /// A file.
    File,
    /// A variable of the environment.
    Environment,
    /// The command line.
    CommandLine,
}

/// One value that a source gives to one key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    /// Section, perhaps the name of its table, and key.
    pub(crate) path: Vec<String>,
    /// What of the key is set.
    pub(crate) part: Part,
    /// What is assigned.
    pub(crate) found: Found,
    /// Where the key stands.
    pub(crate) key_place: Place,
    /// Where the value stands.
    pub(crate) value_place: Place,
}

/// What of a key an assignment sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Whole,
    /// Of the addresses of a listener the hosts; the port stays.
    Host,
    /// Of the addresses of a listener the port; the hosts stay.
    Port,
}

/// What was read of a source.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// In the order of the source.
    pub(crate) assignments: Vec<Assignment>,
    /// What could not be read.
    pub(crate) errors: Vec<ConfigError>,
    /// Keys and sections that could not be read: what seems to be missing may be what could not be read.
    pub(crate) torn: Vec<String>,
    /// Whether nothing at all could be read: then nothing is said to be missing.
    pub(crate) is_lost: bool,
}

/// Splits at the first equals sign outside quotes.
fn key_and_value(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((text.get(..at)?, text.get(at + 1..)?)),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The parts of a dotted key; some may be quoted. RFC-free: the grammar is TOML's.
fn key_path(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '=', '[', '{']) {
        return None;
    }
    let document = format!("{key} = 0");
    let table = DeTable::parse(&document).ok()?.into_inner();
    let mut path = Vec::new();
    let mut next = table.into_iter().next();
    while let Some((name, value)) = next {
        path.push(name.into_inner().into_owned());
        next = match value.into_inner() {
            DeValue::Table(table) => table.into_iter().next(),
            _ => None,
        };
    }
    Some(path)
}

/// A quoted string, an array or a table as TOML reads it; everything else is a word, so that `min_version=1.2`
/// is text and no number.
fn found(value: &str) -> Found {
    if value.starts_with(['"', '\'', '[', '{'])
        && let Ok(value) = DeValue::parse(value)
    {
        return Found::from_toml(value.get_ref(), &|_| None);
    }
    Found::Word(value.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::found::Item;

    fn check(argument: &str, name: &str, expected: Option<(&[&str], Found)>) {
        let source = Source::command_line(argument);
        assert_eq!(&*source.name, name, "{argument:?}");
        let reading = source.read();
        let got = reading
            .assignments
            .first()
            .map(|a| (a.path.iter().map(String::as_str).collect(), a.found.clone()));
        assert_eq!(
            got,
            expected.map(|(path, found)| (path.to_vec(), found)),
            "{argument:?}"
        );
        assert_eq!(reading.errors.is_empty(), got.is_some(), "{argument:?}");
    }

    #[test]
    fn reads_a_path_and_a_word() {
        let word = |text: &str| Found::Word(text.to_owned());
        check(
            "smtp.max_errors=5",
            "--set smtp.max_errors",
            Some((&["smtp", "max_errors"], word("5"))),
        );
        check(
            " smtp.max_errors = 5 ",
            "--set smtp.max_errors",
            Some((&["smtp", "max_errors"], word("5"))),
        );
        check(
            "tls.min_version=1.2",
            "--set tls.min_version",
            Some((&["tls", "min_version"], word("1.2"))),
        );
        check(
            "smtp.greeting=\"a = b\"",
            "--set smtp.greeting",
            Some((&["smtp", "greeting"], Found::Text("a = b".to_owned()))),
        );
        check(
            "routes.\"bench.test\".kind=discard",
            "--set routes.\"bench.test\".kind",
            Some((&["routes", "bench.test", "kind"], word("discard"))),
        );
        check("smtp=5", "--set smtp", Some((&["smtp"], word("5"))));
        check(
            "smtp.greeting=",
            "--set smtp.greeting",
            Some((&["smtp", "greeting"], word(""))),
        );
        let one = Item {
            found: Found::Integer(Some(1)),
            place: None,
        };
        check(
            "a.b=[1]",
            "--set a.b",
            Some((&["a", "b"], Found::List(vec![one]))),
        );
    }

    #[test]
    fn refuses_what_is_no_assignment() {
        check("", "--set ", None);
        check("smtp.max_errors", "--set smtp.max_errors", None);
        check("=5", "--set ", None);
        check("a..b=5", "--set a..b", None);
        check("a\nb=5", "--set a\\nb", None);
        check("\"a=5", "--set \"a=5", None);
    }

    proptest! {
        #[test]
        fn any_argument_is_answered(argument in proptest::collection::vec(any::<u8>(), 0..200)) {
            let reading = Source::command_line(argument).read();
            prop_assert_eq!(reading.assignments.len() + reading.errors.len(), 1);
        }

        #[test]
        fn anything_like_an_assignment_is_answered(argument in "[a.\"'=\\[{}\\] \n#]{0,12}=[\"'\\[{5a, }\\]\n]{0,8}") {
            let reading = Source::command_line(argument).read();
            prop_assert_eq!(reading.assignments.len() + reading.errors.len(), 1);
        }
    }
}
