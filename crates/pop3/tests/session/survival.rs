//! Time, crashes and checkpoints.

use std::time::Duration;

use bytes::Bytes;
use message::Tick;
use pop3::{Session, Settings};

use crate::actor::{Actor, settings};

fn timed() -> Settings {
    Settings {
        idle_timeout: Duration::from_secs(600),
        login_timeout: Duration::from_secs(60),
        session_timeout: Duration::from_secs(1_000),
        ..settings()
    }
}

#[test]
fn a_login_has_its_time_whatever_else_is_said() {
    let mut actor = Actor::new(timed(), &[]);
    actor.greeting();
    actor.wait(59);
    assert_eq!(actor.say("USER ada"), "+OK send PASS\r\n");
    assert_eq!(actor.session.deadline(), Tick::ZERO + Duration::from_secs(60));
    actor.wait(1);
    assert!(actor.session.ended());
    assert_eq!(actor.say("PASS secret"), "", "an autologout is silent");
}

#[test]
fn silence_ends_the_session_and_removes_nothing() {
    let mut actor = Actor::opened(timed(), &["x\r\n"]);
    actor.wait(300);
    actor.say("DELE 1");
    actor.wait(599);
    actor.feed(b"NO");
    assert!(!actor.session.ended(), "the clock ran from the last command");
    actor.wait(1);
    assert!(actor.session.ended(), "half a command is no command");
    assert!(actor.asked.is_empty());
}

#[test]
fn a_session_has_its_time() {
    let mut actor = Actor::opened(timed(), &[]);
    for _ in 0..9 {
        actor.wait(111);
        actor.say("NOOP");
    }
    assert!(!actor.session.ended());
    actor.wait(1);
    assert!(actor.session.ended());
}

#[test]
fn the_line_that_crashed_is_answered_and_the_session_goes_on() {
    let mut actor = Actor::opened(settings(), &["x\r\n", "y\r\n"]);
    actor.say("DELE 1");
    let checkpoint = actor.session.clone();
    actor.session = Session::recover(checkpoint, actor.now);
    assert!(actor.session.has_mailbox() && !actor.session.more());
    assert_eq!(actor.feed(b"QUI"), "");
    assert_eq!(
        actor.feed(b"T\r\nSTAT\r\n"),
        "-ERR [SYS/TEMP] not possible now, try again later\r\n+OK 1 3\r\n"
    );
    assert_eq!(actor.say("QUIT"), "+OK bye\r\n");
    assert_eq!(actor.asked, ["remove [10]"]);
}

#[test]
fn a_crash_at_login_leaves_the_name_to_be_said_again_or_not() {
    let mut actor = Actor::new(settings(), &[]);
    actor.greeting();
    actor.say("USER ada");
    actor.session = Session::recover(actor.session.clone(), actor.now);
    assert_eq!(
        actor.say("PASS secret"),
        "-ERR [SYS/TEMP] not possible now, try again later\r\n"
    );
    assert_eq!(actor.say("PASS secret"), "+OK 0 messages (0 octets)\r\n");
}

#[test]
fn a_reply_that_crashed_midway_ends_the_connection() {
    let mut actor = Actor::new(settings(), &[]);
    actor.mailbox = vec![Bytes::from_static(b"x"); 10_000];
    actor.greeting();
    actor.feed(b"USER ada\r\nPASS secret\r\n");
    actor.unread.extend_from_slice(b"LIST\r\n");
    actor.turn();
    actor.session = Session::recover(actor.session.clone(), actor.now);
    assert!(actor.session.ended());
    assert_eq!(actor.feed(b"NOOP\r\n"), "");
}

#[test]
fn a_crash_while_tls_is_awaited_costs_nothing() {
    let mut actor = Actor::new(settings(), &[]);
    actor.greeting();
    actor.say("STLS");
    actor.session = Session::recover(actor.session.clone(), actor.now);
    actor.session.tls_established(false);
    assert_eq!(actor.say("USER ada"), "+OK send PASS\r\n");
}

#[test]
fn a_session_is_the_same_after_it_was_written_down() {
    let mut actor = Actor::opened(settings(), &["A: 1\r\n\r\nx\r\n", "y\r\n"]);
    actor.say("DELE 2");
    let bytes = postcard::to_stdvec(&actor.session).unwrap();
    let mut copy = actor.clone();
    copy.session = postcard::from_bytes(&bytes).unwrap();
    for line in ["STAT", "RETR 1", "RETR 2", "UIDL", "RSET", "LIST", "QUIT"] {
        assert_eq!(copy.say(line), actor.say(line), "{line}");
    }
    assert_eq!(
        postcard::to_stdvec(&copy.session).unwrap(),
        postcard::to_stdvec(&actor.session).unwrap()
    );
}

#[test]
fn a_session_of_another_format_is_refused() {
    let actor = Actor::opened(settings(), &[]);
    let mut bytes = postcard::to_stdvec(&actor.session).unwrap();
    bytes[0] += 1;
    assert!(postcard::from_bytes::<Session>(&bytes).is_err());
}

#[test]
fn an_actor_that_dies_between_two_turns_is_not_noticed() {
    let message = ".A line of some length.\r\n".repeat(10_000);
    let check = |command: &str| {
        let mut actor = Actor::opened(settings(), &[&message]);
        actor.part_octets = 30_001;
        let expected = actor.clone().say(command);
        actor.unread.extend_from_slice(command.as_bytes());
        actor.unread.extend_from_slice(b"\r\n");
        let mut reply = actor.turn().1;
        let mut deaths = 0;
        while actor.session.more() {
            let bytes = postcard::to_stdvec(&actor.session).unwrap();
            actor.session = postcard::from_bytes(&bytes).unwrap();
            reply.extend_from_slice(&actor.turn().1);
            deaths += 1;
        }
        assert_eq!(String::from_utf8(reply).unwrap(), expected, "{command}");
        assert!(deaths > 2, "{command}: {deaths}");
    };
    check("RETR 1");
    check("TOP 1 9000");
}
