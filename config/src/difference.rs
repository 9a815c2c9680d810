//! Difference: what a reload would change, key by key, with both values and where each of them comes from.

use std::collections::HashMap;

use crate::config::{Config, Sourced};
use crate::explain::{Explained, Origin};

/// Keys that a running server cannot take up: it goes on with those of its start, and a reload says so.
///
/// The number of the node and the directory are in everything that the process has open and has minted; the cache gets its
/// size from the engine when that is opened.
const AT_THE_START: [&str; 3] = ["server.node", "server.data", "store.cache"];

/// A key that has another value than before. No setting holds a secret: keys and passwords are in files and in the store,
/// so both values may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The section, `listeners`.
    pub section: &'static str,
    /// The name of the table, where those of the section have one: `mx`.
    pub table: Option<String>,
    /// The path of the key, `listeners.mx.bind`.
    pub key: String,
    /// What it was; `None` where the table is new.
    pub old: Option<Side>,
    /// What it is to be; `None` where the table is gone.
    pub new: Option<Side>,
}

/// One side of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The value as TOML; `None` where there is none.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

impl Difference {
    /// Whether the running server goes on with the old value until it is started again.
    #[must_use]
    pub fn needs_restart(&self) -> bool {
        needs_restart(&self.key)
    }
}

/// Whether a running server goes on with the old value of this key until it is started again.
#[must_use]
pub fn needs_restart(key: &str) -> bool {
    AT_THE_START.contains(&key)
}

/// The keys of which that is so.
#[must_use]
pub const fn restart_keys() -> &'static [&'static str] {
    &AT_THE_START
}

/// Every key that has another value in the second configuration, in the order of the sample. A source that has changed
/// while the value is the same is no difference. A table that is new or gone is named with all of its values.
#[must_use]
pub fn difference(old: &Sourced, new: &Sourced) -> Vec<Difference> {
    let before: HashMap<&str, &Explained> = by_key(&old.values);
    let after: HashMap<&str, &Explained> = by_key(&new.values);
    let changed = new.values.iter().filter_map(|now| {
        let then = before.get(now.key.as_str()).copied();
        one(&now.key, then, Some(now))
    });
    let gone = old
        .values
        .iter()
        .filter(|then| !after.contains_key(then.key.as_str()))
        .filter_map(|then| one(&then.key, Some(then), None));
    let mut differences: Vec<Difference> = changed.chain(gone).collect();
    differences.sort_by_key(|difference| rank(difference.section));
    differences
}

impl Sourced {
    /// This configuration as a running server takes it up: what needs a restart is as it was.
    #[must_use]
    pub fn taken_up_from(mut self, running: &Self) -> Self {
        self.config.server.data.clone_from(&running.config.server.data);
        self.config.server.node = running.config.server.node;
        self.config.store.cache = running.config.store.cache;
        for value in &mut self.values {
            let then = running.values.iter().find(|then| then.key == value.key);
            if let (true, Some(then)) = (needs_restart(&value.key), then) {
                value.clone_from(then);
            }
        }
        self
    }
}

fn by_key(values: &[Explained]) -> HashMap<&str, &Explained> {
    values.iter().map(|value| (value.key.as_str(), value)).collect()
}

fn one(key: &str, old: Option<&Explained>, new: Option<&Explained>) -> Option<Difference> {
    if let (Some(old), Some(new)) = (old, new)
        && old.value == new.value
    {
        return None;
    }
    // A key without a value says nothing of a table that is new or gone; every table has keys with one.
    let has_value = |side: Option<&Explained>| side.is_some_and(|side| side.value.is_some());
    if !has_value(old) && !has_value(new) {
        return None;
    }
    let (section, rest) = key.split_once('.')?;
    let section = Config::SECTIONS.iter().copied().find(|name| *name == section)?;
    let table = rest.rsplit_once('.').map(|(table, _)| unquoted(table));
    Some(Difference {
        section,
        table,
        key: key.to_owned(),
        old: old.map(side),
        new: new.map(side),
    })
}

fn side(explained: &Explained) -> Side {
    Side {
        value: explained.value.clone(),
        origin: explained.origin.clone(),
    }
}

/// The name of a table without the quotes that its path has. There is nothing to escape in one.
fn unquoted(table: &str) -> String {
    table.trim_matches('"').to_owned()
}

