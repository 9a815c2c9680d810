//! What the caller's answers do, the wrong ones too.

use std::sync::Arc;

use bytes::Bytes;
use message::BodyKind;
use message::id::{AccountId, Id};
use message::time::Tick;
use smtp::reply::table;
use smtp::{BodyLoss, Event, Framing, Login, Mechanisms, Reply, Session, Settings, Verdict};

use crate::actor::{Machine, PEER};

type Answer = Verdict<u8, u64>;

/// A session that has taken these lines, each with its answer if it asks.
fn after(steps: &[(&'static str, Option<Answer>)]) -> Machine {
    let mut session = greeted(Settings {
        starttls: true,
        ..Settings::new("mx.example.org")
    });
    for (line, answer) in steps {
        take(&mut session, line, answer.clone());
    }
    session
}

fn greeted(settings: Settings) -> Machine {
    let mut session = Session::greet(Arc::new(settings), PEER, None, Tick::ZERO);
    session.output();
    take(&mut session, "EHLO client.example\r\n", None);
    session
}

/// One turn; what is said.
fn take(session: &mut Machine, input: &'static str, answer: Option<Answer>) -> Bytes {
    session.receive(&Bytes::from_static(input.as_bytes()), Tick::ZERO);
    while session.poll().is_some() {}
    if let Some(answer) = answer {
        session.respond(answer);
    }
    session.output()
}

const MAIL: &str = "MAIL FROM:<a@client.example>\r\n";
const RCPT: &str = "RCPT TO:<alice@example.org>\r\n";
const TO_MAIL: &[(&str, Option<Answer>)] = &[(MAIL, Some(Verdict::Accept))];
const TO_RCPT: &[(&str, Option<Answer>)] = &[(MAIL, Some(Verdict::Accept)), (RCPT, Some(Verdict::Route(1)))];
const TO_DATA: &[(&str, Option<Answer>)] = &[
    (MAIL, Some(Verdict::Accept)),
    (RCPT, Some(Verdict::Route(1))),
    ("DATA\r\n", Some(Verdict::Open(9))),
];

#[test]
fn an_answer_that_does_not_fit_is_a_local_error() {
    let misfits = |question: &'static str, before: &[(&'static str, Option<Answer>)], answers: &[Answer]| {
        for answer in answers {
            let mut session = after(before);
            let said = take(&mut session, question, Some(answer.clone()));
            assert_eq!(said, table::LOCAL_ERROR.wire(), "{question} {answer:?}");
        }
    };
    let odd = [
        Verdict::Refuse(table::OK),
        Verdict::AcceptWith(table::LOCAL_ERROR),
        Verdict::AcceptWith(table::START_INPUT),
    ];
    misfits(
        MAIL,
        &[],
        &[&odd[..], &[Verdict::Route(1), Verdict::Open(1)]].concat(),
    );
    misfits(
        RCPT,
        TO_MAIL,
        &[&odd[..], &[Verdict::Accept, Verdict::Open(1)]].concat(),
    );
    misfits(
        "DATA\r\n",
        TO_RCPT,
        &[&odd[..], &[Verdict::Accept, Verdict::Route(1)]].concat(),
    );
    misfits(
        ".\r\n",
        TO_DATA,
        &[&odd[..], &[Verdict::Route(1), Verdict::Open(1)]].concat(),
    );
    misfits(
        "STARTTLS\r\n",
        &[],
        &[&odd[..], &[Verdict::Route(1), Verdict::Open(1)]].concat(),
    );
}

