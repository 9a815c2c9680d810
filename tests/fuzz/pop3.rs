//! Command lines of POP3: whatever they hold, every reply is one, nothing waits without bound, and how the octets arrive
//! changes nothing.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use message::time::Tick;
use pop3::{Event, Maildrop, Mechanisms, Message, Session, Settings, Tls, Verdict};

use crate::corpus::{Cuts, fuzz};

/// What is in the mailbox: lines that begin with dots, and one that has no end.
const MESSAGES: [&[u8]; 3] = [b"A: 1\r\n\r\n.x\r\n..\r\ny", b"", b"\r\n\r\n."];

/// Octets of one part of a message.
const PART: usize = 5;

/// Lines that are refused, at most.
const MAX_ERRORS: u32 = 30;

#[test]
fn pop3() {
    fuzz("pop3", |octets, cuts| {
        let whole = converse(octets, &Cuts::whole());
        assert_eq!(converse(octets, cuts), whole);
        assert_eq!(converse(octets, &Cuts::octets()), whole);
        check(&whole);
    });
}

/// What came of a conversation.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    said: String,
    asked: Vec<String>,
    removed: Vec<u32>,
    errors: u32,
    unknown: u32,
    ended: bool,
}

fn check(outcome: &Outcome) {
    let Outcome {
        said,
        errors,
        unknown,
        ended,
        removed,
        ..
    } = outcome;
    assert!(said.is_empty() || said.ends_with("\r\n"), "a torn line: {said:?}");
    assert!(
        !said.replace("\r\n", "").contains(['\r', '\n']),
        "a bare line end: {said:?}"
    );
    assert!(
        unknown <= errors && *errors <= MAX_ERRORS,
        "{unknown} of {errors} errors"
    );
    assert!(*errors < MAX_ERRORS || *ended, "too many errors, and it goes on");
    assert!(
        removed.iter().all(|uid| [10, 20, 30].contains(uid)),
        "{removed:?}"
    );
}

fn converse(octets: &[u8], cuts: &Cuts) -> Outcome {
    let settings = Settings {
        hostname: "mail.example.org".into(),
        cleartext_login: true,
        tls: Tls::Offered,
        mechanisms: Mechanisms {
            clear: vec!["PLAIN".into(), "LOGIN".into()],
            tls: Vec::new(),
        },
        error_limit: MAX_ERRORS,
        ..Settings::default()
    };
    let limit = settings.line_limit.max(16 * 1024);
    let mut client = Client {
        session: Session::greet(Arc::new(settings), Tick::ZERO),
        unread: Bytes::new(),
        said: String::new(),
        asked: Vec::new(),
        removed: Vec::new(),
    };
    for piece in cuts.of(octets) {
        client.hear(piece);
        assert!(
            client.unread.len() <= limit,
            "{} octets wait",
            client.unread.len()
        );
    }
    let tally = client.session.tally();
    Outcome {
        said: client.said,
        asked: client.asked,
        removed: client.removed,
        errors: tally.errors,
        unknown: tally.unknown_commands,
        ended: client.session.ended(),
    }
}

struct Client {
    session: Session,
    unread: Bytes,
    said: String,
    /// What the session asked, in words.
    asked: Vec<String>,
    removed: Vec<u32>,
}

impl Client {
    fn hear(&mut self, octets: &[u8]) {
        self.unread = [&*self.unread, octets].concat().into();
        loop {
            let is_ready = self.session.is_ready(&self.unread);
            let consumed = self.session.receive(&self.unread, Tick::ZERO);
            assert_eq!(
                consumed > 0,
                is_ready,
                "ready, and nothing done, or the other way round"
            );
            assert!(consumed <= self.unread.len(), "more than there is");
            self.unread.advance(consumed);
            while let Some(event) = self.session.poll() {
                if let Some(verdict) = self.decide(event) {
                    self.session.respond(verdict);
                }
            }
            loop {
                let output = self.session.output();
                if output.is_empty() {
                    break;
                }
                self.said
                    .push_str(std::str::from_utf8(&output).expect("replies and these messages are ASCII"));
            }
            if !self.session.more() && !self.session.is_ready(&self.unread) {
                return;
            }
        }
    }

    fn decide(&mut self, event: Event) -> Option<Verdict> {
        let (asked, verdict) = match event {
            Event::Login { name, password } => {
                let is_right = name == "ada" && password.expose() == b"secret";
                let verdict = if is_right {
                    Verdict::Verified
                } else {
                    Verdict::Refused
                };
                (format!("{name} {}", password.expose().escape_ascii()), verdict)
            }
            Event::Authenticate { mechanism, initial } => {
                let initial = initial.map(|response| response.expose().to_vec());
                let verdict = match &initial {
                    None => Verdict::Challenge(Bytes::from_static(b"more")),
                    Some(response) => verdict(response),
                };
                (format!("{mechanism} {initial:?}"), verdict)
            }
            Event::AuthenticateResponse(response) => {
                let response = response.expose();
                (format!("{response:?}"), verdict(response))
            }
            Event::Open => ("open".to_owned(), Verdict::Opened(listing())),
            Event::Retrieve(wanted) => {
                assert_eq!(wanted.uid, wanted.number * 10, "another message");
                (String::new(), part(wanted.number, wanted.part))
            }
            Event::Update { removed } => {
                self.removed.extend(&removed);
                (format!("remove {removed:?}"), Verdict::Updated)
            }
            // Nobody shakes hands: what comes behind it is dropped.
            Event::StartTls => {
                self.asked.push("tls".to_owned());
                return None;
            }
        };
        self.asked.push(asked);
        Some(verdict)
    }
}

fn verdict(response: &[u8]) -> Verdict {
    match response {
        b"\0ada\0secret" => Verdict::Verified,
        b"" => Verdict::Malformed,
        b"ada" => Verdict::Challenge(Bytes::from_static(b"Password:")),
        _ => Verdict::Refused,
    }
}

fn listing() -> Maildrop {
    let sizes = MESSAGES.iter().map(|message| message.len() as u64);
    let messages = sizes.zip(1..).map(|(octets, number)| Message {
        uid: number * 10,
        octets,
    });
    Maildrop::new(1_700_000_000, messages.collect())
}

fn part(number: u32, part: u32) -> Verdict {
    let message = MESSAGES[number as usize - 1];
    message
        .chunks(PART)
        .nth(part as usize)
        .map_or(Verdict::End, |chunk| Verdict::Chunk(Bytes::from_static(chunk)))
}
