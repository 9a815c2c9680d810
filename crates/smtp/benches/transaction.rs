//! What the machine costs: a transaction turn by turn with a checkpoint after each, and the matcher alone.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use message::time::Tick;
use smtp::framing::Matcher;
use smtp::reply::table;
use smtp::{Event, Session, Settings, Verdict};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

/// As large as the ids of a message.
type Machine = Session<u64, [u8; 32]>;

const EHLO: Bytes = Bytes::from_static(b"EHLO client.example.net\r\n");
const MAIL: Bytes = Bytes::from_static(b"MAIL FROM:<sender@client.example.net> BODY=8BITMIME\r\n");
const RCPT: Bytes = Bytes::from_static(b"RCPT TO:<alice@example.org>\r\n");
const DATA: Bytes = Bytes::from_static(b"DATA\r\n");

fn main() {
    divan::main();
}

fn greeted() -> Machine {
    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let mut session = Session::greet(Arc::new(Settings::new("mx.example.org")), peer, None, Tick::ZERO);
    session.output();
    turn(&mut session, &EHLO);
    session
}

/// One turn, as the actor takes it: everything is accepted.
fn turn(session: &mut Machine, input: &Bytes) -> (usize, Bytes, Machine) {
    let consumed = session.receive(input, Tick::from_micros(1));
    while let Some(event) = session.poll() {
        match event {
            Event::Mail(_) | Event::BodyEnd { .. } | Event::BodyLost | Event::StartTls => {
                session.respond(Verdict::Accept);
            }
            Event::Recipient(_) => session.respond(Verdict::Route(7)),
            Event::BodyBegin => session.respond(Verdict::Open([0; 32])),
            Event::Body(text) => drop(black_box(text)),
            Event::Xclient(_) | Event::Authenticate { .. } | Event::AuthenticateResponse(_) => {
                session.respond(Verdict::Refuse(table::NOT_IMPLEMENTED));
            }
            Event::BodyDropped(_) => {}
        }
    }
    (consumed, session.output(), session.clone())
}

fn text(length: usize) -> Bytes {
    let mut text = b"From: a@client.example.net\r\nTo: alice@example.org\r\nSubject: x\r\n\r\n".to_vec();
    let line = [&[b'x'; 70][..], b"\r\n"].concat();
    text.extend(
        line.iter()
            .cycle()
            .take(length.saturating_sub(text.len() + 5) / 72 * 72),
    );
    text.extend(b".\r\n");
    text.into()
}

#[divan::bench(args = [4 << 10, 64 << 10])]
fn transaction(bencher: Bencher, length: usize) {
    let text = text(length);
    let mut session = greeted();
    bencher.bench_local(|| {
        for input in [&MAIL, &RCPT, &DATA, &text] {
            black_box(turn(&mut session, input));
        }
    });
}

#[divan::bench]
fn noop_turn(bencher: Bencher) {
    let noop = Bytes::from_static(b"NOOP\r\n");
    let mut settings = Settings::new("mx.example.org");
    settings.max_commands_without_mail = u32::MAX;
    let mut session = greeted();
    session.configure(Arc::new(settings));
    bencher.bench_local(|| black_box(turn(&mut session, &noop)));
}

#[divan::bench]
fn greeting_and_ehlo() -> Machine {
    greeted()
}

#[divan::bench(args = [1, 1000])]
fn checkpoint(bencher: Bencher, recipients: usize) {
    let mut session = greeted();
    turn(&mut session, &MAIL);
    for _ in 0..recipients {
        turn(&mut session, &RCPT);
    }
    bencher.bench_local(|| black_box(session.clone()));
}

#[divan::bench(args = [4 << 10, 64 << 10])]
fn matcher(bencher: Bencher, length: usize) {
    let text = text(length);
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| Matcher::start().scan(black_box(&text)));
}

#[divan::bench]
fn matcher_of_dots(bencher: Bencher) {
    let text = b"\r\n..".repeat(16 << 10);
    bencher
        .counter(BytesCount::new(text.len()))
        .bench_local(|| Matcher::start().scan(black_box(&text)));
}
