//! What a client sees that talks line by line.

use std::sync::Arc;

use bytes::Bytes;
use message::Tick;
use pop3::{Event, Maildrop, Mechanisms, Session, Settings, Tls, Verdict};

use crate::actor::{Actor, Door, settings};

const MAILBOX: [&str; 3] = ["A: 1\r\n\r\none\r\n", "A: 2\r\n\r\n.two\r\n", "A: 3\r\n\r\nthree"];

#[test]
fn the_greeting_names_the_host_and_offers_no_apop() {
    assert_eq!(
        Actor::new(settings(), &[]).greeting(),
        "+OK mail.example.org POP3 ready\r\n"
    );
    let odd = Settings {
        hostname: "<1@x>\r\n+OK".into(),
        ..settings()
    };
    assert_eq!(Actor::new(odd, &[]).greeting(), "+OK 1@x??+OK POP3 ready\r\n");
}

#[test]
fn one_command_one_reply() {
    let check = |line: &str, expected: &str| {
        assert_eq!(
            Actor::opened(settings(), &MAILBOX).say(line),
            expected,
            "{line:?}"
        );
    };
    check("STAT", "+OK 3 40\r\n");
    check("noop", "+OK\r\n");
    check(
        "LIST",
        "+OK 3 messages (40 octets)\r\n1 13\r\n2 14\r\n3 13\r\n.\r\n",
    );
    check("LIST 2", "+OK 2 14\r\n");
    check("LIST 0", "-ERR no such message\r\n");
    check("LIST 4", "-ERR no such message\r\n");
    check("LIST 4294967295", "-ERR no such message\r\n");
    check("LIST x", "-ERR wrong arguments\r\n");
    check(
        "UIDL",
        "+OK 3 messages (40 octets)\r\n1 1700000000.10\r\n2 1700000000.20\r\n3 1700000000.30\r\n.\r\n",
    );
    check("UIDL 3", "+OK 3 1700000000.30\r\n");
    check("UIDL 9", "-ERR no such message\r\n");
    check("RETR 1", "+OK 13 octets\r\nA: 1\r\n\r\none\r\n.\r\n");
    check("RETR 2", "+OK 14 octets\r\nA: 2\r\n\r\n..two\r\n.\r\n");
    check("RETR 3", "+OK 13 octets\r\nA: 3\r\n\r\nthree\r\n.\r\n");
    check("RETR 4", "-ERR no such message\r\n");
    check("RETR", "-ERR wrong arguments\r\n");
    check("TOP 1 0", "+OK top of message follows\r\nA: 1\r\n\r\n.\r\n");
    check(
        "TOP 2 1",
        "+OK top of message follows\r\nA: 2\r\n\r\n..two\r\n.\r\n",
    );
    check(
        "TOP 3 99",
        "+OK top of message follows\r\nA: 3\r\n\r\nthree\r\n.\r\n",
    );
    check("TOP 1", "-ERR wrong arguments\r\n");
    check("DELE 1", "+OK marked as deleted\r\n");
    check("DELE 4", "-ERR no such message\r\n");
    check("RSET", "+OK\r\n");
    check("QUIT", "+OK bye\r\n");
    check("USER ada", "-ERR not possible in this state\r\n");
    check("PASS secret", "-ERR not possible in this state\r\n");
    check("STLS", "-ERR not possible in this state\r\n");
    check("APOP ada 0", "-ERR unknown command\r\n");
    check("AUTH PLAIN", "-ERR not possible in this state\r\n");
    check("<script>", "-ERR unknown command\r\n");
    check("NOOP\0", "-ERR only printable ASCII is allowed\r\n");
    check("RETR ü", "-ERR only printable ASCII is allowed\r\n");
}

#[test]
fn commands_of_the_transaction_wait_for_a_login() {
    let check = |line: &str| {
        let mut actor = Actor::new(settings(), &MAILBOX);
        actor.greeting();
        assert_eq!(actor.say(line), "-ERR not possible in this state\r\n", "{line:?}");
        assert!(actor.asked.is_empty());
    };
    for line in [
        "STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "TOP 1 1", "DELE 1", "RSET", "NOOP",
    ] {
        check(line);
    }
}

