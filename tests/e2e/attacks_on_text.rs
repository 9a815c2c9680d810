//! What hostile texts get, and that the session of who sends them stays in good order.

use crate::line::Line;
use crate::node::{Home, Node};

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
