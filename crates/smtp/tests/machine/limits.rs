//! What a client can run into, and what it costs us.

use std::fmt::Write;
use std::mem::size_of;
use std::sync::Arc;
use std::time::Duration;

use smtp::Settings;

use crate::actor::{Actor, Machine};

fn actor(change: impl FnOnce(&mut Settings)) -> Actor {
    let mut settings = Settings::new("mx.example.org");
    change(&mut settings);
    let mut actor = Actor::new(Arc::new(settings));
    actor.say(b"EHLO client.example\r\n");
    actor
}

/// Brings an actor to the text of a message.
fn in_text(actor: &mut Actor) {
    let said = actor.say(b"MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n");
    assert!(
        said.ends_with("354 End data with <CR><LF>.<CR><LF>\r\n"),
        "{said}"
    );
}

#[test]
fn fifty_thousand_recipients_cost_what_a_thousand_do() {
    // Attack 23. The list is shared between clones; the actor takes one a turn. It is cut after ten times as many.
    let mut actor = actor(|settings| settings.max_recipients = 1000);
    let mut commands = String::from("MAIL FROM:<a@client.example>\r\n");
    for number in 0..50_000 {
        let user = if number % 2 == 0 { "alice" } else { "bob" };
        write!(commands, "RCPT TO:<{user}@example.org>\r\n").unwrap();
    }
    let said: Vec<_> = commands
        .as_bytes()
        .chunks(60_000)
        .map(|chunk| actor.say(chunk))
        .collect();
    let said = said.concat();
    assert_eq!(said.matches("250 2.1.5 ").count(), 1000);
    assert_eq!(said.matches("452 4.5.3 ").count(), 10_000);
    assert!(said.ends_with("421 4.5.3 Too many recipients\r\n") && actor.has_ended());
}

#[test]
fn who_has_more_recipients_than_fit_still_comes_to_its_text() {
    let mut actor = actor(|settings| settings.max_recipients = 1000);
    let recipient = "RCPT TO:<alice@example.org>\r\n";
    actor.say(format!("MAIL FROM:<a@client.example>\r\n{}", recipient.repeat(10_999)).as_bytes());
    assert!(actor.say(b"DATA\r\n").starts_with("354"));
    actor.say(b".\r\n");
    assert_eq!(actor.accepted[0].recipients.len(), 1000);
}

#[test]
fn a_line_without_end_is_cut_and_its_connection_closed() {
    // Attack 14: 200 kB; no more than a line's length is ever left for the I/O task to keep.
    let mut actor = actor(|_| {});
    let mut said = String::new();
    let mut sent = 0;
    while !actor.has_ended() {
        said.push_str(&actor.say(&[b'x'; 100]));
        sent += 100;
        assert!(sent <= 200_000);
    }
    assert!(
        said.starts_with("500 5.5.2 ") && said.ends_with("421 4.7.0 Line does not end\r\n"),
        "{said}"
    );
    assert!(sent < 10_000, "{sent}");
}

#[test]
fn octets_that_trickle_prolong_nothing() {
    // Attack 24.
    let mut line = actor(|_| {});
    let mut minutes = 0;
    while !line.has_ended() {
        line.arrive(b"N");
        line.wait(Duration::from_secs(60));
        minutes += 1;
    }
    assert_eq!(minutes, 5);

    let mut text = actor(|_| {});
    in_text(&mut text);
    minutes = 0;
    while !text.has_ended() {
        text.arrive(b"x\r\n");
        text.wait(Duration::from_secs(60));
        minutes += 1;
    }
    assert_eq!((minutes, text.dropped), (60, 1));
    assert!(
        text.say(b"")
            .ends_with("421 4.4.2 Timeout, closing connection\r\n")
    );

    let mut silent = actor(|_| {});
    in_text(&mut silent);
    minutes = 0;
    while !silent.has_ended() {
        silent.wait(Duration::from_secs(60));
        minutes += 1;
    }
    assert_eq!(minutes, 3);

    let mut commands = actor(|settings| settings.max_commands_without_mail = u32::MAX);
    minutes = 0;
    while !commands.has_ended() {
        commands.arrive(b"NOOP\r\n");
        commands.wait(Duration::from_secs(60));
        minutes += 1;
    }
    assert_eq!(minutes, 4 * 60);
}

#[test]
fn a_deadline_that_has_not_passed_ends_nothing() {
    let mut actor = actor(|_| {});
    let now = actor.now;
    actor.session.timeout(now);
    assert!(!actor.has_ended());
}

#[test]
fn a_text_begun_in_time_is_finished_after_the_session_is_over() {
    let mut actor = actor(|settings| settings.timeouts.session_total = Duration::from_secs(90));
    in_text(&mut actor);
    actor.wait(Duration::from_secs(100));
    assert!(actor.say(b".\r\n").starts_with("250 2.0.0 "));
    actor.wait(Duration::ZERO);
    assert!(actor.has_ended());
}

#[test]
fn a_line_of_text_may_be_ten_megabytes() {
    // Attack 36: bounded by the limit of the message, kept as it is.
    let mut within = actor(|_| {});
    in_text(&mut within);
    within.arrive(b"Subject: ");
    for _ in 0..160 {
        within.arrive(&[b'x'; 65_536]);
    }
    assert!(within.say(b"\r\n.\r\n").starts_with("250"));
    assert_eq!(within.accepted[0].text.len(), 9 + 160 * 65_536 + 2);

    let mut beyond = actor(|settings| settings.max_message_size = 1 << 20);
    in_text(&mut beyond);
    let mut largest = 0;
    for _ in 0..160 {
        beyond.arrive(&[b'x'; 65_536]);
        largest = largest.max(beyond.dropped);
    }
    assert_eq!(largest, 1, "dropped as soon as it is too large");
    assert!(beyond.say(b"\r\n.\r\n").starts_with("552 5.3.4"));
}

#[test]
fn a_session_is_small() {
    assert!(size_of::<Machine>() <= 336, "{}", size_of::<Machine>());
    let mut actor = actor(|_| {});
    assert!(actor.session.output().is_empty());
    // The name in EHLO behind its Arc is all that an idle session keeps beside itself and the shared settings.
    assert_eq!(actor.session.hello().unwrap().name.len(), 14);
}

#[test]
fn a_session_of_another_version_is_not_read() {
    let actor = actor(|_| {});
    let mut bytes = postcard::to_stdvec(&actor.session).unwrap();
    bytes[0] += 1;
    assert!(postcard::from_bytes::<Machine>(&bytes).is_err());
}

#[test]
fn an_unsettled_session_is_not_written() {
    let mut actor = actor(|_| {});
    actor
        .session
        .receive(&bytes::Bytes::from_static(b"NOOP\r\n"), actor.now);
    assert!(
        postcard::to_stdvec(&actor.session).is_err(),
        "its output is not taken yet"
    );
    actor.session.output();
    assert!(postcard::to_stdvec(&actor.session).is_ok());
    actor
        .session
        .receive(&bytes::Bytes::from_static(b"MAIL FROM:<>\r\n"), actor.now);
    assert!(
        postcard::to_stdvec(&actor.session).is_err(),
        "a verdict is awaited"
    );
}