#[test]
fn a_marked_message_is_gone_until_rset() {
    let mut actor = Actor::opened(settings(), &MAILBOX);
    assert_eq!(actor.say("DELE 2"), "+OK marked as deleted\r\n");
    for line in ["DELE 2", "RETR 2", "TOP 2 1", "LIST 2", "UIDL 2"] {
        assert_eq!(actor.say(line), "-ERR no such message\r\n", "{line}");
    }
    assert_eq!(actor.say("STAT"), "+OK 2 26\r\n");
    assert_eq!(
        actor.say("LIST"),
        "+OK 2 messages (26 octets)\r\n1 13\r\n3 13\r\n.\r\n"
    );
    assert_eq!(actor.say("RSET"), "+OK\r\n");
    assert_eq!(actor.say("STAT"), "+OK 3 40\r\n");
    assert_eq!(actor.say("DELE 2"), "+OK marked as deleted\r\n");
    assert!(
        actor.asked.is_empty(),
        "nothing is removed before QUIT: {:?}",
        actor.asked
    );
}

#[test]
fn quit_removes_what_is_marked_and_nothing_else() {
    let mut actor = Actor::opened(settings(), &MAILBOX);
    actor.feed(b"DELE 3\r\nDELE 1\r\n");
    assert_eq!(actor.feed(b"QUIT\r\nNOOP\r\n"), "+OK bye\r\n");
    assert_eq!(actor.asked, ["remove [10, 30]"]);
    assert!(actor.session.ended() && actor.unread.is_empty());

    let mut idle = Actor::opened(settings(), &MAILBOX);
    assert_eq!(idle.say("QUIT"), "+OK bye\r\n");
    assert!(idle.asked.is_empty() && idle.session.ended());
}

#[test]
fn quit_says_so_when_removing_fails() {
    let mut actor = Actor::opened(settings(), &MAILBOX);
    actor.update_fails = true;
    actor.say("DELE 1");
    assert_eq!(
        actor.say("QUIT"),
        "-ERR [SYS/TEMP] some deleted messages not removed\r\n"
    );
    assert!(actor.session.ended());
}

#[test]
fn quit_before_a_login_removes_nothing() {
    let mut actor = Actor::new(settings(), &MAILBOX);
    actor.greeting();
    assert_eq!(actor.say("QUIT"), "+OK bye\r\n");
    assert!(actor.asked.is_empty() && actor.session.ended());
}

#[test]
fn a_login_fails_for_its_own_reason() {
    let check = |door: Door, password: &str, expected: &str| {
        let mut actor = Actor::new(settings(), &MAILBOX);
        actor.door = door;
        actor.greeting();
        actor.say("USER ada");
        assert_eq!(
            actor.say(&format!("PASS {password}")),
            expected,
            "{door:?} {password:?}"
        );
        assert!(!actor.session.ended());
        assert_eq!(
            actor.say("PASS secret") == "-ERR send USER first\r\n",
            !actor.session.has_mailbox()
        );
    };
    check(Door::Open, "secret", "+OK 3 messages (40 octets)\r\n");
    check(Door::Open, "secret ", "-ERR [AUTH] wrong name or password\r\n");
    check(Door::Open, " secret", "-ERR [AUTH] wrong name or password\r\n");
    check(Door::InUse, "wrong", "-ERR [AUTH] wrong name or password\r\n");
    check(
        Door::InUse,
        "secret",
        "-ERR [IN-USE] another session has this mailbox\r\n",
    );
    check(
        Door::Away,
        "secret",
        "-ERR [SYS/TEMP] not possible now, try again later\r\n",
    );
    check(
        Door::AwayBehind,
        "secret",
        "-ERR [SYS/TEMP] not possible now, try again later\r\n",
    );
    check(
        Door::Denied,
        "secret",
        "-ERR [SYS/PERM] this account may not use POP3\r\n",
    );
    check(Door::Denied, "wrong", "-ERR [AUTH] wrong name or password\r\n");
}