#[test]
fn a_refusal_leaves_the_state_that_the_command_met() {
    let full = || Some(Verdict::Refuse(table::STORE_FULL));
    let mut session = after(&[]);
    assert_eq!(take(&mut session, MAIL, full()), table::STORE_FULL.wire());
    assert_eq!(take(&mut session, RCPT, None), table::MAIL_FIRST.wire());

    let mut session = after(TO_MAIL);
    take(&mut session, RCPT, full());
    assert_eq!(take(&mut session, "DATA\r\n", None), table::NO_RECIPIENTS.wire());

    // RFC 5321 §4.1.1.4: DATA may be tried again.
    let mut session = after(TO_RCPT);
    assert_eq!(take(&mut session, "DATA\r\n", full()), table::STORE_FULL.wire());
    assert_eq!(
        take(&mut session, "DATA\r\n", Some(Verdict::Open(1))),
        table::START_INPUT.wire()
    );

    let mut session = after(TO_DATA);
    assert_eq!(take(&mut session, ".\r\n", full()), table::STORE_FULL.wire());
    assert_eq!(take(&mut session, "DATA\r\n", None), table::MAIL_FIRST.wire());

    let mut session = after(&[]);
    let no_tls = Some(Verdict::Refuse(table::TLS_NOT_AVAILABLE));
    assert_eq!(
        take(&mut session, "STARTTLS\r\n", no_tls),
        table::TLS_NOT_AVAILABLE.wire()
    );
    assert_eq!(
        take(&mut session, MAIL, Some(Verdict::Accept)),
        table::SENDER_OK.wire()
    );
}

#[test]
fn a_refusal_with_421_ends_the_session() {
    let down = || Some(Verdict::Refuse(table::SHUTTING_DOWN));
    for (before, question) in [
        (&[][..], MAIL),
        (TO_MAIL, RCPT),
        (TO_RCPT, "DATA\r\n"),
        (TO_DATA, ".\r\n"),
    ] {
        let mut session = after(before);
        assert_eq!(take(&mut session, question, down()), table::SHUTTING_DOWN.wire());
        assert!(session.ended(), "{question}");
    }
}

#[test]
fn text_behind_a_refused_data_ends_the_session() {
    let mut session = after(TO_RCPT);
    let said = take(
        &mut session,
        "DATA\r\nRSET\r\n.\r\n",
        Some(Verdict::Refuse(table::STORE_FULL)),
    );
    assert_eq!(
        said,
        [table::STORE_FULL.wire(), table::UNSYNCHRONIZED.wire()].concat()
    );
    assert!(session.ended());
}

#[test]
fn the_caller_may_use_its_own_words() {
    let mut session = after(&[]);
    let reply = || Reply::new(250, smtp::Enhanced(2, 1, 0), "Go on");
    assert_eq!(
        take(&mut session, MAIL, Some(Verdict::AcceptWith(reply()))),
        reply().wire()
    );
    let mut session = after(TO_DATA);
    assert_eq!(
        take(&mut session, ".\r\n", Some(Verdict::AcceptWith(reply()))),
        reply().wire()
    );
}

#[test]
fn everything_behind_starttls_is_taken_and_forgotten() {
    let mut session = after(&[]);
    let input = Bytes::from_static(b"STARTTLS\r\nMAIL FROM:<evil@client.example>\r\nRC");
    assert_eq!(session.receive(&input, Tick::ZERO), input.len());
    assert_eq!(session.poll(), Some(Event::StartTls));
    session.respond(Verdict::Accept);
    assert_eq!(session.framing(), Framing::Handshake);
    assert_eq!(
        session.receive(&input, Tick::ZERO),
        0,
        "nothing is taken in clear any more"
    );
}

#[test]
fn everything_behind_quit_is_taken_and_forgotten() {
    let mut session = after(&[]);
    let input = Bytes::from_static(b"QUIT\r\nNOOP\r\n");
    assert_eq!(session.receive(&input, Tick::ZERO), input.len());
    assert_eq!(session.output(), table::BYE.wire());
    assert_eq!(session.receive(&input, Tick::ZERO), 0);
}

#[test]
fn no_input_is_taken_before_the_caller_has_done_its_part() {
    let noop = Bytes::from_static(b"NOOP\r\n");
    let mut session = after(&[]);
    session.receive(&Bytes::from_static(MAIL.as_bytes()), Tick::ZERO);
    assert_eq!(session.receive(&noop, Tick::ZERO), 0);

    let mut session = after(TO_DATA);
    session.receive(&Bytes::from_static(b"text"), Tick::ZERO);
    assert_eq!(
        session.receive(&noop, Tick::ZERO),
        0,
        "its text is not handed out yet"
    );
    assert_eq!(session.poll(), Some(Event::Body(Bytes::from_static(b"text"))));
    assert_eq!(session.poll(), None);
    assert_eq!(session.receive(&Bytes::from_static(b"\n"), Tick::ZERO), 1);
    assert_eq!(session.receive(&noop, Tick::ZERO), 0, "its loss is not told yet");
    assert_eq!(session.poll(), Some(Event::BodyDropped(BodyLoss::BareLineEnd)));
    assert_eq!(session.receive(&noop, Tick::ZERO), noop.len());
}

