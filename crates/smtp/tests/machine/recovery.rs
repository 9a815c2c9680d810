//! A session whose actor dies at any octet of a conversation loses no message, doubles none, and takes no text for a
//! command.

use std::sync::Arc;

use bytes::Bytes;
use message::time::Tick;
use smtp::framing::Matcher;
use smtp::reply::table;
use smtp::{Event, Framing, Mechanisms, Session, Settings, Verdict};

use crate::actor::{Actor, Machine, PEER};

/// Two messages whose text is made of commands; the client waits for 354, as it must.
const CONVERSATION: [&[u8]; 4] = [
    b"EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n",
    b"RSET\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<postmaster@example.org>\r\nDATA\r\n..\r\nQUIT\r\n.\r\n",
    b"MAIL FROM:<b@client.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n",
    b"DATA\r\nRSET\r\n..\r\n.\r\n",
];

/// Sends a message as a client does that does not give up: again after 4xx, and text only after 354.
fn deliver(actor: &mut Actor, head: &[u8], text: &[u8], chunk: usize, crash_at: &mut Option<(usize, bool)>) {
    for _ in 0..4 {
        let said = trickle(actor, head, chunk, crash_at);
        assert!(!said.contains("421"), "{said}");
        if !said.contains("354 ") {
            actor.say(b"RSET\r\n");
            continue;
        }
        let said = trickle(actor, text, chunk, crash_at);
        // One reply for the text and no other: nothing in it was taken for a command.
        assert_eq!(said.matches("\r\n").count(), 1, "{said}");
        if said.starts_with("250 ") {
            return;
        }
        assert!(said.starts_with("451 4.3.0"), "{said}");
    }
    panic!("not delivered");
}

fn trickle(actor: &mut Actor, octets: &[u8], chunk: usize, crash_at: &mut Option<(usize, bool)>) -> String {
    for piece in octets.chunks(chunk) {
        match crash_at {
            Some((0, after_accept)) => {
                actor.crash_next(*after_accept);
                *crash_at = None;
            }
            Some((left, _)) => *left -= 1,
            None => {}
        }
        actor.arrive(piece);
    }
    String::from_utf8(actor.written()).unwrap()
}

#[test]
fn a_crash_at_any_octet_loses_nothing_and_doubles_nothing() {
    let [head, text, second_head, second_text] = CONVERSATION;
    let total: usize = CONVERSATION.iter().map(|part| part.len()).sum();
    for chunk in [1, 7, 4096] {
        for after_accept in [false, true] {
            for at in 0..=total.div_ceil(chunk) {
                let mut actor = Actor::new(Arc::new(Settings::new("mx.example.org")));
                actor.written();
                let mut crash_at = Some((at, after_accept));
                deliver(&mut actor, head, text, chunk, &mut crash_at);
                deliver(&mut actor, second_head, second_text, chunk, &mut crash_at);
                let accepted: Vec<_> = actor
                    .accepted
                    .iter()
                    .map(|message| (&*message.reverse_path, &*message.text))
                    .collect();
                let expected: [(&str, &[u8]); 2] = [
                    (
                        "<a@client.example>",
                        b"RSET\r\nMAIL FROM:<evil@client.example>\r\nRCPT TO:<postmaster@example.org>\r\nDATA\r\n.\r\nQUIT\r\n",
                    ),
                    ("<b@client.example>", b"DATA\r\nRSET\r\n.\r\n"),
                ];
                assert_eq!(accepted, expected, "crash at {at} in chunks of {chunk}");
            }
        }
    }
}