#[test]
fn an_unknown_name_looks_like_a_wrong_password() {
    let mut actor = Actor::new(settings(), &MAILBOX);
    actor.greeting();
    assert_eq!(actor.say("USER nobody"), actor.say("USER ada"));
    assert_eq!(actor.say("PASS wrong"), "-ERR [AUTH] wrong name or password\r\n");
    actor.say("USER nobody");
    assert_eq!(actor.say("PASS secret"), "-ERR [AUTH] wrong name or password\r\n");
    assert_eq!(actor.asked, ["login ada", "login nobody"]);
}

#[test]
fn too_many_wrong_passwords_end_the_session() {
    let mut actor = Actor::new(
        Settings {
            failed_login_limit: 2,
            ..settings()
        },
        &MAILBOX,
    );
    actor.greeting();
    actor.feed(b"USER ada\r\nPASS a\r\nUSER ada\r\n");
    assert_eq!(
        actor.say("PASS b"),
        "-ERR [AUTH] wrong name or password, closing connection\r\n"
    );
    assert!(actor.session.ended());
}

#[test]
fn what_breaks_the_protocol_is_tallied_and_nothing_else() {
    let mut actor = Actor::new(settings(), &MAILBOX);
    actor.greeting();
    let mut check = |line: &str, errors: u32, unknown: u32| {
        actor.feed(line.as_bytes());
        let tally = actor.session.tally();
        assert_eq!(
            (tally.errors, tally.unknown_commands),
            (errors, unknown),
            "{line:?}"
        );
    };
    check("CAPA\r\n", 0, 0);
    check("GIMME\r\n", 1, 1);
    check("STAT\r\n", 2, 1);
    check("USER\r\n", 3, 1);
    check("NOOP\n", 4, 1);
    check("US\0ER x\r\n", 5, 1);
    check("AUTH PLAIN !\r\n", 6, 1);
    // A wrong password is counted where it is found out.
    check("USER ada\r\nPASS wrong\r\n", 6, 1);
    check("USER ada\r\nPASS secret\r\n", 6, 1);
    // A listing may be old.
    check("RETR 9\r\nDELE 9\r\nLIST 9\r\n", 6, 1);
    check("RETR\r\n", 7, 1);
    check(&format!("{}\r\n", "x".repeat(66_000)), 8, 1);
    assert!(actor.session.ended());
}

#[test]
fn too_many_errors_end_the_session() {
    let mut actor = Actor::opened(
        Settings {
            error_limit: 3,
            ..settings()
        },
        &MAILBOX,
    );
    let replies = actor.feed(b"X\r\nNOOP\r\nRETR 99\r\nSTAT\n\xff\r\nNOOP\r\n");
    assert_eq!(
        replies,
        "-ERR unknown command\r\n+OK\r\n-ERR no such message\r\n-ERR lines must end with CRLF\r\n\
         -ERR too many errors, closing connection\r\n"
    );
    assert!(actor.session.ended());
}

#[test]
fn capabilities_are_what_works_now() {
    let common = "RESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nEXPIRE NEVER\r\n.\r\n";
    let check = |settings: Settings, expected: &str| {
        let mut actor = Actor::new(settings, &[]);
        actor.greeting();
        assert_eq!(
            actor.say("CAPA"),
            format!("+OK capability list follows\r\nTOP\r\nUIDL\r\n{expected}{common}")
        );
    };
    let with = |tls: Tls| Settings { tls, ..settings() };
    let closed = |tls: Tls| Settings {
        cleartext_login: false,
        mechanisms: Mechanisms {
            clear: Vec::new(),
            ..settings().mechanisms
        },
        ..with(tls)
    };
    check(with(Tls::Offered), "USER\r\nSTLS\r\nSASL PLAIN LOGIN\r\n");
    check(closed(Tls::Offered), "STLS\r\n");
    check(with(Tls::Unavailable), "USER\r\nSASL PLAIN LOGIN\r\n");
    check(closed(Tls::Active), "USER\r\nSASL PLAIN LOGIN\r\n");
    check(closed(Tls::Unavailable), "");
    let mut proven = Actor::new(closed(Tls::Active), &[]);
    proven.greeting();
    proven.session.tls_established(true);
    assert!(proven.say("CAPA").contains("SASL PLAIN LOGIN EXTERNAL\r\n"));
    assert!(!Actor::opened(settings(), &[]).say("CAPA").contains("STLS"));
}

