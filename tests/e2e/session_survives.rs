//! The actor of a session dies, and the connection goes on: between two commands nobody notices, a command on which it
//! dies is answered once with an error, and a text on its way is read to its end and never as commands.

use std::time::Duration;

use supervision::{Phase, Value};

use crate::line::Line;
use crate::node::{Home, Node, PASSWORD, until};

const TEXT: &str = "Subject: one\r\n\r\nbody\r\n";

/// Kills the only session of a listener and waits until it is back.
async fn kill_session(node: &Node, listener: &str) {
    let session = node.session(listener);
    node.server.tree.kill(&session.path).unwrap();
    until("the session is back", async || {
        let now = node.session(listener);
        now.restarts > session.restarts && now.phase == Phase::Up
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_commands() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    for (command, expected) in [
        ("MAIL FROM:<a@client.example>", "250 2.1.0"),
        ("RCPT TO:<alice@example.org>", "250 2.1.5"),
        ("RCPT TO:<nobody@example.org>", "550 5.1.1"),
        ("RCPT TO:<bob@example.org>", "250 2.1.5"),
        ("DATA", "354"),
    ] {
        kill_session(&node, "mx").await;
        line.ask(command, expected).await;
    }
    line.send(format!("{TEXT}.\r\n")).await;
    line.expect("250 2.0.0").await;
    kill_session(&node, "mx").await;
    line.ask("QUIT", "221").await;
    node.has("alice", 1).await;
    node.has("bob", 1).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_text() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    for (command, expected) in [
        ("MAIL FROM:<a@client.example>", "250"),
        ("RCPT TO:<alice@example.org>", "250"),
        ("DATA", "354"),
    ] {
        line.ask(command, expected).await;
    }
    let before = node.session("mx").handled;
    line.send("Subject: cut\r\n\r\nhalf of it\r\n").await;
    until("the first half has been taken", async || {
        let session = node.session("mx");
        session.handled > before && session.depth == 0
    })
    .await;
    kill_session(&node, "mx").await;
    let rest = "RSET\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nx\r\n";
    line.send(rest).await;
    line.send("QUIT\r\n.\r\n").await;
    line.expect("451 4.3.0").await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    node.has("alice", 1).await;
    node.has("bob", 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_tls() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    line.ask("STARTTLS", "220").await;
    let mut line = line.secure(&node.certificate, "example.org").await;
    line.ask("EHLO client.example", "250").await;
    kill_session(&node, "mx").await;
    line.ask("STARTTLS", "50").await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    let mail = node.mail("alice", 1).await;
    let trace = String::from_utf8_lossy(&mail[0]);
    assert!(trace.contains("with ESMTPS (TLSv1.3 "), "{trace}");
    node.stop().await;
}

/// Whether the only session of a listener is in the middle of a turn.
async fn is_at_work(node: &Node, listener: &str) {
    until("the session is at work", async || {
        node.session(listener).depth > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn during_a_command() {
    // A refused log-in takes a minute: time enough to die in it.
    let node = Home::new(&["auth.failure_delay=15s"]).await.start().await;
    let mut line = node.pop3().await;
    line.ask("USER alice@example.org", "+OK").await;
    line.send("PASS guess\r\n").await;
    is_at_work(&node, "pop3").await;
    kill_session(&node, "pop3").await;
    line.expect("-ERR [SYS/TEMP]").await;
    line.ask("USER alice@example.org", "+OK").await;
    line.ask(&format!("PASS {PASSWORD}"), "+OK").await;
    line.ask("STAT", "+OK 0 0").await;
    // What it had marked and the lock that it held are still its own.
    kill_session(&node, "pop3").await;
    line.ask("STAT", "+OK 0 0").await;
    line.ask("QUIT", "+OK").await;
    line.closes().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_without_end() {
    let node = Home::new(&[]).await.start().await;
    let (mut line, mut neighbour) = (node.smtp().await, Line::to(node.address("pop3")).await);
    neighbour.expect("+OK").await;
    let path = node.session("mx").path;
    let mut deaths = 0;
    until("it is started no more", async || {
        let rows = node.server.tree.tree(&path);
        match rows.first().map(|row| row.phase) {
            Some(Phase::Up) => {
                deaths += 1;
                node.server.tree.kill(&path).unwrap();
                false
            }
            Some(Phase::Parked | Phase::Closed) | None => true,
            Some(_) => false,
        }
    })
    .await;
    assert!(deaths > 10, "{deaths} deaths are enough to give it up");
    line.ask("NOOP", "421 4.3.0").await;
    line.closes().await;
    neighbour.ask("CAPA", "+OK").await;
    node.smtp().await.ask("NOOP", "250").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_any_moment() {
    let node = Home::new(&[]).await.start().await;
    let mut taken = 0;
    for round in 0..30_u32 {
        let mut line = node.smtp().await;
        let transaction = format!(
            "MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n{TEXT}.\r\nNOOP\r\n"
        );
        let path = node.session("mx").path;
        line.send(&transaction).await;
        // Nobody knows where in the transaction this falls.
        for _ in 0..round * 2 {
            tokio::task::yield_now().await;
        }
        node.server.tree.kill(&path).unwrap();
        if let Some(was_taken) = replies_until_noop(&mut line).await {
            taken += usize::from(was_taken);
            line.ask("QUIT", "221").await;
            line.closes().await;
        }
        until("the connection is gone", async || {
            node.server.tree.tree("/listeners/mx/connections").len() == 1
        })
        .await;
    }
    node.has("alice", taken).await;
    node.stop().await;
}

/// Reads the replies to a pipelined transaction with a NOOP behind it. Says whether the message was taken; `None` when
/// the server has closed.
async fn replies_until_noop(line: &mut Line) -> Option<bool> {
    let mut replies = Vec::new();
    for _ in ["MAIL", "RCPT", "DATA"] {
        replies.push(line.reply().await);
    }
    if !replies[2].starts_with("354") {
        // The session died on MAIL. A text that did not wait for its 354 is never run as commands.
        assert!(replies[0].starts_with("451"), "{replies:?}");
        line.expect("421").await;
        line.closes().await;
        return None;
    }
    let (end, noop) = (line.reply().await, line.reply().await);
    for reply in [&end, &noop] {
        let is_fine = reply.starts_with("250") || reply.starts_with("451");
        assert!(is_fine, "{replies:?} {end} {noop}");
    }
    Some(end.starts_with("250"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_session_says_what_it_is_at() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<alice@example.org>", "250").await;
    let session = node.session("mx");
    let inspection = node.server.tree.inspect(&session.path).await.unwrap();
    assert_eq!(inspection.value("helo"), Some(&Value::from("client.example")));
    assert_eq!(inspection.value("recipients"), Some(&Value::from(1_usize)));
    assert!(session.longest < Duration::from_secs(60));
    node.stop().await;
}
