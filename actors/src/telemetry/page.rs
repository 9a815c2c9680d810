//! Page: `docs/metrics.md`, from the table.

use std::fmt::Write as _;

use super::{
    metric::{Kind, Metric, Unit},
    names::{CLASSES, TABLE},
};

const HEAD: &str = "\
# Metrics

Everything that the server counts and measures of itself, from the table in `actors/src/telemetry/names.rs`. Written with

```console
cargo run -p actors --example metrics > docs/metrics.md
```

**StatsD** (`statsd.address`): `<prefix>.<node>.<area>.<thing>.<what>`, where prefix is `statsd.prefix` and node `server.node`. Counters
(`|c`) are sent as what they grew, gauges (`|g`) as they are, all of them once an interval, also when nothing happened. Values of
histograms (`|ms`) are sent one by one, ten times a second; the timers of StatsD take any whole number, so what is measured in seconds
has `_us` at its end and is in microseconds, and sizes are octets. There are no tags.

**Prometheus** (`http.bind`, `/metrics`): the same, in seconds and bytes, with what stands in angle brackets as a label.

No name holds anything of a user, an address or a message. `<class>` is the class of an actor, one of those at the end.
";

/// Writes the page.
#[must_use]
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut area = "";
    for metric in TABLE.iter().map(|row| row.metric()) {
        let (its_area, ..) = metric.parts();
        if its_area != area {
            area = its_area;
            // Writing to a string cannot fail.
            let _ = write!(
                page,
                "\n## {area}\n\n| StatsD | Prometheus | kind | unit | what |\n|---|---|---|---|---|\n"
            );
        }
        row(&mut page, metric);
    }
    page.push_str("\n## Classes\n\n");
    for class in CLASSES {
        let _ = writeln!(page, "* `{class}`");
    }
    page
}

fn row(page: &mut String, metric: &Metric) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let unit = match metric.unit {
        Unit::Count => "",
        Unit::Octets => "octets",
        Unit::Seconds => "time",
    };
    let _ = writeln!(
        page,
        "| `{}` | `{}` | {kind} | {unit} | {} |",
        metric.statsd_name(None),
        metric.prometheus_name(),
        metric.about.trim(),
    );
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn the_page_in_the_documents_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
        let current = fs::read_to_string(path).unwrap_or_default();
        assert!(
            current == page(),
            "cargo run -p actors --example metrics > docs/metrics.md"
        );
    }

    #[test]
    fn every_class_of_an_actor_is_listed() {
        let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut found = BTreeSet::new();
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if path.file_name().is_some_and(|name| name != "tests.rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                    found.extend(
                        text.lines()
                            .filter_map(|line| line.trim().strip_prefix("const CLASS: &'static str = \""))
                            .filter_map(|rest| rest.strip_suffix("\";"))
                            .map(str::to_owned),
                    );
                }
            }
        }
        let listed: BTreeSet<String> = CLASSES.iter().map(|class| (*class).to_owned()).collect();
        assert_eq!(listed, found);
    }
}
