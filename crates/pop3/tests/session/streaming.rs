//! Replies of any length.

use bytes::Bytes;
use message::Tick;
use pop3::TURN_OCTETS;

use crate::actor::{Actor, settings};

#[test]
fn a_listing_of_many_messages_comes_in_bounded_turns() {
    let mut actor = Actor::new(settings(), &[]);
    actor.mailbox = vec![Bytes::from_static(b"x"); 100_000];
    actor.greeting();
    actor.feed(b"USER ada\r\nPASS secret\r\n");
    for (command, last) in [
        ("LIST", "100000 1\r\n.\r\n"),
        ("UIDL", "100000 1700000000.1000000\r\n.\r\n"),
    ] {
        actor.largest_turn = 0;
        let reply = actor.say(command);
        assert_eq!(reply.lines().count(), 100_002);
        assert!(reply.ends_with(last));
        assert!(actor.largest_turn < TURN_OCTETS + 64, "{}", actor.largest_turn);
    }
}

#[test]
fn nothing_is_read_while_a_reply_runs() {
    let mut actor = Actor::new(settings(), &[]);
    actor.mailbox = vec![Bytes::from_static(b"x"); 10_000];
    actor.greeting();
    actor.feed(b"USER ada\r\nPASS secret\r\n");
    actor.unread.extend_from_slice(b"LIST\r\nQUIT\r\n");
    assert_eq!(actor.turn().0, 6);
    assert!(actor.session.more());
    let (consumed, rest) = actor.turn();
    assert!(consumed == 0 && rest.ends_with(b"\r\n.\r\n"));
    assert!(!actor.session.more() && actor.session.is_ready(&actor.unread));
    assert_eq!(actor.feed(b""), "+OK bye\r\n");
}

#[test]
fn a_large_message_comes_in_bounded_turns() {
    let message = "A line of some length, to have some of them.\r\n".repeat(20_000);
    let mut actor = Actor::opened(settings(), &[&message]);
    actor.part_octets = 10_000;
    actor.largest_turn = 0;
    let reply = actor.say("RETR 1");
    assert_eq!(reply, format!("+OK {} octets\r\n{message}.\r\n", message.len()));
    assert!(
        actor.largest_turn < TURN_OCTETS + 10_000,
        "{}",
        actor.largest_turn
    );
    assert_eq!(actor.asked.len(), message.len() / 10_000 + 1);
}

#[test]
fn top_asks_for_no_more_than_it_shows() {
    let message = format!("A: 1\r\n\r\n{}", "0123456789\r\n".repeat(1_000));
    let mut actor = Actor::opened(settings(), &[&message]);
    actor.part_octets = 100;
    let reply = actor.say("TOP 1 10");
    assert_eq!(reply.lines().count(), 14);
    assert_eq!(actor.asked, ["part 0 of 10 top 10", "part 1 of 10 top 10"]);
    assert_eq!(actor.say("NOOP"), "+OK\r\n");
}

#[test]
fn a_lost_message_is_an_error_and_half_of_one_ends_the_connection() {
    let message = "x".repeat(1_000);
    let mut actor = Actor::opened(settings(), &[&message]);
    actor.part_octets = 100;
    actor.lost_from = Some(0);
    assert_eq!(
        actor.say("RETR 1"),
        "-ERR [SYS/TEMP] this message cannot be read now\r\n"
    );
    assert_eq!(actor.say("NOOP"), "+OK\r\n");
    actor.lost_from = Some(3);
    let reply = actor.feed(b"RETR 1\r\nNOOP\r\n");
    assert_eq!(reply, format!("+OK 1000 octets\r\n{}", "x".repeat(300)));
    assert!(actor.session.ended());
}

#[test]
fn a_farewell_does_not_fall_into_a_reply() {
    let mut actor = Actor::opened(settings(), &["A: 1\r\n\r\n"]);
    let mut streaming = Actor::new(settings(), &[]);
    streaming.mailbox = vec![Bytes::from_static(b"x"); 10_000];
    streaming.greeting();
    streaming.feed(b"USER ada\r\nPASS secret\r\n");
    streaming.unread.extend_from_slice(b"LIST\r\n");
    streaming.turn();
    streaming.session.farewell("shutting down");
    assert_eq!(
        (streaming.session.ended(), streaming.session.output().len()),
        (true, 0)
    );
    actor.session.farewell("shutting\r\n+OK down");
    assert_eq!(actor.session.output(), "-ERR [SYS/TEMP] shutting??+OK down\r\n");
    assert!(actor.session.ended() && actor.session.deadline() > Tick::ZERO);
}
