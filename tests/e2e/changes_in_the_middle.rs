//! What operators change of an account is seen by the sessions that stand on it, wherever they are.

use std::path::Path;

use base64ct::{Base64, Encoding};
use tempfile::TempDir;

use crate::line::Line;
use crate::node::{accepted, until};
use crate::program::{Program, succeed};

const ALICE: &str = "alice@example.org";
const BOB: &str = "bob@example.org";
const DATA: [&str; 8] = [
    "--data",
    "mail",
    "--set",
    "auth.argon2_memory=64KiB",
    "--set",
    "auth.failure_delay=0s",
    "--set",
    "server.hostname=example.org",
];

fn ask(here: &Path, verb: &str, input: &str) -> String {
    let words: Vec<&str> = verb.split(' ').chain(DATA).collect();
    succeed(here, &words, input)
}

/// A connection for submission behind its EHLO.
async fn submission(here: &Path, program: &Program) -> Line {
    let line = Line::to(program.address("submissions")).await;
    let mut line = line
        .secure(&here.join("mail/development-certificate.pem"), "example.org")
        .await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    line
}

fn plain(password: &str) -> String {
    let credentials = Base64::encode_string(format!("\0{ALICE}\0{password}").as_bytes());
    format!("AUTH PLAIN {credentials}")
}

/// A connection on which she has logged in.
async fn submitter(here: &Path, program: &Program, password: &str) -> Line {
    let mut line = submission(here, program).await;
    line.ask(&plain(password), "235").await;
    line
}

async fn begin(line: &mut Line, from: &str) {
    line.ask(&format!("MAIL FROM:<{from}>"), "250").await;
    line.ask(&format!("RCPT TO:<{BOB}>"), "250").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_an_account_that_sends() {
    const TEXT: &str = "Subject: x\r\n\r\nbody\r\n";
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = Program::serve(here, &DATA);
    ask(here, &format!("account add {ALICE}"), "one\n");
    ask(here, &format!("account add {BOB}"), "x\n");
    let mut idle = submitter(here, &program, "one").await;
    let mut report = submitter(here, &program, "one").await;
    let mut envelope = submitter(here, &program, "one").await;
    begin(&mut envelope, ALICE).await;
    let mut text = submitter(here, &program, "one").await;
    begin(&mut text, ALICE).await;
    text.ask("DATA", "354").await;
    // Behind the header nobody looks at names any more.
    text.send(format!("From: {ALICE}\r\nSubject: x\r\n\r\nhalf\r\n"))
        .await;
    let mut chunks = submitter(here, &program, "one").await;
    begin(&mut chunks, "").await;
    chunks.send("BDAT 14\r\nSubject: x\r\n\r\n").await;
    chunks.expect("250").await;

    // Another password: who is in stays in, and the next needs the new one.
    ask(here, &format!("account password {ALICE}"), "two\n");
    accepted(&idle.deliver(ALICE, &[BOB], TEXT).await);
    accepted(&report.deliver("", &[BOB], TEXT).await);
    let mut new = submission(here, &program).await;
    new.ask(&plain("one"), "535").await;
    new.ask(&plain("two"), "235").await;

    // Whom it may send as, from one command to the next.
    let sales = "MAIL FROM:<sales@example.org>";
    new.ask(sales, "553 5.7.1").await;
    ask(
        here,
        &format!("account identity add {ALICE} sales@example.org"),
        "",
    );
    begin(&mut new, "sales@example.org").await;
    new.ask("DATA", "354").await;
    new.send("Subject: x\r\n\r\nhalf\r\n").await;
    idle.ask(sales, "250").await;
    idle.ask("RSET", "250").await;
    ask(
        here,
        &format!("account identity remove {ALICE} sales@example.org"),
        "",
    );
    idle.ask(sales, "553 5.7.1").await;
    new.ask(".", "553 5.7.1").await;
    accepted(&new.deliver(ALICE, &[BOB], TEXT).await);

    // Gone: it may send as nobody any more, however far it had come.
    ask(here, &format!("account delete {ALICE}"), "");
    idle.ask(&format!("MAIL FROM:<{ALICE}>"), "553 5.7.1").await;
    report.ask("MAIL FROM:<>", "553 5.7.1").await;
    let refused = async |line: &mut Line, rest: &str| {
        line.send(rest).await;
        let reply = line.reply().await;
        assert!(reply.starts_with("55") && reply.contains("5.7.1"), "{reply}");
        line.ask("NOOP", "250").await;
        line.ask("QUIT", "221").await;
    };
    envelope.ask("DATA", "354").await;
    refused(&mut envelope, "Subject: x\r\n\r\n.\r\n").await;
    refused(&mut text, "other half\r\n.\r\n").await;
    refused(&mut chunks, "BDAT 6 LAST\r\nbody\r\n").await;
    let mut late = submission(here, &program).await;
    late.ask(&plain("two"), "535").await;
    until("what was answered 250 is there", async || {
        let listed = ask(here, "account list", "");
        let count = listed.split('\t').nth(1).unwrap().to_owned();
        count.parse::<u32>().unwrap() >= 3
    })
    .await;
    assert!(ask(here, "account list", "").starts_with(&format!("{BOB}\t3\t")));
    assert_eq!(ask(here, "queue list", ""), "");
}
