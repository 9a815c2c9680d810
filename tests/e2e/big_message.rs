//! A large message goes in and comes back byte for byte, and is never whole in the server's memory.

use tempfile::TempDir;

use crate::node::until;
use crate::program::{Program, succeed};

/// Lines of a piece of the message, 78 octets each: 1 MiB. Chunks are compressed one by one, and are smaller.
const LINES: usize = (1 << 20) / 78;
/// Times that the piece stands in the message.
const PIECES: usize = 66;

/// What the server may need beyond what it had: three memtables of chunks that have grown as far as they may, 48 MiB, and a
/// few chunks, with the arenas of the allocator. It is less than the message.
const GROWTH: u64 = 60 << 20;

/// A text that no compression makes small, the same at every call.
fn text() -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut piece = Vec::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..LINES {
        for _ in 0..76 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.push(ALPHABET[usize::try_from(state >> 58).unwrap()]);
        }
        piece.extend_from_slice(b"\r\n");
    }
    [b"Subject: large\r\n\r\n", piece.repeat(PIECES).as_slice()].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goes_in_and_comes_back() {
    let directory = TempDir::new().unwrap();
    let add = [
        "account",
        "add",
        "alice@example.org",
        "--set",
        "auth.argon2_memory=64KiB",
    ];
    succeed(directory.path(), &add, "secret\n");
    let set = [
        "--set",
        "smtp.max_message_size=70MiB",
        "--set",
        "store.cache=1MiB",
    ];
    let program = Program::serve(directory.path(), &set);
    let mut line = program.smtp().await;
    let to = ["alice@example.org"];
    line.deliver("a@client.example", &to, "Subject: small\r\n\r\n")
        .await;
    let before = program.resident();

    let text = text();
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<alice@example.org>", "250").await;
    line.ask("DATA", "354").await;
    let mut most = before;
    for piece in text.chunks(256 << 10) {
        line.send(piece).await;
        most = most.max(program.resident());
    }
    line.send(".\r\n").await;
    line.expect("250 2.0.0").await;
    until("it is delivered", async || {
        let mut line = program.maildrop("alice@example.org", "secret").await;
        let stat = line.ask("STAT", "+OK").await;
        line.ask("QUIT", "+OK").await;
        stat.starts_with("+OK 2 ")
    })
    .await;
    most = most.max(program.resident());
    let written = most - before;

    let mut line = program.maildrop("alice@example.org", "secret").await;
    line.ask("RETR 2", "+OK").await;
    let read = line.text().await;
    assert!(
        read.ends_with(&text),
        "{} octets came back of {}",
        read.len(),
        text.len()
    );
    most = most.max(program.resident());
    line.ask("TOP 2 0", "+OK").await;
    assert!(line.text().await.ends_with(b"Subject: large\r\n\r\n"));
    eprintln!(
        "grew by {} KiB while writing, {} KiB in all",
        written >> 10,
        (most - before) >> 10
    );
    assert!(most - before < GROWTH, "it grew by {} octets", most - before);
}