#[test]
fn login_in_clear_text_is_refused_where_it_is_not_allowed() {
    let mut actor = Actor::new(
        Settings {
            cleartext_login: false,
            ..settings()
        },
        &MAILBOX,
    );
    actor.greeting();
    assert_eq!(actor.say("USER ada"), "-ERR login needs TLS, use STLS first\r\n");
    assert_eq!(
        actor.say("PASS secret"),
        "-ERR login needs TLS, use STLS first\r\n"
    );
    assert!(actor.asked.is_empty());
}

#[test]
fn nothing_that_was_said_before_tls_counts_after_it() {
    let mut actor = Actor::new(
        Settings {
            cleartext_login: false,
            ..settings()
        },
        &MAILBOX,
    );
    actor.greeting();
    assert_eq!(
        actor.feed(b"STLS\r\nUSER ada\r\nPASS secret\r\nQUIT\r\n"),
        "+OK begin TLS\r\n"
    );
    assert_eq!(actor.asked, ["tls"]);
    assert!(actor.unread.is_empty());
    actor.session.tls_established(false);
    assert_eq!(actor.feed(b"CAPA\r\n").matches("STLS").count(), 0);
    assert_eq!(actor.say("STLS"), "-ERR TLS is active already\r\n");
    assert_eq!(actor.say("PASS secret"), "-ERR send USER first\r\n");
    actor.say("USER ada");
    assert_eq!(actor.say("PASS secret"), "+OK 3 messages (40 octets)\r\n");

    let mut named = Actor::new(settings(), &MAILBOX);
    named.greeting();
    named.feed(b"USER ada\r\nSTLS\r\n");
    named.session.tls_established(false);
    assert_eq!(named.say("PASS secret"), "-ERR send USER first\r\n");
}

#[test]
fn tls_that_nobody_asked_for_changes_nothing() {
    let mut actor = Actor::opened(settings(), &MAILBOX);
    actor.session.tls_established(false);
    assert_eq!(actor.say("STAT"), "+OK 3 40\r\n");
    let mut plain = Actor::new(
        Settings {
            tls: Tls::Unavailable,
            ..settings()
        },
        &[],
    );
    plain.greeting();
    assert_eq!(plain.say("STLS"), "-ERR TLS is not available\r\n");
}

#[test]
fn a_line_that_is_too_long_is_one_error() {
    let mut actor = Actor::opened(settings(), &MAILBOX);
    let longest = format!("NOOP{}", " ".repeat(249));
    assert_eq!(actor.say(&longest), "+OK\r\n");
    assert_eq!(actor.say(&format!("{longest} ")), "-ERR line too long\r\n");
    assert_eq!(
        actor.feed(format!("{}\r\nNOOP\r\n", "QUIT ".repeat(1_000)).as_bytes()),
        "-ERR line too long\r\n+OK\r\n"
    );
    assert_eq!(
        actor.feed(&[b'x'; 70_000]),
        "-ERR line too long, closing connection\r\n"
    );
    assert!(actor.session.ended());
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_session() {
    let mut session = Session::greet(Arc::new(settings()), Tick::ZERO);
    session.receive(&Bytes::from_static(b"USER ada\r\n"), Tick::ZERO);
    session.receive(&Bytes::from_static(b"PASS secret\r\n"), Tick::ZERO);
    assert!(matches!(session.poll(), Some(Event::Login { .. })));
    session.respond(Verdict::Opened(Maildrop::new(1, Vec::new())));
    assert!(session.ended() && !session.has_mailbox());
}

#[test]
fn a_password_is_not_shown() {
    let mut session = Session::greet(Arc::new(settings()), Tick::ZERO);
    session.receive(&Bytes::from_static(b"USER ada\r\n"), Tick::ZERO);
    session.receive(&Bytes::from_static(b"PASS swordfish\r\n"), Tick::ZERO);
    assert!(!format!("{session:?}").contains("swordfish"));
    let Some(Event::Login { password, .. }) = session.poll() else {
        panic!("no login")
    };
    assert_eq!(password.into_octets(), b"swordfish");
}
