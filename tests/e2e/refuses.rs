//! What the server does not take, and that it stays in good order with who sends it.

use angarium::boot::open_store;
use config::ByteSize;

use crate::line::Line;
use crate::node::{Home, Node, until};

const TEXT: &str = "Subject: one\r\n\r\nbody\r\n";

/// Sends a text, wants a refusal of it, and that the next message is taken.
async fn refuses(node: &Node, text: &[u8], expected: &str) {
    let mut line = node.smtp().await;
    for command in ["MAIL FROM:<a@client.example>", "RCPT TO:<bob@example.org>"] {
        line.ask(command, "250").await;
    }
    line.ask("DATA", "354").await;
    line.send([text, b"\r\n.\r\n"].concat()).await;
    line.expect(expected).await;
    line.deliver("a@client.example", &["alice@example.org"], TEXT)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages() {
    let node = Home::new(&["smtp.max_message_size=64KiB"]).await.start().await;
    let line_of_text = [b'x'; 998];
    let large: Vec<u8> = [&line_of_text[..], b"\r\n"].concat().repeat(200);
    let loops = "Received: from x by y\r\n".repeat(120);
    for (text, expected) in [
        (large.as_slice(), "552 5.3.4"),
        (b"Subject: x\n.\nMAIL FROM:<evil@client.example>\r\n", "550 5.6.0"),
        (b"Subject: x\r.\r\n", "550 5.6.0"),
        (loops.as_bytes(), "554 5.4.6"),
    ] {
        refuses(&node, text, expected).await;
    }
    node.has("alice", 4).await;
    node.has("bob", 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recipients() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    for (recipient, expected) in [
        ("someone@elsewhere.example", "550 5.7.1"),
        ("alice%elsewhere.example@example.org", "550 5.1.1"),
        ("@example.org:someone@elsewhere.example", "550 5.7.1"),
        ("alice@[127.0.0.1]", "550 5.7.1"),
        ("nobody@example.org", "550 5.1.1"),
        ("alice", "501 5.1.3"),
        ("alice@example.org", "250 2.1.5"),
    ] {
        line.ask(&format!("RCPT TO:<{recipient}>"), expected).await;
    }
    line.ask("RSET", "250").await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("DATA", "554 5.5.1").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sizes_that_lie() {
    let node = Home::new(&["smtp.max_message_size=64KiB"]).await.start().await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example> SIZE=65537", "552 5.3.4")
        .await;
    line.ask(
        "MAIL FROM:<a@client.example> SIZE=18446744073709551616",
        "552 5.3.4",
    )
    .await;
    line.ask("MAIL FROM:<a@client.example> SIZE=-1", "501").await;
    line.ask("MAIL FROM:<a@client.example> SIZE=10", "250").await;
    line.ask("RCPT TO:<alice@example.org>", "250").await;
    line.ask("DATA", "354").await;
    line.send("x\r\n".repeat(30_000) + ".\r\n").await;
    line.expect("552 5.3.4").await;
    line.ask("NOOP", "250").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pipelined_behind_starttls() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    line.send("STARTTLS\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<alice@example.org>\r\n")
        .await;
    line.expect("220 2.0.0").await;
    let mut line = line.secure(&node.certificate, "example.org").await;
    line.ask("EHLO client.example", "250").await;
    line.ask("RCPT TO:<alice@example.org>", "503").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_another_protocol() {
    let node = Home::new(&[]).await.start().await;
    for listener in ["mx", "pop3"] {
        let mut line = Line::to(node.address(listener)).await;
        line.reply().await;
        line.send("GET / HTTP/1.1\r\nHost: example.org\r\n\r\nMAIL FROM:<a@client.example>\r\n")
            .await;
        let said = line.reply().await;
        assert!(said.starts_with("421") || said.starts_with("-ERR"), "{said}");
    }
    // A handshake where none is offered is no command.
    let mut line = Line::to(node.address("mx")).await;
    line.expect("220").await;
    line.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n")
        .await;
    line.expect("5").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_beyond_the_ceiling() {
    for ceiling in [
        &["listeners.mx.max_connections=2"][..],
        &["server.max_connections=2"],
    ] {
        let node = Home::new(ceiling).await.start().await;
        let (first, mut second) = (node.smtp().await, node.smtp().await);
        let mut third = Line::to(node.address("mx")).await;
        third.expect("421 4.7.0").await;
        third.closes().await;
        second
            .deliver("a@client.example", &["alice@example.org"], TEXT)
            .await;
        drop(first);
        until("there is room again", async || {
            Line::to(node.address("mx"))
                .await
                .reply()
                .await
                .starts_with("220")
        })
        .await;
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_which_the_store_has_no_place_leaves_nothing() {
    let mut home = Home::new(&["store.chunk_size=64KiB", "store.compression_level=0"]).await;
    // A chunk passes alone; the last one has the rest of its command with it, and does not.
    home.config.store.max_waiting_size = ByteSize::bytes((64 << 10) + 512);
    let node = home.start().await;
    let mut line = node.smtp().await;
    for command in ["MAIL FROM:<a@client.example>", "RCPT TO:<bob@example.org>"] {
        line.ask(command, "250").await;
    }
    line.ask("DATA", "354").await;
    // Two chunks that are full but for the trace fields.
    let text = "0123456789abcdef012345678901\r\n".repeat(((128 << 10) - 352) / 30);
    line.send("\r\n".to_owned() + &text + ".\r\n").await;
    line.expect("451 4.3.2").await;
    node.stop().await;
    let (store, found) = open_store(&home.config, false).unwrap();
    store.close().unwrap();
    assert_eq!(found.swept_uploads, 0);
}
