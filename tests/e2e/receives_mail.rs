//! A message that comes in over SMTP, in any of the ways in which clients send, is in its mailbox as it was sent.

use message::address::DomainName;
use store::command::{Command, CreateAlias, CreateDomain};
use store::record::trail::TrailEvent;

use crate::line::Line;
use crate::node::{Home, accepted, address, propose, without_trace};
use actors::tree::DEFAULT_TENANT;

const TEXT: &str = "From: <a@client.example>\r\nSubject: one\r\n\r\nA body.\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_clear() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    let reply = line
        .deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    line.ask("QUIT", "221 2.0.0").await;
    line.closes().await;
    let mail = node.mail("alice", 1).await;
    assert_eq!(without_trace(&mail[0]), TEXT);
    let trace = String::from_utf8(mail[0].clone()).unwrap();
    assert!(
        trace.starts_with(
            "Return-Path: <a@client.example>\r\nReceived: from client.example ([127.0.0.1])\r\n"
        ),
        "{trace}"
    );
    assert!(trace.contains("by example.org with ESMTP\r\n"), "{trace}");
    assert!(trace.contains("for <alice@example.org>;\r\n"), "{trace}");
    let trail = node.trail(accepted(&reply));
    let [
        TrailEvent::Accepted { reply: told, .. },
        TrailEvent::Appended { .. },
    ] = &*trail
    else {
        panic!("{trail:?}");
    };
    assert_eq!(*told, reply);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_tls() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    line.ask("STARTTLS", "220 2.0.0").await;
    let mut line = line.secure(&node.certificate, "example.org").await;
    line.ask("MAIL FROM:<a@client.example>", "503").await;
    line.ask("EHLO client.example", "250 ").await;
    line.ask("STARTTLS", "50").await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    let mail = node.mail("alice", 1).await;
    assert_eq!(without_trace(&mail[0]), TEXT);
    let trace = String::from_utf8(mail[0].clone()).unwrap();
    assert!(trace.contains("with ESMTPS (TLSv1.3 TLS_"), "{trace}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn before_any_command_under_implicit_tls() {
    let node = Home::new(&["listeners.mx.tls=implicit"]).await.start().await;
    let line = Line::to(node.address("mx")).await;
    let mut line = line.secure(&node.certificate, "example.org").await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    assert_eq!(without_trace(&node.mail("alice", 1).await[0]), TEXT);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_one_piece() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    let transaction =
        format!("MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n{TEXT}.\r\n");
    line.send(transaction.repeat(3) + "QUIT\r\n").await;
    for _ in 0..3 {
        for expected in ["250 2.1.0", "250 2.1.5", "354", "250 2.0.0"] {
            line.expect(expected).await;
        }
    }
    line.expect("221 2.0.0").await;
    line.closes().await;
    for message in node.mail("alice", 3).await {
        assert_eq!(without_trace(&message), TEXT);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn octet_by_octet() {
    let node = Home::new(&[]).await.start().await;
    let mut line = Line::to(node.address("mx")).await;
    line.expect("220 ").await;
    let session = format!(
        "HELO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n{TEXT}.\r\nQUIT\r\n"
    );
    for octet in session.as_bytes() {
        line.send([*octet]).await;
    }
    for expected in ["250 ", "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "221"] {
        line.expect(expected).await;
    }
    line.closes().await;
    assert_eq!(without_trace(&node.mail("alice", 1).await[0]), TEXT);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_nobody() {
    let node = Home::new(&[]).await.start().await;
    node.smtp().await.deliver("", &["alice@example.org"], TEXT).await;
    let mail = node.mail("alice", 1).await;
    assert!(
        mail[0].starts_with(b"Return-Path: <>\r\n"),
        "{}",
        mail[0].escape_ascii()
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_several() {
    let node = Home::new(&[]).await.start().await;
    let to = [
        "alice@example.org",
        "bob@example.org",
        "BOB@Example.ORG",
        "alice+news@example.org",
    ];
    node.smtp().await.deliver("a@client.example", &to, TEXT).await;
    for name in ["alice", "bob"] {
        let mail = node.mail(name, 1).await;
        assert_eq!(without_trace(&mail[0]), TEXT);
        assert!(
            !mail[0].windows(5).any(|five| five == b"for <"),
            "one learns of another"
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn for_an_address_that_stands_for_others() {
    let home = Home::new(&[]).await;
    home.store(async |store| {
        propose(
            &store,
            Command::CreateAlias(CreateAlias {
                tenant: DEFAULT_TENANT,
                address: address("team@example.org"),
                targets: vec![address("alice@example.org"), address("bob@example.org")],
            }),
        )
        .await;
        propose(
            &store,
            Command::CreateDomain(CreateDomain {
                tenant: DEFAULT_TENANT,
                name: DomainName::parse_utf8("other.example").unwrap(),
                catch_all: Some(address("bob@example.org")),
            }),
        )
        .await;
    })
    .await;
    let node = home.start().await;
    let mut line = node.smtp().await;
    // Who is named twice gets it once.
    let to = ["team@example.org", "alice@example.org"];
    line.deliver("a@client.example", &to, TEXT).await;
    node.has("alice", 1).await;
    node.has("bob", 1).await;
    line.deliver("a@client.example", &["whoever@other.example"], TEXT)
        .await;
    node.has("bob", 2).await;
    line.deliver("a@client.example", &["alice+a+b@example.org"], TEXT)
        .await;
    node.has("alice", 2).await;
    line.deliver("a@client.example", &["Postmaster"], TEXT).await;
    node.has("postmaster", 1).await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<nobody@example.org>", "550 5.1.1").await;
    node.stop().await;
}
