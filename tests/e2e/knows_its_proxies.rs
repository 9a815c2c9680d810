//! A proxy that is named in the configuration says for whom it connects; nobody else can. Attack 32.

use crate::line::{Line, trusting};
use crate::node::{Home, Node};

const TEXT: &str = "From: <a@client.example>\r\nSubject: one\r\n\r\nA body.\r\n";

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25\r\n";
const SIX: &[u8] = b"PROXY TCP6 2001:db8::1 2001:db8::9 56324 25\r\n";
const BLOCK: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x02\xc0\0\x02\x09\xdc\x04\0\x19";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

async fn proxied() -> Node {
    let home = Home::new(&[
        "listeners.mx.proxy_from=127.0.0.0/8",
        "listeners.smtps.protocol=smtp",
        "listeners.smtps.bind=127.0.0.1:0",
        "listeners.smtps.tls=implicit",
        "listeners.smtps.proxy_from=127.0.0.0/8",
    ])
    .await;
    home.start().await
}

/// How the next message of alice says where it came from.
async fn trace(node: &Node, line: &mut Line, number: usize) -> String {
    line.ask("EHLO client.example", "250").await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
    let mail = node.mail("alice", number).await;
    String::from_utf8(mail[number - 1].clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peer_is_the_one_that_it_names() {
    let node = proxied().await;
    for (number, (header, peer)) in [
        (LINE, "([192.0.2.1])"),
        (SIX, "([IPv6:2001:db8::1])"),
        (BLOCK, "([192.0.2.2])"),
        (LOCAL, "([127.0.0.1])"),
        (b"PROXY UNKNOWN\r\n", "([127.0.0.1])"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut line = Line::to(node.address("mx")).await;
        // In pieces, and nothing before it is whole.
        let (first, rest) = header.split_at(7);
        line.send(first).await;
        line.send(rest).await;
        line.expect("220").await;
        let trace = trace(&node, &mut line, number + 1).await;
        assert!(
            trace.contains(&format!("from client.example {peer}\r\n")),
            "{trace}"
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_header_comes_before_the_handshake() {
    let node = proxied().await;
    for (number, header) in [LINE, BLOCK].into_iter().enumerate() {
        let mut line = Line::to(node.address("smtps")).await;
        line.send(header).await;
        let config = trusting(&node.certificate).into();
        let mut line = line.secure_with(config, "example.org").await.unwrap();
        line.expect("220").await;
        let trace = trace(&node, &mut line, number + 1).await;
        assert!(trace.contains(&format!("([192.0.2.{}])", number + 1)), "{trace}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_must_say_it_well() {
    let node = proxied().await;
    for listener in ["mx", "smtps"] {
        for sent in [
            &b"EHLO client.example\r\n"[..],
            b"PROXY TCP4 192.0.2.1\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25\n",
            &[b"PROXY UNKNOWN ", &[b'f'; 200][..]].concat(),
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
            b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\0",
            b"\x16\x03\x01\x02\0",
        ] {
            let mut line = Line::to(node.address(listener)).await;
            line.send(sent).await;
            line.ends().await;
        }
    }
    // The others are served meanwhile and afterwards.
    let _silent = Line::to(node.address("mx")).await;
    let mut line = Line::to(node.address("mx")).await;
    line.send(LINE).await;
    line.expect("220").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_closed() {
    let home = Home::new(&[
        "listeners.mx.proxy_from=192.0.2.0/24",
        "listeners.smtps.protocol=smtp",
        "listeners.smtps.bind=127.0.0.1:0",
        "listeners.smtps.tls=implicit",
    ])
    .await;
    let node = home.start().await;
    for listener in ["mx", "pop3"] {
        let mut line = Line::to(node.address(listener)).await;
        line.send([BLOCK, b"EHLO client.example\r\n"].concat()).await;
        line.reply().await;
        line.ends().await;
    }
    let mut line = Line::to(node.address("mx")).await;
    line.send(LINE).await;
    line.expect("220").await;
    line.expect("421 4.7.0").await;
    line.closes().await;
    for header in [LINE, BLOCK] {
        let mut line = Line::to(node.address("smtps")).await;
        line.send(header).await;
        line.ends().await;
    }
    node.stop().await;
}
