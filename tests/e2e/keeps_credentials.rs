//! What opens an account and what it may send as: given, listed and taken away while the server is stopped.

use tempfile::TempDir;

use crate::line::Line;
use crate::program::{Program, fail, succeed};

const ALICE: &str = "alice@example.org";
const DATA: [&str; 4] = ["--data", "mail", "--set", "auth.argon2_memory=64KiB"];

fn with(arguments: &[&'static str]) -> Vec<&'static str> {
    [arguments, &DATA[..]].concat()
}

async fn log_in(program: &Program, password: &str) -> String {
    let mut line = Line::to(program.address("pop3")).await;
    line.expect("+OK ").await;
    line.ask(&format!("USER {ALICE}"), "+OK").await;
    line.say(&format!("PASS {password}")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_programs() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    succeed(here, &with(&["account", "add", ALICE]), "secret\n");
    let add = |arguments: &[&'static str]| {
        let all = [&["account", "app-password", "add", ALICE], arguments].concat();
        // Its receipt stands behind it.
        let said = succeed(here, &with(&all), "");
        said.lines().next().unwrap().to_owned()
    };
    let telephone = add(&["telephone", "--protocol", "pop3", "--expires", "90d"]);
    let printer = add(&["printer", "--protocol", "smtp"]);
    assert_eq!(
        telephone.len(),
        "xxxx-xxxx-xxxx-xxxx-xxxx-xxxx".len(),
        "{telephone}"
    );
    let refused = |arguments: &[&'static str], why: &str, code| {
        let all = [&["account", "app-password"], arguments].concat();
        let said = fail(here, &with(&all), code);
        assert!(said.contains(why), "{said}");
    };
    refused(&["add", ALICE, "telephone"], "exists", 1);
    refused(
        &["add", ALICE, "x", "--protocol", "fax"],
        "one of smtp, pop3, imap",
        2,
    );
    refused(&["add", ALICE, "x", "--expires", "soon"], "a duration", 2);
    refused(&["add", "bob@example.org", "x"], "no account", 1);
    refused(&["remove", ALICE, "toaster"], "no such", 1);
    let listed = succeed(here, &with(&["account", "app-password", "list", ALICE]), "");
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("telephone\tpop3\t20"), "{listed}");
    assert!(lines[1].starts_with("printer\tsmtp\t-\t20"), "{listed}");
    assert!(!listed.contains(&telephone));

    let mut program = Program::serve(here, &["--data", "mail", "--set", "auth.failure_delay=0s"]);
    assert!(log_in(&program, "secret").await.starts_with("+OK"));
    assert!(log_in(&program, &telephone).await.starts_with("+OK"));
    assert!(log_in(&program, &printer).await.starts_with("-ERR [AUTH]"));
    program.signal(rustix::process::Signal::TERM);
    program.ended();
    succeed(
        here,
        &with(&["account", "app-password", "remove", ALICE, "telephone"]),
        "",
    );
    let program = Program::serve(here, &["--data", "mail", "--set", "auth.failure_delay=0s"]);
    assert!(log_in(&program, &telephone).await.starts_with("-ERR [AUTH]"));
}

#[test]
fn of_identities() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    succeed(here, &with(&["account", "add", ALICE]), "secret\n");
    let identity = |arguments: &[&'static str]| {
        let all = [&["account", "identity"], arguments].concat();
        succeed(here, &with(&all), "")
    };
    identity(&["add", ALICE, "Sales@example.org"]);
    identity(&["add", ALICE, "@example.org"]);
    assert_eq!(identity(&["list", ALICE]), "Sales@example.org\n@example.org\n");
    identity(&["remove", ALICE, "sales@Example.org"]);
    assert_eq!(identity(&["list", ALICE]), "@example.org\n");
    for (arguments, why, code) in [
        (["add", ALICE, "@example.org"], "exists", 1),
        (["add", ALICE, "x@elsewhere.example"], "no such domain", 1),
        (["add", ALICE, "x@[127.0.0.1]"], "no such domain", 1),
        (["add", ALICE, "x"], "neither an address", 2),
        (["remove", ALICE, "x@example.org"], "no such identity", 1),
    ] {
        let all = [&["account", "identity"], &arguments[..]].concat();
        let said = fail(here, &with(&all), code);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}

#[test]
fn with_a_password_that_cannot_be_prepared() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let said = succeed(here, &with(&["account", "add", ALICE]), "\u{1f512}\n");
    assert!(said.contains("SASLprep"), "{said}");
    let said = succeed(here, &with(&["account", "password", ALICE]), "geheim ä\n");
    assert!(!said.contains("SASLprep"), "{said}");
    let said = fail(here, &with(&["account", "add", "alice+tag@example.org"]), 1);
    assert!(said.contains("password") || said.contains("+tag"), "{said}");
}
