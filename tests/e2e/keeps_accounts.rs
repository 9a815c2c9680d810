//! Accounts are made, listed, given other passwords and deleted while the server is stopped.

use tempfile::TempDir;

use crate::program::{Program, fail, run, succeed};

/// A name in any script is one account, shown as people write it unless it could be taken for another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_names_in_any_script() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let data = ["--data", "mail", "--set", "auth.argon2_memory=64KiB"];
    let with = |arguments: &[&'static str]| [arguments, &data[..]].concat();
    succeed(
        here,
        &with(&["account", "add", "j\u{fc}rgen@b\u{fc}cher.example"]),
        "one\n",
    );
    succeed(
        here,
        &with(&["account", "add", "mallory@\u{430}pple.example"]),
        "two\n",
    );
    let taken = run(
        here,
        &with(&["account", "add", "JU\u{308}RGEN@xn--bcher-kva.example"]),
        "x\n",
    );
    assert!(!taken.status.success(), "it was added twice");
    let listed = succeed(here, &with(&["account", "list"]), "");
    assert!(listed.contains("j\u{fc}rgen@b\u{fc}cher.example\t"), "{listed}");
    assert!(listed.contains("mallory@xn--pple-43d.example\t"), "{listed}");

    let mut program = Program::serve(here, &["--data", "mail"]);
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example> SMTPUTF8", "250").await;
    line.ask("RCPT TO:<j\u{fc}rgen@b\u{fc}cher.example>", "250").await;
    program.signal(rustix::process::Signal::TERM);
    program.ended();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_first_to_the_last() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let data = ["--data", "mail", "--set", "auth.argon2_memory=64KiB"];
    let with = |arguments: &[&'static str]| [arguments, &data[..]].concat();
    // The first one makes the data directory, and its domain.
    succeed(here, &with(&["account", "add", "alice@example.org"]), "one\n");
    succeed(here, &with(&["account", "add", "Bob@example.org"]), "two\r\n");
    let said = fail(here, &with(&["account", "add", "alice@example.org"]), 1);
    assert!(said.contains("password"), "without one: {said}");
    let taken = run(here, &with(&["account", "add", "ALICE@EXAMPLE.ORG"]), "x\n");
    assert!(!taken.status.success(), "it was added twice");
    assert!(String::from_utf8_lossy(&taken.stderr).contains("is taken"));
    for wrong in ["alice", "alice@[127.0.0.1]", "a b@example.org", ""] {
        let output = run(here, &["account", "add", wrong, "--data", "mail"], "x\n");
        assert!(!output.status.success(), "{wrong:?} was added");
    }
    let listed = succeed(here, &with(&["account", "list"]), "");
    assert_eq!(
        listed,
        "alice@example.org\t0\t0B\t-\t-\t-\nBob@example.org\t0\t0B\t-\t-\t-\n"
    );

    let mut program = Program::serve(here, &["--data", "mail"]);
    let mut line = program.smtp().await;
    let to = ["alice@example.org", "bob@example.org"];
    line.deliver("a@client.example", &to, "Subject: x\r\n\r\n").await;
    program
        .maildrop("alice@example.org", "one")
        .await
        .ask("QUIT", "+OK")
        .await;
    program
        .maildrop("bob@example.org", "two")
        .await
        .ask("QUIT", "+OK")
        .await;
    program.signal(rustix::process::Signal::TERM);
    program.ended();

    succeed(
        here,
        &with(&["account", "password", "alice@example.org"]),
        "three\n",
    );
    succeed(here, &with(&["account", "delete", "bob@example.org"]), "");
    let said = fail(here, &with(&["account", "delete", "bob@example.org"]), 1);
    assert!(said.contains("there is no account bob@example.org"), "{said}");
    let listed = succeed(here, &with(&["account", "list"]), "");
    assert!(listed.starts_with("alice@example.org\t1\t"), "{listed}");
    assert_eq!(listed.lines().count(), 1, "{listed}");

    let program = Program::serve(here, &["--data", "mail"]);
    program
        .maildrop("alice@example.org", "three")
        .await
        .ask("STAT", "+OK 1 ")
        .await;
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<bob@example.org>", "550 5.1.1").await;
    line.ask("RCPT TO:<alice@example.org>", "250").await;
}
