//! What a mail program hands in becomes a whole message, in nobody's name but its writer's.

use base64ct::{Base64, Encoding};

use crate::line::Line;
use crate::node::{DOMAIN, Home, Node, PASSWORD, behind_trace};

/// A connection on which alice has logged in.
async fn submitter(node: &Node) -> Line {
    let line = Line::to(node.address("submissions")).await;
    let mut line = line.secure(&node.certificate, DOMAIN).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    let credentials = Base64::encode_string(format!("\0alice@{DOMAIN}\0{PASSWORD}").as_bytes());
    line.ask(&format!("AUTH PLAIN {credentials}"), "235").await;
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_what_they_lack() {
    let node = Home::new(&[]).await.start().await;
    let mut line = submitter(&node).await;
    let text = "Subject: one\r\nTo: bob@example.org\r\nBCC: carol@example.org,\r\n\talice@example.org\r\n\
                Return-Path: <x@client.example>\r\n\r\nBcc: body\r\n";
    let reply = line
        .deliver("alice+tag@example.org", &["bob@example.org"], text)
        .await;
    let id = crate::node::accepted(&reply);
    let whole = "From: Alice <alice@example.org>\r\nDate: Mon, 23 Nov 2026 20:15:52 +0000\r\n\
                 Message-ID: <1@client.example>\r\n\r\nbody\r\n";
    line.deliver("alice@example.org", &["bob@example.org"], whole)
        .await;
    // A report has no sender, and its author is who logged in.
    line.deliver("", &["bob@example.org"], "\r\nbody\r\n").await;
    let mail = node.mail("bob", 3).await;
    let mail: Vec<_> = mail
        .iter()
        .map(|mail| String::from_utf8_lossy(behind_trace(mail)).into_owned())
        .collect();
    let date = mail[0].lines().find(|line| line.starts_with("Date: ")).unwrap();
    let completed = format!(
        "Subject: one\r\nTo: bob@example.org\r\nFrom: alice+tag@example.org\r\n{date}\r\n\
         Message-ID: <{id}@example.org>\r\n\r\nBcc: body\r\n"
    );
    assert_eq!(mail[0], completed);
    assert_eq!(mail[1], whole);
    assert!(mail[2].starts_with("From: alice@example.org\r\n"), "{}", mail[2]);
    node.stop().await;
}

/// Attacks 31 and 37.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_in_no_other_name() {
    let node = Home::new(&[]).await.start().await;
    let mut line = submitter(&node).await;
    for (header, expected) in [
        ("From: bob@example.org", "550 5.7.1"),
        ("From: alice@example.org, bob@example.org", "550 5.7.1"),
        ("From: us: alice@example.org, Bob <bob@example.org>;", "550 5.7.1"),
        ("From: alice@example.org\r\nSender: bob@example.org", "550 5.7.1"),
        ("From: \"alice@example.org\" <bob@example.org>", "550 5.7.1"),
        ("From: ceo@elsewhere.example (alice@example.org)", "550 5.7.1"),
        ("From: alice@example.org\r\nFrom: bob@example.org", "554 5.6.0"),
        ("From: alice@example.org\r\nfrom : bob@example.org", "554 5.6.0"),
        ("From: alice@example.org <bob@example.org>", "554 5.6.0"),
        ("From: =?utf-8?q?bob=40example=2Eorg?=", "554 5.6.0"),
        ("From: us:;", "554 5.6.0"),
        ("bob says", "554 5.6.0"),
    ] {
        let text = format!("{header}\r\nSubject: one\r\n\r\nbody\r\n");
        let reply = line
            .deliver("alice@example.org", &["bob@example.org"], &text)
            .await;
        assert!(reply.starts_with(expected), "to {header}: {reply}");
    }
    let from = "From: =?utf-8?q?bob=40example=2Eorg?= (bob@example.org) <alice@example.org>";
    let text = format!("{from}\r\n\r\nbody\r\n");
    let reply = line
        .deliver("alice@example.org", &["bob@example.org"], &text)
        .await;
    assert!(reply.starts_with("250"), "{reply}");
    node.has("bob", 1).await;
    node.stop().await;
}
