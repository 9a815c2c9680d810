//! Where settings come from: file, environment, flags; what is said of them, and what of mistakes.

use std::fs;
use std::path::Path;
use std::process::Output;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, fail, run_among, succeed};

const PLANTED: &str = include_str!("../../config/tests/planted.toml");
const MISTAKES: &str = include_str!("../../config/tests/planted.txt");

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn thirty_planted_mistakes_and_those_beside_them_are_found_in_one_run() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("planted.toml"), PLANTED).unwrap();
    let variables = [
        ("SMTP_CONFIG_FILE", "planted.toml"),
        ("SMTP_PROFILE", "development"),
        ("ANGARIUM__SMTP__MAX_RECIPIENT", "100"),
        ("ANGARIUM__STORE__READERS", "none"),
        ("SMTP_MAX_CONNECTIONS", "0"),
        ("SMTP_WEBHOOK_URL", "https://hooks.example/token"),
    ];
    let arguments = [
        "--log-level",
        "loud",
        "--set",
        "queue.worker=5",
        "--set",
        "nonsense",
    ];
    for command in [
        &["check", "config"][..],
        &["check", "config", "--explain"],
        &["serve"],
        &["serve", "--validate-only"],
    ] {
        let output = run_among(directory.path(), &variables, &[command, &arguments].concat(), "");
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let expected = format!("angarium: the configuration has mistakes\n{MISTAKES}");
        assert_eq!(said(&output), expected);
        assert_eq!(output.stdout, b"");
    }
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "something was made"
    );
}

/// One key of what `--explain=json` prints: its value, the kind of its source, and its place.
fn explained(lines: &str, key: &str) -> (serde_json::Value, String, String) {
    let lines = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("an object a line"));
    let mut found = lines.filter(|line| line["key"] == key);
    let line = found.next().expect(key);
    let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    (line["value"].clone(), text("source"), text("place"))
}