#[test]
fn a_partial_line_is_left_where_it_is() {
    let mut session = after(&[]);
    assert!(!session.is_ready(b"NOOP\r"));
    assert_eq!(session.receive(&Bytes::from_static(b"NOOP\r"), Tick::ZERO), 0);
    assert_eq!(
        session.receive(&Bytes::from_static(b"NOOP\r\nRSET\r\n"), Tick::ZERO),
        6,
        "one line a turn"
    );
}

#[test]
fn text_is_a_slice_of_the_input() {
    let mut session = after(TO_DATA);
    let input = Bytes::from_static(b"one\r\n..two\r\n.\r\nNOOP\r\n");
    assert_eq!(session.receive(&input, Tick::ZERO), 15);
    for expected in [0..5, 6..12] {
        let Some(Event::Body(text)) = session.poll() else {
            panic!("no text")
        };
        assert_eq!(text.as_ptr(), input[expected.start..].as_ptr());
        assert_eq!(text, input[expected]);
    }
    assert_eq!(session.poll(), Some(Event::BodyEnd { octets: 11 }));
    assert_eq!(session.poll(), None);
}

#[test]
fn the_transaction_is_to_be_seen_while_it_lasts() {
    let mut session = after(&[
        (
            "MAIL FROM:<a@client.example> SIZE=7 BODY=8BITMIME\r\n",
            Some(Verdict::Accept),
        ),
        ("RCPT TO:<Alice@example.org>\r\n", Some(Verdict::Route(1))),
        ("RCPT TO:<bob@example.org>\r\n", Some(Verdict::Route(2))),
        ("DATA\r\n", Some(Verdict::Open(9))),
    ]);
    let mail = session.mail().unwrap();
    assert_eq!((mail.declared_size, mail.body), (Some(7), BodyKind::EightBitMime));
    assert_eq!(session.reverse_path().unwrap().to_string(), "<a@client.example>");
    let recipients = session.recipients().unwrap().in_order();
    let seen: Vec<_> = recipients
        .iter()
        .map(|one| (&*one.named.original, one.route))
        .collect();
    assert_eq!(seen, [("Alice@example.org", 1), ("bob@example.org", 2)]);
    assert_eq!(session.ticket(), Some(&9));
    assert_eq!(
        session.hello().map(|hello| (&*hello.name, hello.esmtp)),
        Some(("client.example", true))
    );
    assert_eq!((session.protocol().as_str(), session.peer()), ("ESMTP", PEER));
    assert!(!session.is_between_commands());
    take(&mut session, ".\r\n", Some(Verdict::Accept));
    assert!(session.mail().is_none() && session.recipients().is_none() && session.ticket().is_none());
    assert!(session.is_between_commands());
}

#[test]
fn a_session_encrypted_from_its_first_octet_offers_no_starttls() {
    let settings = Settings {
        starttls: true,
        ..Settings::new("mx.example.org")
    };
    let tls = smtp::Tls {
        version: "TLSv1.2".into(),
        cipher: "x".into(),
        is_client_verified: false,
    };
    let mut session: Machine = Session::greet(Arc::new(settings), PEER, Some(tls), Tick::ZERO);
    session.output();
    let said = take(&mut session, "EHLO client.example\r\n", None);
    assert!(!said.windows(8).any(|word| word == b"STARTTLS"));
    assert_eq!(session.protocol().as_str(), "ESMTPS");
}

