//! Layers: which package may know which.

use std::collections::BTreeMap;

use anyhow::Result;
use cargo_metadata::{DependencyKind, MetadataCommand};

use super::{root, settle};

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
