//! The annotated sample: every key with its default, from the same tables that read it.

use crate::config::Config;
use crate::listener::Listener;
use crate::profile::Profile;
use crate::route::Route;
use crate::section::Section;

/// The sample as it lies beside this crate, `config/angarium.toml`.
pub const SAMPLE: &str = include_str!("../angarium.toml");

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
    for name in Config::SECTIONS {
        match name {
            "listeners" => page.listeners(&config),
            "routes" => page.route(),
            _ => {
                if let Some(section) = config.section(name) {
                    page.about(section);
                    page.line(&format!("[{name}]"));
                    page.keys(name, section, &["profile"]);
                }
            }
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
            self.key(name, section, key.name, set.contains(&key.name));
        }
    }

    fn key(&mut self, name: &str, section: &dyn Section, key: &str, is_set: bool) {
        let mark = if is_set { "" } else { "#" };
        match section.print(key) {
            Some(value) => self.line(&format!("{mark}{key} = {value}")),
            None => {
                self.line("# No default; for example:");
                self.line(&format!("#{key} = {}", example(name, key)));
            }
        }
    }

    /// The first listener with its documentation, the others with what differs.
    fn listeners(&mut self, config: &Config) {
        let default = Listener::default();
        self.about(&default);
        for (index, (name, listener)) in config.listeners.iter().enumerate() {
            let is_set = |key: &&str| {
                ["protocol", "bind", "tls"].contains(key) || listener.print(key) != default.print(key)
            };
            let set: Vec<&str> = listener
                .keys()
                .iter()
                .map(|key| key.name)
                .filter(is_set)
                .collect();
            if index > 0 {
                self.0.push('\n');
            }
            self.line(&format!("[listeners.{name}]"));
            if index == 0 {
                self.keys("listeners", listener, &set);
                continue;
            }
            for key in set {
                self.key("listeners", listener, key, true);
            }
        }
    }

    /// An example, for there is no route by default.
    fn route(&mut self) {
        let route = Route::default();
        self.about(&route);
        self.line("#[routes.\"bench.test\"]");
        self.keys("routes", &route, &[]);
    }
}

/// A value for a key without a default.
fn example(section: &str, key: &str) -> &'static str {
    match (section, key) {
        ("tls", "certificate") => "\"/etc/angarium/tls/fullchain.pem\"",
        ("tls", "key") => "\"/etc/angarium/tls/privkey.pem\"",
        _ => "\"\"",
    }
}
