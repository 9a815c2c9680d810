//! Modules: every file belongs to one, has a name that says something, and is not too long.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::{ROOMS, files, is_tests, settle};

/// Lines of a file, at most; and of a file that holds only tests.
const MAX_LINES: usize = 500;
const MAX_TEST_LINES: usize = 700;
/// Files that are longer, each with its reason. An entry that is no longer needed fails, too.
const LONG_FILES: [(&str, &str); 0] = [];

/// Names that say nothing.
const NAMELESS: [&str; 8] = [
    "mod", "util", "utils", "helper", "helpers", "common", "misc", "types",
];

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

/// The rule can be broken: the check sees what it is there for.
mod the_check_sees {
    use super::*;

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
}