/// Logs in as a client does that does not give up, and never has a response taken for a command.
fn log_in(actor: &mut Actor, chunk: usize, crash_at: &mut Option<(usize, bool)>) {
    for _ in 0..4 {
        let said = trickle(actor, b"AUTH LOGIN\r\n", chunk, crash_at);
        if !said.starts_with("334 ") {
            assert!(said.starts_with("451 "), "{said}");
            continue;
        }
        // In base64, "NOOP" and "QUIT" are octets like others.
        let said = trickle(actor, b"NOOP\r\n", chunk, crash_at);
        if !said.starts_with("334 ") {
            assert!(said.starts_with("454 "), "{said}");
            continue;
        }
        let said = trickle(actor, b"c2VjcmV0\r\n", chunk, crash_at);
        if said.starts_with("235 ") {
            return;
        }
        assert!(said.starts_with("454 "), "{said}");
    }
    panic!("not logged in");
}

#[test]
fn a_crash_at_any_octet_of_an_exchange_is_survived() {
    for chunk in [1, 3, 4096] {
        for at in 0..=36 {
            let mut actor = Actor::new(Arc::new(Settings {
                mechanisms: Mechanisms {
                    clear: vec!["LOGIN".into()],
                    tls: vec![],
                },
                ..Settings::new("mx.example.org")
            }));
            actor.say(b"EHLO client.example\r\n");
            let mut crash_at = Some((at, false));
            log_in(&mut actor, chunk, &mut crash_at);
            assert!(
                actor.session.login().is_some(),
                "crash at {at} in chunks of {chunk}"
            );
        }
    }
}

#[test]
fn a_checkpoint_older_than_its_exchange_still_takes_no_response_for_a_command() {
    for older in [
        &b"EHLO client.example\r\n"[..],
        b"EHLO client.example\r\nMAIL FROM:<>\r\n",
    ] {
        let mut checkpoint = session();
        feed(&mut checkpoint, older);
        let mut session = checkpoint.recover(Framing::Response, Default::default());
        let said = "454 4.7.0 Temporary authentication failure\r\n221 2.0.0 Bye\r\n";
        assert_eq!(feed(&mut session, b"QUIT\r\nQUIT\r\n"), said.as_bytes());
    }
    assert!(session().recover(Framing::Response, Default::default()).ended());
}

/// Sends a message in chunks as a client does that does not give up: again after 4xx, the whole of it.
fn deliver_chunks(actor: &mut Actor, chunks: &[&[u8]], chunk: usize, crash_at: &mut Option<(usize, bool)>) {
    const HEAD: &[u8] = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\n";
    for _ in 0..4 {
        let said = trickle(actor, HEAD, chunk, crash_at);
        if said.contains("451 ") {
            actor.say(b"RSET\r\n");
            continue;
        }
        let mut answers = Vec::new();
        for (index, octets) in chunks.iter().enumerate() {
            let last = if index + 1 == chunks.len() { " LAST" } else { "" };
            let wire = [format!("BDAT {}{last}\r\n", octets.len()).as_bytes(), octets].concat();
            let said = trickle(actor, &wire, chunk, crash_at);
            // One reply and no other: nothing in it was taken for a command.
            assert_eq!(said.matches("\r\n").count(), 1, "{said}");
            answers.push(said);
        }
        if answers.iter().all(|said| said.starts_with("250 ")) {
            return;
        }
        // What was lost once stays so, and may be tried again.
        let lost = answers.iter().position(|said| !said.starts_with("250 ")).unwrap();
        assert!(
            answers[lost..].iter().all(|said| said.starts_with("451 4.3.0")),
            "{answers:?}"
        );
    }
    panic!("not delivered");
}

#[test]
fn a_crash_at_any_octet_of_chunks_loses_nothing_and_doubles_nothing() {
    let messages: [&[&[u8]]; 3] = [
        &[b"QUIT\r\n", b"", b"RSET\r\n.\r\nBDAT 9\r", b"\nQUIT\r\n"],
        &[b"RSET\r\n", b""],
        &[b"MAIL FROM:<evil@client.example>\r\n"],
    ];
    for chunk in [1, 7, 4096] {
        for after_accept in [false, true] {
            for at in 0..=380_usize.div_ceil(chunk) {
                let mut actor = Actor::new(Arc::new(Settings::new("mx.example.org")));
                actor.say(b"EHLO client.example\r\n");
                let mut crash_at = Some((at, after_accept));
                for chunks in messages {
                    deliver_chunks(&mut actor, chunks, chunk, &mut crash_at);
                }
                let accepted: Vec<_> = actor.accepted.iter().map(|message| &*message.text).collect();
                let expected: Vec<_> = messages.iter().map(|chunks| chunks.concat()).collect();
                assert_eq!(accepted, expected, "crash at {at} in chunks of {chunk}");
            }
        }
    }
}

