//! The environment: `ANGARIUM__SECTION__KEY` for every key, and the short names of some.
//!
//! Two underscores stand for a dot of the path: `ANGARIUM__LISTENERS__MX__BIND` is `listeners.mx.bind`. The name of a
//! variable knows no dots and no case, so in a domain one underscore is a dot: `ANGARIUM__ROUTES__BENCH_TEST__KIND` is
//! `routes."bench.test".kind`. Values are those of `--set`.

use crate::alias::VARIABLES;
use crate::config::Config;
use crate::source::Source;

/// Begins every variable that sets a key by its path.
const PREFIX: &str = "ANGARIUM__";
/// Stands between the parts of a path.
const SEPARATOR: &str = "__";

/// The sources that are among these variables. Those that are not ours are passed over; what is ours but wrong is a
/// mistake when it is read. The full name of a key wins over its short name.
#[must_use]
pub fn environment<N, V>(variables: impl IntoIterator<Item = (N, V)>) -> Vec<Source>
where
    N: AsRef<[u8]>,
    V: AsRef<[u8]>,
{
    let mut short = Vec::new();
    let mut full = Vec::new();
    for (name, value) in variables {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.starts_with(PREFIX.as_bytes()) {
            full.push((String::from_utf8_lossy(name).into_owned(), value.to_owned()));
            continue;
        }
        let index = VARIABLES.iter().position(|(known, _)| known.as_bytes() == name);
        // Compose files pass on what is not set as an empty text.
        if let Some(index) = index
            && !value.is_empty()
        {
            short.push((index, value.to_owned()));
        }
    }
    short.sort_by_key(|(index, _)| *index);
    full.sort();
    let short = short.into_iter().filter_map(|(index, value)| {
        let (name, alias) = VARIABLES.get(index)?;
        Some(Source::short_variable(name, *alias, value))
    });
    let full = full
        .into_iter()
        .map(|(name, value)| Source::variable(&name, path(&name), value));
    short.chain(full).collect()
}

/// The file of the configuration that the environment names; not when it is empty.
#[must_use]
pub fn is_config_file(name: &[u8]) -> bool {
    name == crate::alias::CONFIG_FILE.as_bytes()
}

/// The path that the name of a variable stands for.
fn path(name: &str) -> Vec<String> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let mut path: Vec<String> = rest.split(SEPARATOR).map(str::to_lowercase).collect();
    let config = Config::bare();
    let tables = path.first().and_then(|section| config.tables(section));
    if let (Some(tables), Some(table)) = (tables, path.get_mut(1)) {
        *table = tables.name_of_variable(table);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_a_path() {
        for (name, expected) in [
            ("ANGARIUM__SMTP__MAX_ERRORS", &["smtp", "max_errors"][..]),
            ("ANGARIUM__LISTENERS__MX__BIND", &["listeners", "mx", "bind"]),
            ("ANGARIUM__LISTENERS__MX_2__BIND", &["listeners", "mx_2", "bind"]),
            (
                "ANGARIUM__ROUTES__BENCH_TEST__KIND",
                &["routes", "bench.test", "kind"],
            ),
            (
                "ANGARIUM__ROUTES__my-host.example__KIND",
                &["routes", "my-host.example", "kind"],
            ),
            ("ANGARIUM__", &[""]),
        ] {
            assert_eq!(path(name), expected, "{name}");
        }
    }
}
