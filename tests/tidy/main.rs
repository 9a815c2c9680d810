//! Tidy: the rules of the house that a compiler does not know. Each test lists everything that breaks its rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;
use cargo_metadata::{DependencyKind, MetadataCommand};

/// The rooms of the first level that hold Rust; a room that does not exist yet is empty.
const ROOMS: [&str; 7] = [
    "actors",
    "chaos",
    "config",
    "crates",
    "src",
    "supervision",
    "tests",
];

/// Which package may depend on which of ours. A package without a row may not exist.
const ARROWS: [(&str, &[&str]); 11] = [
    ("message", &[]),
    ("config", &["message"]),
    ("supervision", &[]),
    ("auth", &["message"]),
    ("pop3", &["message"]),
    ("shell", &["config", "message"]),
    ("smtp", &["message"]),
    ("store", &["message"]),
    (
        "actors",
        &[
            "auth",
            "config",
            "message",
            "pop3",
            "shell",
            "smtp",
            "store",
            "supervision",
        ],
    ),
    (
        "angarium",
        &[
            "actors",
            "auth",
            "config",
            "message",
            "pop3",
            "shell",
            "smtp",
            "store",
            "supervision",
        ],
    ),
    (
        "chaos",
        &["angarium", "config", "message", "pop3", "smtp", "store"],
    ),
];

/// Sockets, clocks, threads, randomness and disks: what a pure crate must not know.
const WORLD: [&str; 14] = [
    "async-std",
    "fjall",
    "getrandom",
    "hickory-resolver",
    "mio",
    "ractor",
    "ractor_cluster_derive",
    "rand",
    "rustix",
    "rustls",
    "socket2",
    "tokio",
    "tokio-rustls",
    "tracing-subscriber",
];

/// What each package must not know, beyond the packages of ours.
const UNKNOWN_TO: [(&str, &[&str]); 10] = [
    ("message", &WORLD),
    ("config", &WORLD),
    ("auth", &WORLD),
    ("pop3", &WORLD),
    ("shell", &WORLD),
    ("smtp", &WORLD),
    (
        "store",
        &[
            "getrandom",
            "ractor",
            "ractor_cluster_derive",
            "rand",
            "rustls",
            "tokio-rustls",
        ],
    ),
    ("supervision", &["fjall", "mail-parser", "rustls", "tokio-rustls"]),
    ("actors", &["anyhow", "clap", "toml"]),
    ("chaos", &["fjall", "ractor"]),
];

/// Lines of a file, at most; and of a file that holds only tests.
const MAX_LINES: usize = 500;
const MAX_TEST_LINES: usize = 700;
/// Files that are longer, each with its reason. An entry that is no longer needed fails, too.
const LONG_FILES: [(&str, &str); 0] = [];

/// Words that mean unfinished, spelled so that this file does not hold them.
const UNFINISHED: [&str; 7] = [
    concat!("to", "do!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!"),
    concat!("for ", "now"),
    concat!("in ", "production"),
    concat!("simpli", "fied"),
];

/// Waiting by the clock, spelled in the same way.
const SLEEPS: [&str; 2] = [concat!("thread::", "sleep"), concat!("time::", "sleep")];

/// Names that say nothing.
const NAMELESS: [&str; 8] = [
    "mod", "util", "utils", "helper", "helpers", "common", "misc", "types",
];

/// The lines of an actor's head behind its name, in their order.
const HEAD: [&str; 6] = ["Owner:", "Accepts:", "Calls:", "Owns:", "On death:", "Limits:"];

#[test]
fn packages_lean_the_right_way() -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()?;
    let rows: BTreeMap<&str, &[&str]> = ARROWS.into();
    let unknown: BTreeMap<&str, &[&str]> = UNKNOWN_TO.into();
    let mut complaints = Vec::new();
    for package in &metadata.packages {
        let name = package.name.as_str();
        let Some(allowed) = rows.get(name) else {
            complaints.push(format!("{name} has no row in ARROWS: say what it may depend on"));
            continue;
        };
        let forbidden = unknown.get(name).copied().unwrap_or_default();
        for dependency in package
            .dependencies
            .iter()
            .filter(|it| it.kind == DependencyKind::Normal)
        {
            let other = dependency.name.as_str();
            if dependency.path.is_some() && !allowed.contains(&other) {
                complaints.push(format!("{name} must not lean on {other}"));
            }
            if dependency.path.is_none() && forbidden.contains(&other) {
                complaints.push(format!("{name} must not know {other}"));
            }
        }
    }
    settle(&complaints)
}