#[test]
fn a_session_that_dies_between_two_chunks_has_lost_the_first() {
    let mut before = session();
    feed(
        &mut before,
        b"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nBDAT 5\r\none\r\n",
    );
    let mut after = before.clone().resume(Default::default());
    let lost = "451 4.3.0 Local error, try again later\r\n";
    assert_eq!(feed(&mut after, b"BDAT 5 LAST\r\ntwo\r\n"), lost.as_bytes());
    // Nothing else crashed, and so nothing else is passed over.
    let mut after = before.resume(Default::default());
    assert_eq!(
        feed(&mut after, b"RSET\r\nNOOP\r\n"),
        &b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"[..]
    );
}

#[test]
fn a_refused_chunk_is_swallowed_on() {
    let mut before = session();
    feed(&mut before, b"EHLO client.example\r\nBDAT 12\r\nQUIT\r\n");
    let framing = before.framing();
    assert_eq!(framing, Framing::Chunk { left: 6 });
    for mut after in [
        before.clone().recover(framing, Default::default()),
        before.resume(Default::default()),
    ] {
        assert_eq!(feed(&mut after, b"QUIT\r\nNOOP\r\n"), &b"250 2.0.0 Ok\r\n"[..]);
    }
    let framing = Framing::Chunk { left: 6 };
    assert!(session().recover(framing, Default::default()).ended());
}

#[test]
fn a_chunk_that_crashed_is_answered_and_swallowed() {
    let check = |before: &'static [u8], line: &'static [u8], said: &str| {
        let mut session = session();
        feed(&mut session, before);
        let mut session = session.recover(Framing::Line, Default::default());
        assert_eq!(
            feed(&mut session, line),
            said.as_bytes(),
            "{}",
            line.escape_ascii()
        );
    };
    let lost = "451 4.3.0 Local error, try again later\r\n";
    let ehlo = b"EHLO client.example\r\n";
    check(
        b"",
        b"BDAT 6\r\nQUIT\r\nRSET\r\n",
        &format!("{lost}250 2.0.0 Ok\r\n"),
    );
    check(
        ehlo,
        b"bdat 6 LAST\r\nQUIT\r\nRSET\r\n",
        &format!("{lost}250 2.0.0 Ok\r\n"),
    );
    check(
        b"EHLO client.example\r\nMAIL FROM:<>\r\n",
        b"BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\n",
        &format!("{lost}{lost}"),
    );
    check(
        ehlo,
        b"BDAT x\r\nQUIT\r\n",
        "421 4.7.0 Cannot tell the end of this chunk\r\n",
    );
}

fn session() -> Machine {
    let mut session = Session::greet(
        Arc::new(Settings::new("mx.example.org")),
        PEER,
        None,
        Default::default(),
    );
    session.output();
    session
}

/// Feeds whole lines; says yes to everything.
fn feed(session: &mut Machine, input: &'static [u8]) -> Bytes {
    let mut rest = Bytes::from_static(input);
    while session.is_ready(&rest) {
        let consumed = session.receive(&rest, Default::default());
        rest = rest.slice(consumed..);
        while let Some(event) = session.poll() {
            match event {
                Event::Recipient(_) => session.respond(Verdict::Route(1)),
                Event::BodyBegin => session.respond(Verdict::Open(9)),
                Event::BodyLost => session.respond(Verdict::Refuse(table::LOCAL_ERROR)),
                Event::Body(_) | Event::BodyDropped(_) => {}
                _ => session.respond(Verdict::Accept),
            }
        }
    }
    session.output()
}

