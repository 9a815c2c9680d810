//! Touch: whom a section of the settings concerns, read from the rows of the tree.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use config::{Config, Difference};
use supervision::Row;

use super::plan::ends;

/// Actors that are named of one touch; all are counted.
pub(super) const MAX_NAMED: usize = 8;

/// Whom the differences of one section, or of one of its tables, touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The section, `smtp`, or the table, `listeners.mx`.
    pub section: String,
    /// Actors that take it up, without those of connections.
    pub actors: u64,
    /// Some of them.
    pub paths: Vec<String>,
    /// Open connections of the listeners concerned.
    pub connections: u64,
    /// What becomes of these.
    pub fate: Fate,
}

/// What becomes of open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// They stay, with the protocol's settings of their start.
    Stay,
    /// They stay, and it holds for them at once.
    AtOnce,
    /// They are told to end, and have the drain deadline for it.
    End,
}

impl Fate {
    /// What becomes of them, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stay => "stay as they began",
            Self::AtOnce => "stay, it holds for them at once",
            Self::End => "are told to end",
        }
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} touches {} actors", self.section, self.actors)?;
        if !self.paths.is_empty() {
            write!(f, " ({}", self.paths.join(", "))?;
            if self.actors > self.paths.len() as u64 {
                f.write_str(", …")?;
            }
            f.write_str(")")?;
        }
        if self.connections > 0 {
            write!(f, "; {} open connections {}", self.connections, self.fate.words())?;
        }
        Ok(())
    }
}

/// Whom these differences touch, by section and table.
pub(super) fn touches(
    rows: &[Row],
    old: &Config,
    new: &Config,
    differences: &[Difference],
    renewed: &[String],
) -> Vec<Touch> {
    let mut parts: BTreeMap<(String, Option<String>), BTreeSet<&str>> = BTreeMap::new();
    for difference in differences.iter().filter(|it| !it.needs_restart()) {
        let part = (difference.section.to_owned(), difference.table.clone());
        parts.entry(part).or_default().insert(&difference.key);
    }
    for key in renewed {
        let mut words = key.split('.');
        let (Some(section), Some(next)) = (words.next(), words.next()) else {
            continue;
        };
        let table = words.next().map(|_| next.to_owned());
        parts.entry((section.to_owned(), table)).or_default().insert(key);
    }
    parts
        .into_keys()
        .map(|(section, table)| touch(rows, old, new, &section, table.as_deref()))
        .collect()
}

fn touch(rows: &[Row], old: &Config, new: &Config, section: &str, table: Option<&str>) -> Touch {
    // Of listeners alone a table is a part of the tree; other tables are of their section.
    let of = table.filter(|_| section == "listeners");
    let concerned = rows
        .iter()
        .filter(|row| !is_connection(row) && takes_up(row, section, of));
    let paths: Vec<&str> = concerned.map(|row| row.path.as_str()).collect();
    let connections = rows
        .iter()
        .filter(|row| is_connection(row) && reaches(row, section, of));
    let fate = match (section, of) {
        ("listeners", Some(name)) if ends(old, new, name) => Fate::End,
        ("limits" | "auth" | "routes" | "server", _) => Fate::AtOnce,
        _ => Fate::Stay,
    };
    Touch {
        section: table.map_or_else(|| section.to_owned(), |table| format!("{section}.{table}")),
        actors: paths.len() as u64,
        connections: connections.count() as u64,
        paths: paths.into_iter().take(MAX_NAMED).map(str::to_owned).collect(),
        fate,
    }
}

/// Whether an actor takes up a section: each reads the settings that it was made for.
fn takes_up(row: &Row, section: &str, listener: Option<&str>) -> bool {
    let classes: &[&str] = match section {
        "server" => &["process", "acceptor", "limits"],
        "log" => &["process"],
        "listeners" => &["process", "acceptor", "limits"],
        "smtp" | "pop3" => &["acceptor"],
        "tls" | "certificates" => &["process", "acceptor"],
        "auth" => &["authenticator", "directory", "acceptor"],
        "limits" => &["limits"],
        "store" => &["process", "store_sweeper"],
        "queue" => &["local_queue", "local_delivery"],
        "routes" => &["directory"],
        // What looks out of the server, by whatever way.
        _ => return row.path.contains(section) || row.path.starts_with("/telemetry"),
    };
    let is_of = listener.is_none_or(|name| row.class != "acceptor" || is_below(row, name));
    classes.contains(&row.class) && is_of
}

/// Whether connections are concerned at all.
fn reaches(row: &Row, section: &str, listener: Option<&str>) -> bool {
    match section {
        "listeners" => listener.is_none_or(|name| is_below(row, name)),
        "smtp" => row.class == "smtp_session",
        "pop3" => row.class == "pop3_session",
        "server" | "tls" | "certificates" | "auth" | "limits" | "routes" => true,
        _ => false,
    }
}

fn is_connection(row: &Row) -> bool {
    matches!(row.class, "smtp_session" | "pop3_session")
}

fn is_below(row: &Row, listener: &str) -> bool {
    let rest = row.path.strip_prefix("/listeners/");
    rest.and_then(|rest| rest.split('/').next()) == Some(listener)
}