#[test]
fn every_actor_has_its_head() -> Result<()> {
    let mut complaints = Vec::new();
    for file in files(&["actors/src"], "rs")? {
        complaints.extend(head_complaint(&file.text).map(|complaint| format!("{}: {complaint}", file.path)));
    }
    settle(&complaints)
}

#[test]
fn every_file_belongs_to_a_module() -> Result<()> {
    let files = files(&ROOMS, "rs")?;
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut open: Vec<String> = texts
        .keys()
        .filter(|path| is_root(path))
        .map(|path| (*path).to_owned())
        .collect();
    let mut alive: BTreeSet<String> = BTreeSet::new();
    while let Some(path) = open.pop() {
        let folder = module_folder(&path);
        let text = texts.get(path.as_str()).copied().unwrap_or_default();
        open.extend(
            modules(text)
                .map(|module| format!("{folder}/{module}.rs"))
                .filter(|module| texts.contains_key(module.as_str()) && !alive.contains(module)),
        );
        alive.insert(path);
    }
    let dead: Vec<String> = texts
        .keys()
        .filter(|path| !alive.contains(**path))
        .map(|path| format!("{path}: no `mod` leads here"))
        .collect();
    settle(&dead)
}

#[test]
fn every_name_says_something() -> Result<()> {
    let mut complaints = Vec::new();
    for file in files(&ROOMS, "rs")? {
        let stem = Path::new(&file.path).with_extension("");
        for part in stem.components().filter_map(|part| part.as_os_str().to_str()) {
            if NAMELESS.contains(&part) {
                complaints.push(format!("{}: `{part}` names nothing", file.path));
            }
        }
    }
    settle(&complaints)
}