fn rank(section: &str) -> usize {
    let place = Config::SECTIONS.iter().position(|name| *name == section);
    place.unwrap_or(Config::SECTIONS.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::parse_sourced;
    use crate::profile::Profile;
    use crate::source::Source;

    fn read(text: &str) -> Sourced {
        let file = Source::file("angarium.toml", text);
        parse_sourced(&[file], Profile::Development).unwrap()
    }

    fn keys(old: &str, new: &str) -> Vec<String> {
        let differences = difference(&read(old), &read(new));
        differences.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn names_the_key_both_values_and_their_sources() {
        let argument = Source::command_line("smtp.max_errors=7");
        let old = read("[smtp]\nmax_recipients = 200\n");
        let new = Source::file("angarium.toml", "\n\n[smtp]\nmax_recipients = 300\n");
        let new = parse_sourced(&[new, argument], Profile::Development).unwrap();
        let differences = difference(&old, &new);
        let shown: Vec<String> = differences
            .iter()
            .map(|it| {
                let (old, new) = (it.old.as_ref().unwrap(), it.new.as_ref().unwrap());
                let text = |side: &Side| format!("{} ({})", side.value.as_deref().unwrap(), side.origin);
                format!("{}: {} -> {}", it.key, text(old), text(new))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "smtp.max_recipients: 200 (angarium.toml:2:18) -> 300 (angarium.toml:4:18)",
                "smtp.max_errors: 20 (default) -> 7 (--set smtp.max_errors)",
            ]
        );
    }

    #[test]
    fn a_table_comes_and_goes_with_all_of_its_values() {
        let with = "[routes.\"bench.test\"]\nkind = \"discard\"\n[listeners.mx2]\nprotocol = \"smtp\"\nbind = \"127.0.0.1:0\"\n";
        let came = keys("", with);
        assert!(
            came.contains(&"routes.\"bench.test\".kind".to_owned()),
            "{came:?}"
        );
        assert!(came.contains(&"listeners.mx2.bind".to_owned()), "{came:?}");
        assert!(
            came.iter()
                .all(|key| key.starts_with("routes.") || key.starts_with("listeners.mx2."))
        );
        assert_eq!(keys(with, ""), came);
        let route = difference(&read(""), &read(with)).pop().unwrap();
        assert_eq!(
            (route.section, route.table.as_deref()),
            ("routes", Some("bench.test"))
        );
        assert_eq!(route.old, None);
    }

    #[test]
    fn a_moved_line_is_no_difference() {
        let text = "[smtp]\nmax_recipients = 200\n";
        assert_eq!(keys(text, &format!("# a remark\n{text}")), Vec::<String>::new());
        assert_eq!(keys("", "[smtp]\nmax_errors = 20\n"), Vec::<String>::new());
    }

    #[test]
    fn what_needs_a_restart_says_so_and_is_left_as_it_is() {
        let old = read("[server]\ndata = \"/a\"\nnode = 1\n");
        let new = read(
            "[server]\ndata = \"/b\"\nnode = 2\nmax_connections = 9\n[store]\ncache = \"2MiB\"\nmax_feed = 9\n",
        );
        let differences = difference(&old, &new);
        let fixed: Vec<&str> = differences
            .iter()
            .filter(|it| it.needs_restart())
            .map(|it| it.key.as_str())
            .collect();
        assert_eq!(fixed, restart_keys());
        let taken = new.taken_up_from(&old);
        let left: Vec<String> = difference(&old, &taken).into_iter().map(|it| it.key).collect();
        assert_eq!(left, ["server.max_connections", "store.max_feed"]);
        assert_eq!(taken.config.server.data, old.config.server.data);
    }

    /// Some settings of every kind of section, in values that go together.
    fn configuration() -> impl Strategy<Value = String> {
        let listener = ("[a-c]{1,2}", 1_u16..400, any::<bool>(), 1_u32..4);
        (
            prop::collection::btree_map("[a-c]{1,2}", listener, 0..3),
            prop::collection::btree_set("[a-c]{1,3}\\.test", 0..3),
            prop::option::of(1_u32..3),
            prop::option::of(0_u8..5),
        )
            .prop_map(|(listeners, routes, errors, level)| {
                let mut text = String::new();
                if let Some(errors) = errors {
                    text += &format!("[smtp]\nmax_errors = {errors}\n");
                }
                if let Some(level) = level {
                    text += &format!("[store]\ncompression_level = {level}\n");
                }
                for (number, (name, (_, port, enabled, most))) in listeners.into_iter().enumerate() {
                    let port = 10_000 + port + u16::try_from(number).unwrap() * 500;
                    text += &format!(
                        "[listeners.{name}]\nprotocol = \"pop3\"\nbind = \"127.0.0.1:{port}\"\nenabled = {enabled}\nmax_connections = {most}\n"
                    );
                }
                for route in routes {
                    text += &format!("[routes.\"{route}\"]\nkind = \"discard\"\n");
                }
                text
            })
    }

    proptest! {
        #[test]
        fn equal_configurations_differ_in_nothing(text in configuration()) {
            let it = read(&text);
            prop_assert_eq!(difference(&it, &it.clone()), []);
        }

        #[test]
        fn every_key_that_differs_is_named_and_no_other(old in configuration(), new in configuration()) {
            let (old, new) = (read(&old), read(&new));
            let differences = difference(&old, &new);
            let value = |of: &Sourced, key: &str| {
                of.values.iter().find(|it| it.key == key).and_then(|it| it.value.clone())
            };
            let mut keys: Vec<&str> = old.values.iter().chain(&new.values).map(|it| it.key.as_str()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let is_named = differences.iter().filter(|it| it.key == key).count();
                prop_assert_eq!(is_named == 1, value(&old, key) != value(&new, key), "{}", key);
                prop_assert!(is_named <= 1);
            }
            if old.config != new.config {
                prop_assert!(!differences.is_empty());
            }
        }
    }
}