#[test]
fn external_is_for_clients_that_the_handshake_proved() {
    for (is_client_verified, expected) in [
        (false, "250-AUTH PLAIN\r\n"),
        (true, "250-AUTH EXTERNAL PLAIN\r\n"),
    ] {
        let settings = Settings {
            mechanisms: Mechanisms {
                clear: vec![],
                tls: vec!["EXTERNAL".into(), "PLAIN".into()],
            },
            ..Settings::new("mx.example.org")
        };
        let tls = smtp::Tls {
            version: "TLSv1.3".into(),
            cipher: "x".into(),
            is_client_verified,
        };
        let mut session: Machine = Session::greet(Arc::new(settings), PEER, Some(tls), Tick::ZERO);
        session.output();
        let said = take(&mut session, "EHLO client.example\r\n", None);
        assert!(String::from_utf8_lossy(&said).contains(expected), "{said:?}");
        let said = take(&mut session, "AUTH EXTERNAL =\r\n", None);
        assert_eq!(said.is_empty(), is_client_verified, "{said:?}");
    }
}

#[test]
fn an_exchange_ends_as_the_caller_says() {
    let login = || Login {
        account: AccountId::new(Id::from_bytes([7; 16])),
        name: "alice@example.org".into(),
        mechanism: "PLAIN".into(),
    };
    for (answer, said) in [
        (Verdict::Authenticated(login()), table::AUTHENTICATED),
        (Verdict::Refuse(table::AUTH_FAILED), table::AUTH_FAILED),
        (
            Verdict::Refuse(table::AUTH_TEMPORARY_FAILURE),
            table::AUTH_TEMPORARY_FAILURE,
        ),
        (Verdict::Accept, table::LOCAL_ERROR),
        (Verdict::Challenge(vec![0; 12_288].into()), table::LOCAL_ERROR),
    ] {
        let mut session = greeted(Settings {
            mechanisms: Mechanisms {
                clear: vec!["PLAIN".into()],
                tls: vec![],
            },
            ..Settings::new("mx.example.org")
        });
        take(
            &mut session,
            "AUTH PLAIN\r\n",
            Some(Verdict::Challenge(Bytes::new())),
        );
        assert!(session.is_authenticating() && session.framing() == Framing::Response);
        session.receive(&Bytes::from_static(b"AGE=\r\n"), Tick::ZERO);
        let Some(Event::AuthenticateResponse(response)) = session.poll() else {
            panic!("no response")
        };
        assert_eq!(&*response, b"\0a");
        session.respond(answer.clone());
        assert_eq!(session.output(), said.wire());
        let succeeded = matches!(answer, Verdict::Authenticated(_));
        assert_eq!(session.login(), succeeded.then(login).as_ref());
        assert!(!session.is_authenticating() && session.framing() == Framing::Line);
        let with = if succeeded { "ESMTPA" } else { "ESMTP" };
        assert_eq!(session.protocol().as_str(), with);
    }
}

#[test]
fn what_mail_and_rcpt_ask_for_is_told_and_kept() {
    let settings = Settings {
        offers: smtp::Offers {
            utf8: true,
            dsn: true,
            ..smtp::Offers::default()
        },
        ..Settings::new("mx.example.org")
    };
    let mut session: Machine = Session::greet(Arc::new(settings), PEER, None, Tick::ZERO);
    session.output();
    let said = take(&mut session, "EHLO client.example\r\n", None);
    let said = String::from_utf8(said.to_vec()).unwrap();
    assert!(said.contains("250-SMTPUTF8\r\n250-DSN\r\n"), "{said}");
    let mail = "MAIL FROM:<j\u{fc}rgen@b\u{fc}cher.example> SMTPUTF8 RET=HDRS ENVID=a+20b\r\n";
    take(&mut session, mail, Some(Verdict::Accept));
    let options = session.mail().unwrap().options.to_string();
    assert_eq!(options, "SMTPUTF8 RET=HDRS ENVID=a+20b");
    assert_eq!(session.protocol().as_str(), "UTF8SMTP");
    let rcpt = "RCPT TO:<j\u{fc}rgen@example.org> NOTIFY=DELAY ORCPT=utf-8;j\u{fc}@x\r\n";
    take(&mut session, rcpt, Some(Verdict::Route(1)));
    let recipients = session.recipients().unwrap().in_order();
    let named = &recipients[0].named;
    assert_eq!(&*named.original, "j\u{fc}rgen@example.org");
    assert_eq!(named.options.to_string(), "NOTIFY=DELAY ORCPT=utf-8;j\\x{FC}@x");
    take(&mut session, "RSET\r\n", None);
    assert_eq!(session.protocol().as_str(), "ESMTP");
}
