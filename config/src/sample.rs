//! The annotated sample: every key with its default, from the same tables that read it.

use crate::config::Config;
use crate::profile::Profile;
use crate::section::{Key, Section};
use crate::tables::Tables;

/// The sample as it lies beside this crate, `config/angarium.toml`.
pub const SAMPLE: &str = include_str!("../angarium.toml");

/// Keys of a listener that say what it is, even where they have their default.
const ALWAYS_SET: [&str; 3] = ["protocol", "bind", "tls"];

const HEAD: &str = "\
# Angarium: every setting, with its default.
#
# A line that begins with # and no space is a default; to change it, remove the # and write another value.
# A duration is written \"30s\", \"5m\", \"1h30m\" or \"14d\", a size \"50MiB\" (1,024) or \"50MB\" (1,000).
# What is unknown or wrong is refused: angarium check config
#
# Written with: cargo run -p config --example sample > config/angarium.toml
";

/// Writes the sample.
#[must_use]
pub fn sample() -> String {
    let config = Config::of(Profile::Development);
    let mut page = Page(HEAD.to_owned());
    for name in Config::SECTIONS.iter().copied() {
        if let Some(section) = config.section(name) {
            page.about(section);
            page.line(&format!("[{name}]"));
            page.keys(name, section, &["profile"]);
        }
        if let Some(tables) = config.tables(name) {
            page.tables(name, tables);
        }
    }
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn about(&mut self, section: &dyn Section) {
        self.0.push('\n');
        for line in section.about() {
            self.line(&format!("#{line}"));
        }
    }

    /// Every key with its documentation; those of `set` are set, the others are defaults behind a `#`.
    fn keys(&mut self, name: &str, section: &dyn Section, set: &[&str]) {
        for key in section.keys() {
            self.0.push('\n');
            for line in key.about {
                self.line(&format!("#{line}"));
            }
            self.key(name, section, *key, set.contains(&key.name));
        }
    }

    fn key(&mut self, name: &str, section: &dyn Section, key: Key, is_set: bool) {
        let mark = if is_set { "" } else { "#" };
        match section.print(key.name) {
            Some(value) => self.line(&format!("{mark}{} = {value}", key.name)),
            None => {
                self.line("# No default; for example:");
                self.line(&format!("#{} = {}", key.name, example(name, key)));
            }
        }
    }

    /// The first table with its documentation, the others with what differs; an example where there is none.
    fn tables(&mut self, section: &str, tables: &dyn Tables) {
        let default = tables.blank();
        self.about(default.as_ref());
        let all = tables.all();
        if all.is_empty() {
            self.line(&format!("#[{section}.{}]", tables.example()));
            self.keys(section, default.as_ref(), &[]);
        }
        for (index, (name, table)) in all.into_iter().enumerate() {
            let is_set = |key: &Key| {
                ALWAYS_SET.contains(&key.name) || table.print(key.name) != default.print(key.name)
            };
            let set: Vec<Key> = table.keys().iter().copied().filter(is_set).collect();
            if index > 0 {
                self.0.push('\n');
            }
            self.line(&format!("[{section}.{name}]"));
            if index == 0 {
                let set: Vec<&str> = set.iter().map(|key| key.name).collect();
                self.keys(section, table, &set);
                continue;
            }
            for key in set {
                self.key(section, table, key, true);
            }
        }
    }
}

/// A value for a key without a default: the one that suits it best, else one of its type.
fn example(section: &str, key: Key) -> &'static str {
    match (section, key.name) {
        ("tls", "certificate") => "\"/etc/angarium/tls/fullchain.pem\"",
        ("certificates", "certificate") => "\"/etc/angarium/tls/example.net.pem\"",
        ("certificates", "key") => "\"/etc/angarium/tls/example.net.key\"",
        ("listeners", "client_ca") => "\"/etc/angarium/tls/clients.pem\"",
        ("listeners", "min_tls") => "\"1.3\"",
        ("tls", "key") => "\"/etc/angarium/tls/privkey.pem\"",
        ("shell", "readers") => "\"adm\"",
        ("statsd", "address") => "\"127.0.0.1:8125\"",
        ("log", "file") => "\"/var/log/angarium/angarium.log\"",
        _ => key.example.split(" or ").next().unwrap_or_default(),
    }
}
