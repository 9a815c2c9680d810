//! What hostile texts get, and that the session of who sends them stays in good order. Ends of text that are none
//! (attacks 1 to 3) are told of in the transcripts, loops (attack 16) in `refuses`.

use std::net::Ipv4Addr;

use store::record::trail::TrailEvent;

use crate::line::Line;
use crate::node::{Home, Node, accepted, behind_trace};

const TEXT: &str = "Subject: one\r\n\r\nbody\r\n";

/// Begins a message for bob.
async fn begin(line: &mut Line) {
    for command in ["MAIL FROM:<a@client.example>", "RCPT TO:<bob@example.org>"] {
        line.ask(command, "250").await;
    }
    line.ask("DATA", "354").await;
}

/// Sends a text in pieces, wants a refusal of it, and that the next message is taken.
async fn refuses(node: &Node, pieces: impl Iterator<Item = Vec<u8>>, expected: &str) {
    let mut line = node.smtp().await;
    begin(&mut line).await;
    for piece in pieces {
        line.send(piece).await;
    }
    line.send("\r\n\r\n.\r\n").await;
    line.expect(expected).await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_end() {
    let node = Home::new(&[]).await.start().await;
    let times = |piece: &[u8], times: usize| std::iter::repeat_n(piece.to_vec(), times);
    // A line of 10 MB; a million fields; a field of a million folds; and all in bounds but the whole.
    refuses(&node, times(&[b'x'; 100_000], 100), "552 5.3.4").await;
    refuses(&node, times(&b"X-A: b\r\n".repeat(10_000), 100), "552 5.3.4").await;
    refuses(&node, times(&b" b\r\n".repeat(10_000), 100), "552 5.3.4").await;
    let fields = [b"X-A: ".as_slice(), &[b'x'; 9_000], b"\r\n"].concat();
    refuses(&node, times(&fields, 200), "552 5.3.4").await;
    // As much behind the empty line is a body.
    let mut line = node.smtp().await;
    begin(&mut line).await;
    line.send("Subject: one\r\n\r\n").await;
    line.send(b"X-A: b\r\n".repeat(100_000)).await;
    line.send(".\r\n").await;
    line.expect("250").await;
    node.has("alice", 4).await;
    node.has("bob", 1).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bare_carriage_returns_in_a_header() {
    let node = Home::new(&[]).await.start().await;
    for text in [
        "Subject: one\rFrom: evil@example.org\r\n",
        "\rFrom: evil@example.org\r\n",
        "Subject: one\r\r\n",
    ] {
        let text = text.as_bytes().to_vec();
        refuses(&node, std::iter::once(text), "550 5.6.0").await;
    }
    node.has("bob", 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_traces() {
    let node = Home::new(&[]).await.start().await;
    let forged = "Received: from trusted.example ([203.0.113.7]) by example.org with ESMTPSA id 1;\r\n\
                  \tMon, 23 Nov 2026 20:15:52 +0000\r\n\
                  Return-Path: <trusted@trusted.example>\r\n";
    let mut line = node.smtp().await;
    let reply = line
        .deliver(
            "a@client.example",
            &["alice@example.org"],
            &format!("{forged}{TEXT}"),
        )
        .await;
    let mail = node.mail("alice", 1).await.remove(0);
    let mail = String::from_utf8(mail).unwrap();
    let ours = mail.split(forged).next().unwrap();
    assert!(
        ours.starts_with("Return-Path: <a@client.example>\r\nReceived: "),
        "{mail}"
    );
    assert!(
        ours.contains("[127.0.0.1]") && !ours.contains("203.0.113.7"),
        "{mail}"
    );
    let trail = node.trail(accepted(&reply));
    let Some(TrailEvent::Accepted { arrival, .. }) = trail.first() else {
        panic!("{trail:?}");
    };
    let peer = arrival.peer.unwrap().ip();
    assert_eq!(peer, Ipv4Addr::LOCALHOST);
    node.stop().await;
}

/// Attacks 37, 38, 39: what no reader of ours chokes on is kept as it came, octet by octet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_that_are_hard_to_read() {
    let node = Home::new(&[]).await.start().await;
    let nested = "(".repeat(100_000);
    let texts = [
        "From: a@client.example\r\nFrom: b@example.org (c@example.org)\r\n\r\n".to_owned(),
        format!("From: {}\r\n\r\n", vec!["a@client.example"; 5_000].join(",\r\n ")),
        format!(
            "From: {nested}\r\nTo: us: {nested}a@x{};;\r\n\r\n",
            ")".repeat(100_000)
        ),
        "MIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ=Y===\r\n!\x07\0\r\n".to_owned(),
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n==\r\n=4\r\n=GG= \r\n".to_owned(),
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned() + &"--b\r\n\r\n".repeat(20_000),
    ];
    let mut line = node.smtp().await;
    for text in &texts {
        let reply = line
            .deliver("a@client.example", &["alice@example.org"], text)
            .await;
        assert!(reply.starts_with("250"), "{reply}");
    }
    let mail = node.mail("alice", texts.len()).await;
    let found: Vec<_> = mail.iter().map(|mail| behind_trace(mail)).collect();
    for text in &texts {
        assert!(found.contains(&text.as_bytes()), "{:.80}", text);
    }
    node.stop().await;
}
