//! What is logged, where to, and what never is.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::line::Line;
use crate::node::accepted;
use crate::program::{Program, fail, succeed};

/// The password of alice.
const PASSWORD: &str = "PaSsWoRd-MaRk";
/// What is in every body.
const BODY: &str = "BoDy-MaRk";
/// The same in base64, as AUTH says it: a password alone, with its name, and a body.
const ENCODED: [&str; 3] = ["UGFTc1dvUmQtTWFSaw", "QYVNzV29SZC1NYVJr", "Qm9EeS1NYVJr"];

fn alice(directory: &Path) {
    let password = format!("{PASSWORD}\n");
    succeed(directory, &["account", "add", "alice@localhost"], &password);
}

/// The objects of a log.
fn objects(text: &str) -> Vec<Value> {
    let object = |line: &str| serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    text.lines().map(object).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_step_of_a_message_is_a_line_with_its_id() {
    let directory = TempDir::new().unwrap();
    alice(directory.path());
    let mut program = Program::serve(directory.path(), &["--set", "log.format=json"]);
    let mut line = program.smtp().await;
    let to = ["alice@localhost", "postmaster@localhost"];
    line.ask("MAIL FROM:<sender@client.example>", "250").await;
    line.say(&format!("RCPT TO:<{}>", to[1])).await;
    line.ask("RSET", "250").await;
    let reply = line
        .deliver("sender@client.example", &to[..1], "Subject: x\r\n\r\nx\r\n")
        .await;
    let message = accepted(&reply).to_string();
    let mut pop3 = program.maildrop("alice@localhost", PASSWORD).await;
    crate::node::until("the message is there", async || {
        pop3.say("STAT").await.starts_with("+OK 1 ") || {
            pop3.ask("QUIT", "+OK").await;
            pop3 = program.maildrop("alice@localhost", PASSWORD).await;
            false
        }
    })
    .await;
    // A bare line feed.
    line.ask("MAIL FROM:<other@client.example>", "250").await;
    line.ask("RCPT TO:<alice@localhost>", "250").await;
    line.ask("DATA", "354").await;
    line.send("a\nb\r\n.\r\n").await;
    line.expect("550 5.6.0").await;
    program.signal(Signal::TERM);
    let (_, said) = program.ended();
    let objects = objects(&said);
    let steps: Vec<&Value> = objects
        .iter()
        .filter(|it| it["target"] == "angarium::message")
        .collect();
    let texts: Vec<&str> = steps.iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["accepted", "appended", "refused"], "{said}");
    for step in &steps[..2] {
        assert_eq!(step["message"], *message, "{step}");
    }
    assert_eq!(steps[0]["from"], "<sender@client.example>");
    assert_eq!(
        (&steps[0]["recipients"], &steps[0]["size"]),
        (&1.into(), &17.into())
    );
    assert!(steps[0]["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(steps[1]["recipient"], 0);
    assert_eq!(steps[2]["from"], "<other@client.example>");
    assert!(
        steps[2]["reason"].as_str().unwrap().starts_with("550 5.6.0 "),
        "{}",
        steps[2]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_and_no_body_is_in_the_log_even_at_trace() {
    let directory = TempDir::new().unwrap();
    alice(directory.path());
    let arguments = ["--log-level", "trace", "--log-file", "a.log"];
    let mut program = Program::serve(directory.path(), &arguments);
    let certificate = directory.path().join("angarium-data/development-certificate.pem");
    for is_secure in [false, true] {
        let mut line = program.smtp().await;
        if is_secure {
            line.ask("STARTTLS", "220").await;
            line = line.secure(&certificate, "localhost").await;
            line.ask("EHLO client.example", "250").await;
        }
        // Whatever is made of these, they are secrets.
        line.say("AUTH PLAIN AGFsaWNlQGxvY2FsaG9zdABQYVNzV29SZC1NYVJr")
            .await;
        for said in [
            "AUTH LOGIN",
            "YWxpY2VAbG9jYWxob3N0",
            "UGFTc1dvUmQtTWFSaw==",
            &format!("XPASS {PASSWORD}"),
            "RSET",
        ] {
            line.say(said).await;
        }
        line.deliver(
            "sender@client.example",
            &["alice@localhost"],
            &format!("Subject: {BODY}\r\n\r\n{BODY}\r\n"),
        )
        .await;
        line.ask("MAIL FROM:<sender@client.example>", "250").await;
        line.ask("RCPT TO:<alice@localhost>", "250").await;
        line.ask("DATA", "354").await;
        line.send(format!("{BODY}\n{BODY}\r\n.\r\n")).await;
        line.expect("550").await;
        // A body that the client takes for commands.
        line.say(BODY).await;

        let mut line = Line::to(program.address("pop3")).await;
        line.expect("+OK").await;
        if is_secure {
            line.ask("STLS", "+OK").await;
            line = line.secure(&certificate, "localhost").await;
        }
        line.say("USER alice@localhost").await;
        line.ask(&format!("PASS {PASSWORD}-wrong"), "-ERR").await;
        line.say("USER alice@localhost").await;
        line.ask(&format!("PASS {PASSWORD}"), "+OK").await;
        line.say(&format!("PASS {PASSWORD}")).await;
        line.ask("QUIT", "+OK").await;
    }
    program.signal(Signal::TERM);
    let (_, said) = program.ended();
    let logged = fs::read_to_string(directory.path().join("a.log")).unwrap();
    assert!(
        logged.contains("accepted message=") && logged.contains("angarium::security"),
        "{logged}"
    );
    for text in [&said, &logged] {
        for secret in [PASSWORD, BODY].into_iter().chain(ENCODED) {
            let found: Vec<&str> = text.lines().filter(|line| line.contains(secret)).collect();
            assert!(found.is_empty(), "{secret}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_name_stays_inside_its_line() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--log-level", "trace", "--log-file", "a.log"];
    let mut program = Program::serve(directory.path(), &arguments);
    let mut line = Line::to(program.address("mx")).await;
    line.expect("220 ").await;
    // What may stand in the name of a client is the machine's to say; what comes through is one line of the log.
    line.send(b"EHLO \x1b[2Jevil\x07\r\n".as_slice()).await;
    line.reply().await;
    line.ask(
        "EHLO client.example\u{85}2026-01-01T00:00:00.000Z ERROR forged",
        "5",
    )
    .await;
    line.ask("HELO client.example", "250").await;
    line.say("MAIL FROM:<\"a\\\u{1b}[31m\"@client.example>").await;
    line.say("MAIL FROM:<a\u{202e}b@client.example>").await;
    program.signal(Signal::TERM);
    let (_, said) = program.ended();
    let logged = fs::read_to_string(directory.path().join("a.log")).unwrap();
    for text in [&said, &logged] {
        // The account of a first start stands above the log, on standard error alone.
        for line in text.lines().filter(|line| line.contains(" angarium")) {
            assert!(
                !line.contains(char::is_control) && !line.contains('\u{202e}'),
                "{line:?}"
            );
        }
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("2026-01-01T00:00:00.000Z")),
            "{text}"
        );
    }
    assert!(logged.lines().all(|line| line.starts_with("20")), "{logged}");
}

#[test]
fn a_log_that_cannot_be_written_stops_the_start() {
    let directory = TempDir::new().unwrap();
    let said = fail(directory.path(), &["serve", "--log-file", "missing/a.log"], 1);
    assert!(
        said.contains("cannot log to missing/a.log (log.file): No such file"),
        "{said}"
    );
    if !std::path::Path::new("/run/systemd/journal/socket").exists() {
        let said = fail(directory.path(), &["serve", "--set", "log.journald=true"], 1);
        assert!(
            said.contains("/run/systemd/journal/socket (log.journald): No such file"),
            "{said}"
        );
    }
    assert!(
        fs::read_dir(directory.path()).unwrap().next().is_none(),
        "something was made"
    );
}
