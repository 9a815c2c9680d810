//! What a session costs its actor: RETR of messages of several sizes, and LIST of a large mailbox.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{Bencher, bench};
use message::Tick;
use pop3::{Event, Maildrop, Message, Session, Settings, Verdict};

fn main() {
    divan::main();
}

/// RETR from the command line to the last octet of the reply, with the checkpoint that its actor takes.
#[bench(args = [4 * 1024, 64 * 1024, 256 * 1024])]
fn retr(bencher: Bencher<'_, '_>, size: usize) {
    let message = body(
        size,
        "Seventy characters of ordinary text, as a line of a message may have it.\r\n",
    );
    run(bencher, &message);
}

/// The same where every line begins with a dot.
#[bench(args = [4 * 1024, 64 * 1024])]
fn retr_of_dots(bencher: Bencher<'_, '_>, size: usize) {
    let message = body(size, ".\r\n");
    run(bencher, &message);
}

/// TOP of a header and ten lines.
#[bench]
fn top(bencher: Bencher<'_, '_>) {
    let message = body(
        4 * 1024,
        "Seventy characters of ordinary text, as a line of a message may have it.\r\n",
    );
    let session = opened(1);
    let command = Bytes::from_static(b"TOP 1 10\r\n");
    bencher.bench_local(|| turn(&mut session.clone(), &command, &message));
}

/// NOOP: what every command costs at least.
#[bench]
fn noop(bencher: Bencher<'_, '_>) {
    let session = opened(1);
    let command = Bytes::from_static(b"NOOP\r\n");
    bencher.bench_local(|| turn(&mut session.clone(), &command, &Bytes::new()));
}

/// All turns of LIST over a mailbox.
#[bench(args = [100, 1_000_000])]
fn list(bencher: Bencher<'_, '_>, messages: u32) {
    let session = opened(messages);
    let command = Bytes::from_static(b"LIST\r\n");
    bencher.bench_local(|| turn(&mut session.clone(), &command, &Bytes::new()));
}

fn run(bencher: Bencher<'_, '_>, message: &Bytes) {
    let session = opened(1);
    let command = Bytes::from_static(b"RETR 1\r\n");
    bencher
        .counter(BytesCount::new(message.len()))
        .bench_local(|| turn(&mut session.clone(), &command, message));
}

fn body(size: usize, line: &str) -> Bytes {
    Bytes::from(format!(
        "Subject: hello\r\n\r\n{}",
        line.repeat(size / line.len())
    ))
}

fn opened(messages: u32) -> Session {
    let settings = Settings {
        cleartext_login: true,
        ..Settings::default()
    };
    let mut session = Session::greet(Arc::new(settings), Tick::ZERO);
    session.receive(&Bytes::from_static(b"USER a\r\n"), Tick::ZERO);
    session.receive(&Bytes::from_static(b"PASS b\r\n"), Tick::ZERO);
    session.respond(Verdict::Verified);
    let listing = (1..=messages).map(|uid| Message { uid, octets: 4096 }).collect();
    session.respond(Verdict::Opened(Maildrop::new(1, listing)));
    while session.poll().is_some() || !session.output().is_empty() {}
    session
}

fn turn(session: &mut Session, command: &Bytes, message: &Bytes) -> usize {
    let mut written = 0;
    loop {
        session.receive(command, Tick::ZERO);
        while let Some(event) = session.poll() {
            if let Event::Retrieve(_) = event {
                session.respond(Verdict::LastChunk(message.clone()));
            }
        }
        loop {
            let piece = black_box(session.output());
            if piece.is_empty() {
                break;
            }
            written += piece.len();
        }
        if !session.more() {
            return written;
        }
    }
}