#[test]
fn the_command_that_crashed_is_answered_and_not_obeyed() {
    let check = |line: &'static [u8], said: &str| {
        let mut session = session();
        feed(&mut session, b"EHLO client.example\r\n");
        let mut session = session.recover(Framing::Line, Default::default());
        assert_eq!(
            feed(&mut session, line),
            said.as_bytes(),
            "{}",
            line.escape_ascii()
        );
    };
    check(
        b"MAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\n",
        "451 4.3.0 Local error, try again later\r\n503 5.5.1 MAIL first\r\n",
    );
    check(
        b"\0\r\nNOOP\r\n",
        "451 4.3.0 Local error, try again later\r\n250 2.0.0 Ok\r\n",
    );
    check(b"quit\r\n", "221 2.0.0 Bye\r\n");
    check(
        b"NOOP\nNOOP\r\nNOOP\r\n",
        "500 5.5.2 Lines end in CR LF\r\n250 2.0.0 Ok\r\n",
    );
    check(
        b"DATA\r\nQUIT\r\n.\r\n",
        "451 4.3.0 Local error, try again later\r\n421 4.7.0 Message text was sent before 354\r\n",
    );
}

#[test]
fn a_checkpoint_older_than_its_body_still_takes_no_text_for_commands() {
    for older in [
        &b"EHLO client.example\r\n"[..],
        b"EHLO client.example\r\nMAIL FROM:<>\r\n",
        b"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n",
    ] {
        let mut checkpoint = session();
        feed(&mut checkpoint, older);
        let mut further = session();
        feed(
            &mut further,
            b"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nQUIT\r\n.",
        );
        let now = Tick::from_micros(5);
        let mut session = checkpoint.recover(further.framing(), now);
        assert_eq!(session.deadline(), now + session.settings().timeouts.data_block);
        assert_eq!(feed(&mut session, b".\r\nQUIT\r\n"), &b""[..]);
        let said = "451 4.3.0 Local error, try again later\r\n250 2.0.0 Ok\r\n";
        assert_eq!(feed(&mut session, b".\r\nNOOP\r\n"), said.as_bytes());
    }
}

#[test]
fn a_body_that_was_refused_before_the_crash_is_still_refused() {
    let mut before = session();
    feed(
        &mut before,
        b"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nDATA\r\nbare\nline\r\n",
    );
    let framing = before.framing();
    let mut after = before.recover(framing, Default::default());
    assert!(feed(&mut after, b"text\r\n.\r\n").starts_with(b"550 5.6.0"));
}

#[test]
fn a_refused_line_is_skipped_on() {
    let mut before = session();
    feed(&mut before, b"EHLO client.example\r\nNOOP\nMAIL");
    let framing = before.framing();
    assert!(matches!(framing, Framing::Skip(_)));
    let mut after = before.recover(framing, Default::default());
    assert_eq!(
        feed(&mut after, b" FROM:<>\r\nNOOP\r\n"),
        &b"250 2.0.0 Ok\r\n"[..]
    );
}

#[test]
fn a_farewell_ends_it() {
    let mut session = session();
    session.farewell(table::CLOSING);
    assert!(session.ended() && session.output().starts_with(b"421 4.3.0"));
    session.farewell(table::CLOSING);
    assert!(session.output().is_empty());
}

#[test]
fn a_body_that_ended_after_the_checkpoint_is_over() {
    let mut checkpoint = session();
    feed(
        &mut checkpoint,
        b"EHLO client.example\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n",
    );
    let mut session = checkpoint.recover(Framing::Line, Default::default());
    assert_eq!(session.framing(), Framing::Line);
    let said = "451 4.3.0 Local error, try again later\r\n503 5.5.1 MAIL first\r\n";
    assert_eq!(feed(&mut session, b"NOOP\r\nDATA\r\n"), said.as_bytes());
}

#[test]
fn a_checkpoint_of_another_connection_ends_it() {
    let session = session().recover(Framing::Data(Matcher::start()), Default::default());
    assert!(session.ended());
}
