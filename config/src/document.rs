//! A TOML text read to its end: whatever cannot be read is reported and passed over, so that one run finds
//! every mistake.
//!
//! The parser gives up the tree at some mistakes. Each line with a mistake is therefore taken out and the text
//! read again, a bounded number of times; line numbers and the columns of all other lines stay as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::{Config, MAX_ERRORS};
use crate::error::{ConfigError, Mistake, Place};
use crate::found::Found;
use crate::source::{Assignment, Part, Reading};

/// Longest text that is read, in bytes: a configuration of ten thousand routes is half of it.
pub const MAX_DOCUMENT: usize = 1024 * 1024;
/// How often a text is read again without the lines that were wrong.
const MAX_ROUNDS: usize = 16;
/// Begins the name of the table that takes the place of a broken header; no key of ours begins so.
const BROKEN: char = '\u{e000}';

/// Reads a text.
pub(crate) fn read(source: &Arc<str>, content: &[u8]) -> Reading {
    if content.len() > MAX_DOCUMENT {
        return refused(Place::whole(source), format!("longer than {MAX_DOCUMENT} bytes"));
    }
    match std::str::from_utf8(content) {
        Ok(text) => read_text(source, text),
        Err(error) => {
            let valid = content.get(..error.valid_up_to()).unwrap_or_default();
            let ruler_text = String::from_utf8_lossy(valid);
            let place = Ruler::new(&ruler_text).place(source, ruler_text.len());
            refused(place, "not UTF-8".to_owned())
        }
    }
}

fn refused(place: Place, sentence: String) -> Reading {
    let error = ConfigError {
        place,
        key: String::new(),
        mistake: Mistake::Syntax(sentence),
    };
    Reading {
        errors: vec![error],
        is_lost: true,
        ..Reading::default()
    }
}

fn read_text(source: &Arc<str>, text: &str) -> Reading {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let mut wrong: BTreeMap<usize, ConfigError> = BTreeMap::new();
    let mut torn = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let round = lines.join("\n");
        let ruler = Ruler::new(&round);
        let (_, errors) = DeTable::parse_recoverable(&round);
        let known = wrong.len();
        for error in errors {
            if wrong.len() > MAX_ERRORS {
                break;
            }
            let at = error.span().map_or(0, |span| span.start);
            let place = ruler.place(source, at);
            let line = place.position.map_or(1, |(line, _)| line);
            let (section, key) = path_at(&lines, line);
            wrong.entry(line).or_insert_with(|| {
                torn.push(if key.is_empty() { section } else { key.clone() });
                ConfigError {
                    place,
                    key,
                    mistake: Mistake::Syntax(one_line(error.message())),
                }
            });
        }
        if wrong.len() == known || wrong.len() > MAX_ERRORS {
            break;
        }
        for number in wrong.keys() {
            if let Some(line) = lines.get_mut(number - 1) {
                *line = without(line, *number);
            }
        }
    }
    let last = lines.join("\n");
    let (table, _) = DeTable::parse_recoverable(&last);
    let assignments = Walk {
        source,
        ruler: Ruler::new(&last),
        assignments: Vec::new(),
    }
    .document(table.get_ref());
    Reading {
        assignments,
        errors: wrong.into_values().collect(),
        torn,
        is_lost: false,
    }
}

/// What stands in the place of a wrong line: nothing, or for a header a table of its own, so that the keys below
/// are not taken for keys of the table above.
fn without(line: &str, number: usize) -> String {
    let header = line.trim();
    if !header.starts_with('[') || header.contains(BROKEN) {
        return String::new();
    }
    let name = header
        .trim_start_matches('[')
        .split(']')
        .next()
        .unwrap_or_default()
        .trim();
    let is_key = name
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(is_bare));
    if is_key {
        format!("[\"{BROKEN}{number}\".{name}]")
    } else {
        format!("[\"{BROKEN}{number}\"]")
    }
}

