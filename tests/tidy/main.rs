//! Tidy: the rules of the house that a compiler does not know. Each test lists everything that breaks its rule.

mod documents;
mod heads;
mod layers;
mod modules;
mod words;

use std::fmt::Write as _;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

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