#[test]
fn every_module_has_its_head() -> Result<()> {
    let files = files(&ROOMS, "rs")?;
    let headless = files
        .iter()
        .filter(|file| !is_tests(&file.path) && !file.text.starts_with("//! "));
    settle(
        &headless
            .map(|file| format!("{}: begins without `//! `", file.path))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn no_file_is_too_long() -> Result<()> {
    let long: BTreeMap<&str, &str> = LONG_FILES.into();
    let mut complaints = Vec::new();
    for file in files(&ROOMS, "rs")? {
        let limit = if is_tests(&file.path) {
            MAX_TEST_LINES
        } else {
            MAX_LINES
        };
        let lines = file.text.lines().count();
        match (lines > limit, long.contains_key(file.path.as_str())) {
            (true, false) => complaints.push(format!(
                "{}: {lines} lines; {limit} are enough: a noun is missing",
                file.path
            )),
            (false, true) => complaints.push(format!(
                "{}: no longer too long; take it out of LONG_FILES",
                file.path
            )),
            (true, true) | (false, false) => {}
        }
    }
    settle(&complaints)
}

#[test]
fn nothing_is_unfinished() -> Result<()> {
    settle(&lines_with(&files(&ROOMS, "rs")?, &UNFINISHED))
}

#[test]
fn no_test_waits_by_the_clock() -> Result<()> {
    settle(&lines_with(
        &files(&["chaos", "config", "crates", "tests"], "rs")?,
        &SLEEPS,
    ))
}

#[test]
fn every_link_of_the_documents_leads_somewhere() -> Result<()> {
    let mut documents = files(&["docs"], "md")?;
    for name in ["README.md", "CHANGELOG.md"] {
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            documents.push(File {
                path: name.to_owned(),
                text,
            });
        }
    }
    let mut complaints = Vec::new();
    for document in &documents {
        let folder = root()
            .join(&document.path)
            .parent()
            .map(Path::to_path_buf)
            .unwrap_or_default();
        for (number, target) in links(&document.text) {
            if !folder.join(&target).exists() {
                complaints.push(format!("{}:{number}: {target} does not exist", document.path));
            }
        }
    }
    settle(&complaints)
}

#[test]
fn the_sample_configuration_is_the_defaults() {
    assert!(
        config::SAMPLE == config::sample(),
        "cargo run -p config --example sample > config/angarium.toml"
    );
    let sample = config::parse_bytes(
        "config/angarium.toml",
        config::SAMPLE.as_bytes(),
        config::Profile::Production,
    );
    assert_eq!(sample, Ok(config::Config::of(config::Profile::Development)));
}

/// The rules can be broken: each check sees what it is there for.
mod the_checks_see {
    use super::*;

    fn head(lines: &[&str]) -> Option<String> {
        let head: String = lines.iter().map(|line| format!("//! {line}\n")).collect();
        head_complaint(&format!("{head}\nimpl Actor for Gate {{}}\n"))
    }

    #[test]
    fn heads() {
        let whole = [
            "Gate: one door.",
            "",
            "Owner: x",
            "Accepts: x",
            "Calls: x",
            "Owns: x",
            "On death: x",
            "  more",
            "Limits: x",
        ];
        assert_eq!(head(&whole), None);
        for line in [0, 2, 3, 4, 5, 6, 8] {
            let mut lines = whole;
            lines[line] = "";
            assert!(head(&lines).is_some(), "without {}", whole[line]);
        }
        let mut swapped = whole;
        swapped.swap(2, 3);
        assert!(head(&swapped).is_some());
        assert_eq!(head_complaint("//! Not an actor.\nstruct Gate;"), None);
        assert_eq!(
            head_complaint("//! x\n#[cfg(test)]\nmod tests { impl Actor for Probe {} }"),
            None
        );
    }

    #[test]
    fn modules_and_roots() {
        let text = "mod a;\npub mod b;\n    pub(crate) mod c;\n// mod d;\nmod e {\n}\nmodule;";
        assert_eq!(modules(text).collect::<Vec<_>>(), ["a", "b", "c"]);
        for (path, folder) in [
            ("src/lib.rs", "src"),
            ("crates/smtp/src/reply.rs", "crates/smtp/src/reply"),
            ("tests/e2e/main.rs", "tests/e2e"),
            ("tests/tidy.rs", "tests"),
        ] {
            assert_eq!(module_folder(path), folder);
        }
        for (path, expected) in [
            ("src/main.rs", true),
            ("crates/smtp/src/lib.rs", true),
            ("crates/smtp/src/main/lib.rs", false),
            ("src/bin/angarium.rs", true),
            ("crates/smtp/tests/transcripts.rs", true),
            ("tests/e2e/main.rs", true),
            ("tests/e2e/survives_restart.rs", false),
            ("crates/smtp/src/tests.rs", false),
        ] {
            assert_eq!(is_root(path), expected, "{path}");
        }
    }

    #[test]
    fn words() {
        let file = |text: &str| {
            [File {
                path: "a.rs".to_owned(),
                text: text.to_owned(),
            }]
        };
        for word in UNFINISHED {
            assert_eq!(
                lines_with(&file(&format!("ok\n// {word}.")), &UNFINISHED).len(),
                1,
                "{word}"
            );
        }
        for wait in SLEEPS {
            assert_eq!(
                lines_with(&file(&format!("std::{wait}(d)")), &SLEEPS).len(),
                1,
                "{wait}"
            );
        }
        let harmless = format!(
            "// before {}, {}er, mas{}",
            "nowhere", UNFINISHED[6], UNFINISHED[2]
        );
        assert!(lines_with(&file(&harmless), &UNFINISHED).is_empty());
    }

    #[test]
    fn targets_of_links() {
        let text = "[a](b.md) ![c](d/e.png#f)\n[g](https://h) [i](#j) [k](mailto:l)\n```\n[m](n)\n```\n`[o](p)` [q](<r s.md>)";
        let expected =
            [(1, "b.md"), (1, "d/e.png"), (6, "r s.md")].map(|(line, target)| (line, target.to_owned()));
        assert_eq!(links(text), expected);
    }
}

/// A text of the repository, its path relative to the root.
struct File {
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Fails with every complaint, if there is one.
fn settle(complaints: &[String]) -> Result<()> {
    let listed = complaints.iter().fold(String::new(), |mut listed, complaint| {
        let _ = write!(listed, "\n  {complaint}");
        listed
    });
    anyhow::ensure!(
        complaints.is_empty(),
        "{} against the house:{listed}",
        complaints.len()
    );
    Ok(())
}

/// Every file with this extension in these folders, in the order of their paths. A folder may be missing.
fn files(folders: &[&str], extension: &str) -> Result<Vec<File>> {
    let mut open: Vec<PathBuf> = folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|path| path.is_dir())
        .collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                open.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                let parts = path
                    .strip_prefix(root())?
                    .components()
                    .filter_map(|part| match part {
                        Component::Normal(part) => part.to_str(),
                        _ => None,
                    });
                found.push(File {
                    path: parts.collect::<Vec<_>>().join("/"),
                    text: fs::read_to_string(&path)?,
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Whether a file holds only tests or benchmarks.
fn is_tests(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.any(|part| ["tests", "tests.rs", "benches"].contains(&part)) || path.ends_with("_tests.rs")
}

/// Whether cargo compiles a file by itself.
fn is_root(path: &str) -> bool {
    match path.rsplit('/').collect::<Vec<_>>().as_slice() {
        ["lib.rs" | "main.rs", "src", ..] | ["build.rs", ..] => true,
        [_, "bin", "src", ..] => true,
        [_, "tests" | "benches" | "examples", above @ ..] => !above.contains(&"src"),
        ["main.rs", _, "tests" | "benches" | "examples", ..] => true,
        _ => false,
    }
}

/// Where the modules of a file lie.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
    let own = name.trim_end_matches(".rs");
    if is_root(path) {
        folder.to_owned()
    } else {
        format!("{folder}/{own}")
    }
}

/// The modules that a text declares in other files.
fn modules(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line
            .strip_prefix("pub")
            .map_or(line, |rest| match rest.split_once(')') {
                Some((visibility, rest)) if visibility.starts_with('(') => rest,
                _ => rest,
            });
        line.trim_start()
            .strip_prefix("mod ")?
            .strip_suffix(';')
            .map(str::trim)
    })
}

/// What is wrong with the head of a file that holds an actor, if it does.
fn head_complaint(text: &str) -> Option<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let actor = code.lines().find_map(|line| {
        line.strip_prefix("impl")?
            .split_once("Actor for ")
            .map(|(_, name)| name)
    })?;
    let actor = actor
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut head = text
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim);
    let name = head
        .next()
        .and_then(|first| first.split_once(": "))
        .map_or("", |(name, _)| name);
    // A keeper of a noun may be called by the noun: `Directory` for `DirectoryKeeper`.
    if name.is_empty() || !actor.starts_with(name) {
        return Some(format!(
            "the head begins with `//! {actor}: ` and the actor's duty"
        ));
    }
    HEAD.into_iter()
        .find(|wanted| !head.any(|line| line.starts_with(wanted)))
        .map(|wanted| {
            format!(
                "the head lacks `{wanted}`, or has it out of order ({})",
                HEAD.join(" ")
            )
        })
}

/// Every line with one of these phrases as a word of its own, in any case where the phrase is lower case.
fn lines_with(files: &[File], phrases: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for phrase in phrases {
                let is_any_case = phrase.chars().all(|c| c.is_lowercase() || c == ' ');
                if has_phrase(if is_any_case { &lower } else { line }, phrase) {
                    complaints.push(format!("{}:{}: `{phrase}`", file.path, index + 1));
                }
            }
        }
    }
    complaints
}

fn has_phrase(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + phrase.len()..).and_then(|text| text.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// The relative targets of a document's links, with their lines; fragments and code are left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut is_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        for piece in prose.split("](").skip(1).filter(|_| !is_code) {
            let target = piece.split(')').next().unwrap_or_default();
            let target = target
                .trim_matches(['<', '>'])
                .split('#')
                .next()
                .unwrap_or_default();
            let is_elsewhere = target.contains("://") || target.starts_with("mailto:");
            if !target.is_empty() && !is_elsewhere {
                found.push((index + 1, target.to_owned()));
            }
        }
    }
    found
}