/// The section that a line belongs to and the path of the key that it sets, as far as both can be told.
fn path_at(lines: &[String], number: usize) -> (String, String) {
    let above = lines.get(..number).unwrap_or(lines);
    let header = above
        .iter()
        .rev()
        .map(|line| line.trim())
        .find(|line| line.starts_with('['));
    let table = header.map_or("", |line| {
        line.trim_start_matches('[')
            .split(']')
            .next()
            .unwrap_or_default()
            .trim()
    });
    let section = table.split('.').next().unwrap_or_default().to_owned();
    let key = above
        .last()
        .and_then(|line| line.split_once('='))
        .map_or("", |(key, _)| key.trim());
    let is_plain =
        |path: &str| !path.is_empty() && path.len() <= 80 && path.bytes().all(|b| is_bare(b) || b == b'.');
    if !is_plain(key) || !(table.is_empty() || is_plain(table)) {
        return (section, String::new());
    }
    let path = if table.is_empty() {
        key.to_owned()
    } else {
        format!("{table}.{key}")
    };
    (section, path)
}

fn is_bare(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_'
}

/// The parser's sentence on one line.
fn one_line(message: &str) -> String {
    // The likeliest mistake of all deserves better words: `command_timeout = 5m`.
    if message.starts_with("string values must be quoted") {
        return "text stands in quotes, such as \"5m\"".to_owned();
    }
    message.lines().map(str::trim).collect::<Vec<_>>().join("; ")
}

/// Goes through the tables of a document, two levels deep, three where tables have names; deeper is a value.
struct Walk<'a> {
    source: &'a Arc<str>,
    ruler: Ruler<'a>,
    assignments: Vec<Assignment>,
}

impl Walk<'_> {
    fn document(mut self, table: &DeTable<'_>) -> Vec<Assignment> {
        for (name, value) in table {
            match value.get_ref() {
                DeValue::Table(sections) if name.get_ref().starts_with(BROKEN) => {
                    for (name, value) in sections {
                        self.section(name, value);
                    }
                }
                _ => self.section(name, value),
            }
        }
        self.assignments.sort_by(|a, b| a.key_place.cmp(&b.key_place));
        self.assignments
    }

    fn section(&mut self, name: &Spanned<impl AsRef<str>>, value: &Spanned<DeValue<'_>>) {
        let section = name.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else {
            return self.assign(&[section], name.span().start, value);
        };
        self.assign(&[section], name.span().start, value);
        for (key, value) in table {
            let path = [section, key.get_ref().as_ref()];
            self.assign(&path, key.span().start, value);
            if let (true, DeValue::Table(table)) = (Config::is_named(section), value.get_ref()) {
                let [section, name] = path;
                for (key, value) in table {
                    self.assign(&[section, name, key.get_ref().as_ref()], key.span().start, value);
                }
            }
        }
    }

    fn assign(&mut self, path: &[&str], key_at: usize, value: &Spanned<DeValue<'_>>) {
        let value_at = if value.span().is_empty() {
            key_at
        } else {
            value.span().start
        };
        self.assignments.push(Assignment {
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            part: Part::Whole,
            found: Found::from_toml(value.get_ref(), &|at| Some(self.ruler.place(self.source, at))),
            key_place: self.ruler.place(self.source, key_at),
            value_place: self.ruler.place(self.source, value_at),
        });
    }
}

/// Finds line and column of an offset.
struct Ruler<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Ruler<'a> {
    /// Characters of a line that are counted one by one; behind them a column counts bytes. It bounds the work for
    /// a text of one long line.
    const MAX_COUNTED: usize = 200;

    fn new(text: &'a str) -> Self {
        let ends = text
            .bytes()
            .enumerate()
            .filter(|(_, octet)| *octet == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(ends).collect(),
        }
    }

    fn place(&self, source: &Arc<str>, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        let counted = at.min(start + Self::MAX_COUNTED);
        let characters = self
            .text
            .get(start..)
            .unwrap_or_default()
            .char_indices()
            .take_while(|(offset, _)| start + offset < counted)
            .count();
        Place::at(source, line, characters + at.saturating_sub(counted) + 1)
    }
}
