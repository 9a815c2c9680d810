//! The process ends: when it is told to it drains and says so with 0, and when it is cut off nothing accepted is lost.

use rustix::process::Signal;
use tempfile::TempDir;

use crate::node::without_trace;
use crate::program::{Program, succeed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_order_when_told_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let directory = TempDir::new().unwrap();
        let mut program = Program::serve(directory.path(), &["--set", "server.drain_deadline=20s"]);
        let (mut idle, mut sending) = (program.smtp().await, program.smtp().await);
        sending.ask("MAIL FROM:<a@client.example>", "250").await;
        sending.ask("RCPT TO:<postmaster@localhost>", "250").await;
        sending.ask("DATA", "354").await;
        sending.send("Subject: x\r\n\r\n").await;
        program.signal(signal);
        idle.expect("421 4.3.2").await;
        sending.send(".\r\n").await;
        sending.expect("250 2.0.0").await;
        sending.expect("421 4.3.2").await;
        let (status, said) = program.ended();
        assert_eq!(status.code(), Some(0), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_deadline_when_a_peer_does_not() {
    let directory = TempDir::new().unwrap();
    let mut program = Program::serve(directory.path(), &["--set", "server.drain_deadline=1s"]);
    let mut sending = program.smtp().await;
    sending.ask("MAIL FROM:<a@client.example>", "250").await;
    sending.ask("RCPT TO:<postmaster@localhost>", "250").await;
    sending.ask("DATA", "354").await;
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_once_and_keeps_every_message_that_it_accepted() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let data = ["--set", "auth.argon2_memory=64KiB"];
    succeed(
        here,
        &[&["account", "add", "alice@example.org"], &data[..]].concat(),
        "secret\n",
    );
    let mut expected = Vec::new();
    for round in 0..4 {
        let mut program = Program::serve(here, &[]);
        let mut line = program.smtp().await;
        for number in 0..10 {
            let text = format!("Subject: {round}.{number}\r\n\r\n{}\r\n", "x".repeat(number * 90));
            let reply = line
                .deliver("a@client.example", &["alice@example.org"], &text)
                .await;
            assert!(reply.starts_with("250"), "{reply}");
            expected.push(text);
        }
        // The next one is on its way when the process dies.
        line.send("MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\nhalf\r\n")
            .await;
        program.killed();
    }
    let program = Program::serve(here, &[]);
    let count = expected.len();
    crate::node::until("everything is delivered", async || {
        let mut line = program.maildrop("alice@example.org", "secret").await;
        let stat = line.ask("STAT", "+OK").await;
        line.ask("QUIT", "+OK").await;
        stat.starts_with(&format!("+OK {count} "))
    })
    .await;
    let mut line = program.maildrop("alice@example.org", "secret").await;
    let mut found = Vec::new();
    for number in 1..=count {
        line.ask(&format!("RETR {number}"), "+OK").await;
        found.push(without_trace(&line.text().await));
    }
    found.sort();
    expected.sort();
    assert!(found == expected, "messages are lost, doubled or changed");
}
