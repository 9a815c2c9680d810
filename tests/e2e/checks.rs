//! `check` finds every mistake in a configuration, and damage in a store.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, fail, run, succeed};

const MISTAKEN: &str = r#"[server]
hostname = "not a name"
drain_dedline = "10s"

[smtp]
max_errors = "many"
max_hops = 3

[listeners.mx]
protocol = "smpt"
bind = "nowhere"

[stor]
cache = "32MiB"
"#;

#[test]
fn a_configuration_with_many_mistakes() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("angarium.toml");
    fs::write(&file, MISTAKEN).unwrap();
    let file = file.to_str().unwrap();
    for command in [&["check", "config"][..], &["serve"], &["account", "list"]] {
        let said = fail(directory.path(), &[command, &["--config", file]].concat(), 2);
        for (line, about) in [
            (2, "hostname"),
            (3, "drain_deadline"),
            (6, "max_errors"),
            (7, "max_hops"),
            (10, "\"smtp\""),
            (11, "bind"),
            (13, "store"),
        ] {
            let place = format!("angarium.toml:{line}:");
            let found = said
                .lines()
                .any(|row| row.contains(&place) && row.contains(about));
            assert!(found, "no {place} with {about} in {said}");
        }
    }
    let said = fail(
        directory.path(),
        &["check", "config", "--config", "missing.toml"],
        2,
    );
    assert!(
        said.contains("missing.toml: cannot be read: No such file") && said.lines().count() == 2,
        "{said}"
    );
    let said = fail(
        directory.path(),
        &["check", "config", "--set", "smtp.max_errrors=3"],
        2,
    );
    assert!(said.contains("smtp.max_errors"), "{said}");
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "something was made"
    );
}

#[test]
fn the_sample_configuration() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/angarium.toml");
    let directory = TempDir::new().unwrap();
    let said = succeed(
        directory.path(),
        &["check", "config", "--config", sample.to_str().unwrap()],
        "",
    );
    assert!(said.contains("is good"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_with_a_file_and_settings_over_it_does() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/angarium.toml");
    let directory = TempDir::new().unwrap();
    let arguments = [
        "--config",
        sample.to_str().unwrap(),
        "--set",
        "smtp.max_message_size=64KiB",
    ];
    let program = Program::serve(directory.path(), &arguments);
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example> SIZE=65537", "552").await;
    line.ask("MAIL FROM:<a@client.example> SIZE=65536", "250").await;
}

/// A data directory that a server has filled with mail.
async fn used(directory: &Path) -> PathBuf {
    let mut program = Program::serve(directory, &[]);
    let mut line = program.smtp().await;
    let body = "A line that is worth its keep.\r\n".repeat(10_000);
    for _ in 0..5 {
        line.deliver(
            "a@client.example",
            &["postmaster@localhost"],
            &format!("Subject: x\r\n\r\n{body}"),
        )
        .await;
    }
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    directory.join("angarium-data")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_whole_and_one_that_is_not() {
    let directory = TempDir::new().unwrap();
    let data = used(directory.path()).await;
    let said = succeed(directory.path(), &["check", "store"], "");
    assert!(said.contains(" 0 findings"), "{said}");

    // Octets in the middle of the largest file are those of messages.
    let largest = largest(&data);
    let mut octets = fs::read(&largest).unwrap();
    let middle = octets.len() / 2;
    for octet in &mut octets[middle..middle + 64] {
        *octet ^= 0x55;
    }
    fs::write(&largest, octets).unwrap();
    let output = run(directory.path(), &["check", "store"], "");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(1), "{}: {said}", largest.display());
    assert!(
        !said.contains(" 0 findings") && !said.contains("panicked"),
        "{said}"
    );
}

fn largest(folder: &Path) -> PathBuf {
    let mut open = vec![folder.to_owned()];
    let mut largest = (0, PathBuf::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let known = fs::metadata(&path).unwrap();
            if known.is_dir() {
                open.push(path);
            } else if known.len() > largest.0 && !path.ends_with("reserve") {
                largest = (known.len(), path);
            }
        }
    }
    largest.1
}

#[test]
fn a_store_that_is_not_there() {
    let directory = TempDir::new().unwrap();
    let said = fail(directory.path(), &["check", "store", "--data", "nowhere"], 1);
    assert!(said.contains("nowhere"), "{said}");
    assert!(!directory.path().join("nowhere").exists(), "it was made");
}