#[test]
fn every_value_is_explained_with_its_source() {
    let directory = TempDir::new().unwrap();
    fs::write(
        directory.path().join("a.toml"),
        "[server]\nprofile = 'development'\n[smtp]\nmax_errors = 7\nmax_hops = 200",
    )
    .unwrap();
    let variables = [
        ("SMTP_HOSTNAME", "mx.example.org"),
        ("ANGARIUM__SMTP__MAX_HOPS", "300"),
    ];
    let arguments = [
        "check",
        "config",
        "-c",
        "a.toml",
        "-p",
        "2526",
        "--data",
        "here",
        "--set",
        "queue.workers=3",
    ];
    let explain = |format: &str| {
        let output = run_among(
            directory.path(),
            &variables,
            &[&arguments[..], &[format]].concat(),
            "",
        );
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let json = explain("--explain=json");
    for (key, value, source, place) in [
        (
            "server.hostname",
            "mx.example.org".into(),
            "environment",
            "SMTP_HOSTNAME",
        ),
        ("server.data", "here".into(), "command line", "--data"),
        ("smtp.max_errors", 7.into(), "file", "a.toml:4:14"),
        (
            "smtp.max_hops",
            300.into(),
            "environment",
            "ANGARIUM__SMTP__MAX_HOPS",
        ),
        ("queue.workers", 3.into(), "command line", "--set queue.workers"),
        ("store.reserve", "64MiB".into(), "profile", "profile development"),
        ("store.max_feed", 1024.into(), "default", ""),
        ("log.file", serde_json::Value::Null, "default", ""),
        (
            "listeners.mx.bind",
            vec!["127.0.0.1:2526"].into(),
            "command line",
            "--port",
        ),
    ] {
        assert_eq!(
            explained(&json, key),
            (value, source.to_owned(), place.to_owned()),
            "{key}"
        );
    }
    // For people it is TOML with the source behind each line, and a configuration again.
    let toml = explain("--explain");
    let line = toml.lines().find(|line| line.starts_with("smtp.max_errors"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    assert_eq!(words, ["smtp.max_errors", "=", "7", "#", "a.toml:4:14"]);
    fs::write(directory.path().join("again.toml"), &toml).unwrap();
    let again = succeed(
        directory.path(),
        &["check", "config", "--explain=json", "-c", "again.toml"],
        "",
    );
    assert_eq!(explained(&again, "smtp.max_hops").0, 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_only_the_environment_has_told_what_to_do() {
    let directory = TempDir::new().unwrap();
    let variables = [
        ("SMTP_PROFILE", "testing"),
        ("ANGARIUM__SERVER__DATA", "data"),
        ("SMTP_HOSTNAME", "mx.example.org"),
        ("SMTP_HOST", "127.0.0.1"),
        ("SMTP_MAX_MESSAGE_SIZE", "65536"),
        ("SMTP_ENABLE_TLS", "false"),
    ];
    let mut program = Program::serve_among(directory.path(), &variables, &[]);
    let mut line = crate::line::Line::to(program.address("mx")).await;
    line.expect("220 mx.example.org ").await;
    line.send("EHLO client.example\r\n").await;
    let mut offered = Vec::new();
    while let Some(reply) = line.hear().await {
        offered.push(reply.clone());
        if reply.starts_with("250 ") {
            break;
        }
    }
    let offered = offered.join("\n");
    assert!(
        offered.contains("SIZE 65536") && !offered.contains("STARTTLS"),
        "{offered}"
    );
    program.signal(Signal::TERM);
    assert_eq!(program.ended().0.code(), Some(0));
    assert!(directory.path().join("data/store").exists());
    assert!(!directory.path().join("data/development-key.pem").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flags_win_over_the_environment() {
    let directory = TempDir::new().unwrap();
    let variables = [
        ("SMTP_PROFILE", "testing"),
        ("SMTP_HOST", "192.0.2.1"),
        ("SMTP_PORT", "1"),
        ("SMTP_ENABLE_TLS", "false"),
        ("SMTP_MAX_CONNECTIONS", "7"),
        ("ANGARIUM__LOG__LEVEL", "error"),
    ];
    let arguments = [
        "--data",
        "data",
        "--host",
        "127.0.0.1",
        "-p",
        "0",
        "--disable-tls",
        "--enable-tls",
        "--max-connections",
        "8",
        "--log-level",
        "info",
        "--log-file",
        "a.log",
    ];
    let mut program = Program::serve_among(directory.path(), &variables, &arguments);
    assert!(program.address("mx").ip().is_loopback());
    let mut line = crate::line::Line::to(program.address("mx")).await;
    line.expect("220 localhost ").await;
    line.ask("EHLO client.example", "250").await;
    line.ask("STARTTLS", "220").await;
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
    let logged = fs::read_to_string(directory.path().join("a.log")).unwrap();
    for words in ["starting", "stopped"] {
        assert!(logged.contains(words) && said.contains(words), "{logged}\n{said}");
    }
}

#[test]
fn validate_only_serves_nothing() {
    let directory = TempDir::new().unwrap();
    let said = succeed(directory.path(), &["serve", "--validate-only", "--data", "x"], "");
    assert_eq!(said, "the configuration is good; the data directory is x\n");
    assert!(
        fs::read_dir(directory.path()).unwrap().next().is_none(),
        "something was made"
    );
}

#[test]
fn a_file_that_cannot_be_read_has_exit_code_two() {
    let directory = TempDir::new().unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/angarium.toml");
    std::os::unix::fs::symlink(sample, directory.path().join("link.toml")).unwrap();
    succeed(directory.path(), &["check", "config", "-c", "link.toml"], "");

    fs::write(directory.path().join("huge.toml"), vec![b'#'; 4 << 20]).unwrap();
    let said = fail(directory.path(), &["check", "config", "-c", "huge.toml"], 2);
    assert!(said.contains("huge.toml: longer than 1048576 bytes"), "{said}");
    // A file without an end.
    let said = fail(directory.path(), &["check", "config", "-c", "/dev/zero"], 2);
    assert!(said.contains("/dev/zero: longer than"), "{said}");
    let said = fail(directory.path(), &["serve", "-c", "."], 2);
    assert!(said.contains(".: cannot be read: Is a directory"), "{said}");
    let output = run_among(
        directory.path(),
        &[("SMTP_CONFIG_FILE", "missing.toml")],
        &["account", "list"],
        "",
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(self::said(&output).contains("missing.toml: cannot be read: No such file"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_listener_has_several_addresses() {
    let directory = TempDir::new().unwrap();
    let variables = [("SMTP_PROFILE", "testing"), ("SMTP_HOST", "127.0.0.1,127.0.0.2")];
    let program = Program::serve_among(directory.path(), &variables, &["--data", "data"]);
    let mx = program.ready.split(' ').find_map(|word| word.strip_prefix("mx="));
    let addresses: Vec<&str> = mx.expect("a listener").split(',').collect();
    assert_eq!(addresses.len(), 2, "{}", program.ready);
    for address in addresses {
        let mut line = crate::line::Line::to(address.parse().unwrap()).await;
        line.expect("220 ").await;
    }
}
