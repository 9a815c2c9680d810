//! A new user starts the program in an empty directory, does what it says, and has mail.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, fail, run, succeed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn makes_an_account_and_tells_its_password_once() {
    let directory = TempDir::new().unwrap();
    let mut program = Program::serve(directory.path(), &[]);
    let mut line = program.smtp().await;
    line.deliver(
        "a@client.example",
        &["postmaster@localhost"],
        "Subject: first\r\n\r\n",
    )
    .await;
    line.ask("STARTTLS", "220").await;
    let data = directory.path().join("angarium-data");
    let certificate = data.join("development-certificate.pem");
    drop(line.secure(&certificate, "localhost").await);
    let mode = fs::metadata(data.join("development-key.pem"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    program.signal(Signal::TERM);
    let (status, welcome) = program.ended();
    assert_eq!(status.code(), Some(0), "{welcome}");
    for hint in ["swaks ", "curl ", "account add", "postmaster@localhost"] {
        assert!(welcome.contains(hint), "no {hint:?} in {welcome}");
    }
    let password = welcome
        .lines()
        .find_map(|line| line.trim().strip_prefix("postmaster@localhost    password "));
    let password = password.expect("a password").to_owned();

    // The same certificate and the same account are there at the next start, and nothing is told of them.
    let before = fs::read(&certificate).unwrap();
    let mut program = Program::serve(directory.path(), &[]);
    let mut line = program.maildrop("postmaster@localhost", &password).await;
    line.ask("STAT", "+OK 1 ").await;
    line.ask("QUIT", "+OK").await;
    program.signal(Signal::INT);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0));
    assert!(!said.contains("password"), "{said}");
    assert_eq!(fs::read(&certificate).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_it_also_over_a_store_in_which_nothing_ever_happened() {
    let directory = TempDir::new().unwrap();
    // Makes the store and changes nothing, as a first start does that is killed early.
    succeed(
        directory.path(),
        &["account", "add", "alice@example.org", "--dry-run"],
        "",
    );
    let mut program = Program::serve(directory.path(), &[]);
    program.signal(Signal::TERM);
    let (_, welcome) = program.ended();
    assert!(welcome.contains("postmaster@localhost    password "), "{welcome}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_second_server_on_the_same_data_is_refused() {
    let directory = TempDir::new().unwrap();
    let _program = Program::serve(directory.path(), &[]);
    let said = fail(
        directory.path(),
        &["serve", "--set", "listeners.mx.bind=127.0.0.1:0"],
        1,
    );
    assert!(
        said.contains("angarium-data") && said.contains("has it open"),
        "{said}"
    );
}

#[test]
fn on_a_taken_address_is_refused_by_name() {
    let directory = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let set = format!("listeners.mx.bind={}", taken.local_addr().unwrap());
    let said = fail(
        directory.path(),
        &[
            "serve",
            "--set",
            &set,
            "--set",
            "listeners.pop3.bind=127.0.0.1:0",
            "--set",
            "listeners.submission.enabled=false",
            "--set",
            "listeners.submissions.enabled=false",
        ],
        1,
    );
    assert!(said.contains("listeners.mx.bind"), "{said}");
}

#[test]
fn may_be_preceded_by_a_look_at_the_help() {
    let directory = TempDir::new().unwrap();
    for arguments in [
        &["help"][..],
        &["--help"],
        &["help", "serve"],
        &["account", "--help"],
    ] {
        assert!(
            succeed(directory.path(), arguments, "").contains("Usage: "),
            "{arguments:?}"
        );
    }
    let version = succeed(directory.path(), &["version"], "");
    assert_eq!(version, format!("angarium {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["serv"][..], &[], &["account"], &["trace"]] {
        assert_eq!(
            run(directory.path(), arguments, "").status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    assert!(
        fs::read_dir(directory.path()).unwrap().next().is_none(),
        "something was made"
    );
}
