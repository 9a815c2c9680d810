//! A message of BODY=BINARYMIME is lines by the time anybody reads it, and nothing of it is lost.

use store::record::trail::TrailEvent;

use crate::line::Line;
use crate::node::{Home, accepted, behind_trace};

const HEADER: &str = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n";
const BINARY: &[u8] = b"\0\r\n.\r\n\n.\n\r--b\n\xff\r";

/// The message with its one binary part in this encoding.
fn message(outer: &str, inner: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{HEADER}Content-Transfer-Encoding: {outer}\r\n\r\n--b\r\n\r\nlines\r\n--b\r\n\
         Content-Transfer-Encoding: {inner}\r\n\r\n"
    );
    [head.as_bytes(), body, b"\r\n--b--\r\n"].concat()
}

async fn begin(line: &mut Line, to: &str) {
    line.ask("MAIL FROM:<a@client.example> BODY=BINARYMIME", "250")
        .await;
    line.ask(&format!("RCPT TO:<{to}@example.org>"), "250").await;
}

/// Sends a message in chunks of this size.
async fn send(line: &mut Line, message: &[u8], chunk: usize) -> String {
    let mut chunks = message.chunks(chunk).peekable();
    while let Some(octets) = chunks.next() {
        let last = if chunks.peek().is_none() { " LAST" } else { "" };
        line.send([format!("BDAT {}{last}\r\n", octets.len()).as_bytes(), octets].concat())
            .await;
        if !last.is_empty() {
            return line.reply().await;
        }
        line.expect("250").await;
    }
    panic!("an empty message");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn to_base64() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    let sent = message("binary", "binary", BINARY);
    let kept = message("8bit", "base64", b"AA0KLg0KCi4KDS0tYgr/DQ==");
    for chunk in [1 << 20, 64, 7] {
        begin(&mut line, "alice").await;
        let reply = send(&mut line, &sent, chunk).await;
        assert!(reply.starts_with("250 2.0.0"), "{reply}");
        let trail = node.trail(accepted(&reply));
        let Some(TrailEvent::Accepted { arrival, .. }) = trail.first() else {
            panic!("{trail:?}");
        };
        assert_eq!(arrival.verdicts, ["converted=base64"]);
    }
    for mail in node.mail("alice", 3).await {
        assert_eq!(
            behind_trace(&mail).escape_ascii().to_string(),
            kept.escape_ascii().to_string()
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn or_not_at_all() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    for (text, expected) in [
        (message("binary", "8bit", BINARY), "554 5.6.1"),
        (
            message("binary", "binary\r\nContent-Transfer-Encoding: 7bit", b""),
            "554 5.6.1",
        ),
        (b"Subject: one\r\n\r\nbody\n".to_vec(), "554 5.6.1"),
        (
            b"Subject: one\rFrom: evil@example.org\r\n\r\n".to_vec(),
            "554 5.6.1",
        ),
        (b"Content-Type: message/rfc822\r\n\r\n".repeat(100), "554 5.6.1"),
        ([b"X-A: ".as_slice(), &[b'x'; 300_000]].concat(), "55"),
    ] {
        begin(&mut line, "bob").await;
        let reply = send(&mut line, &text, 1 << 20).await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    // Lines that announce themselves as binary need no conversion.
    begin(&mut line, "alice").await;
    let reply = send(&mut line, b"Subject: one\r\n\r\nlines\r\n", 5).await;
    let trail = node.trail(accepted(&reply));
    assert!(
        matches!(trail.first(), Some(TrailEvent::Accepted { arrival, .. }) if arrival.verdicts.is_empty())
    );
    node.has("alice", 1).await;
    node.has("bob", 0).await;
    node.stop().await;
}
