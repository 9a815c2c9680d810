//! Actor: drives a session as the real one does, over a mailbox in memory.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use message::Tick;
use pop3::{Event, Maildrop, Mechanisms, Message, Password, Response, Session, Settings, Tls, Verdict};

/// What the actor says to a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    Denied,
    Away,
    InUse,
    AwayBehind,
}

#[derive(Debug, Clone)]
pub(crate) struct Actor {
    pub(crate) session: Session,
    pub(crate) now: Tick,
    pub(crate) mailbox: Vec<Bytes>,
    /// Parts of a message have at most this many octets.
    pub(crate) part_octets: usize,
    pub(crate) door: Door,
    /// Who may log in, with the password `secret`.
    pub(crate) name: &'static str,
    /// Messages are lost from this part on.
    pub(crate) lost_from: Option<u32>,
    pub(crate) update_fails: bool,
    /// What the session asked, in words.
    pub(crate) asked: Vec<String>,
    pub(crate) unread: BytesMut,
    /// Octets of the largest turn.
    pub(crate) largest_turn: usize,
}

/// Settings under which ada may log in without TLS.
pub(crate) fn settings() -> Settings {
    Settings {
        hostname: "mail.example.org".into(),
        cleartext_login: true,
        tls: Tls::Offered,
        mechanisms: Mechanisms {
            clear: ["PLAIN", "LOGIN"].map(str::to_owned).into(),
            tls: ["PLAIN", "LOGIN", "EXTERNAL"].map(str::to_owned).into(),
        },
        ..Settings::default()
    }
}

fn said(response: &Response) -> String {
    String::from_utf8_lossy(response.expose()).into_owned()
}

impl Actor {
    pub(crate) fn new(settings: Settings, mailbox: &[&str]) -> Self {
        Self {
            session: Session::greet(Arc::new(settings), Tick::ZERO),
            now: Tick::ZERO,
            mailbox: mailbox
                .iter()
                .map(|message| Bytes::copy_from_slice(message.as_bytes()))
                .collect(),
            part_octets: usize::MAX,
            door: Door::Open,
            name: "ada",
            lost_from: None,
            update_fails: false,
            asked: Vec::new(),
            unread: BytesMut::new(),
            largest_turn: 0,
        }
    }

    /// Greeted and logged in.
    pub(crate) fn opened(settings: Settings, mailbox: &[&str]) -> Self {
        let mut actor = Self::new(settings, mailbox);
        actor.greeting();
        actor.say("USER ada");
        actor.say("PASS secret");
        assert!(actor.session.has_mailbox());
        actor.asked.clear();
        actor
    }

    pub(crate) fn greeting(&mut self) -> String {
        self.feed(b"")
    }

    /// A line, and the whole reply to it.
    pub(crate) fn say(&mut self, line: &str) -> String {
        self.feed(format!("{line}\r\n").as_bytes())
    }

    /// Octets from the client, and everything that is written then.
    pub(crate) fn feed(&mut self, octets: &[u8]) -> String {
        self.unread.extend_from_slice(octets);
        let mut written = Vec::new();
        loop {
            let (_, output) = self.turn();
            self.largest_turn = self.largest_turn.max(output.len());
            written.extend_from_slice(&output);
            if !self.session.more() && !self.session.is_ready(&self.unread) {
                return String::from_utf8_lossy(&written).into_owned();
            }
        }
    }

    pub(crate) fn turn(&mut self) -> (usize, Vec<u8>) {
        let input = self.unread.clone().freeze();
        let is_ready = self.session.is_ready(&input);
        let consumed = self.session.receive(&input, self.now);
        assert!(consumed <= input.len());
        assert_eq!(consumed > 0, is_ready);
        let _ = self.unread.split_to(consumed);
        while let Some(event) = self.session.poll() {
            if let Some(verdict) = self.decide(event) {
                self.session.respond(verdict);
            }
        }
        let mut written = Vec::new();
        loop {
            let piece = self.session.output();
            if piece.is_empty() {
                return (consumed, written);
            }
            written.extend_from_slice(&piece);
        }
    }

    pub(crate) fn wait(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
        self.session.timeout(self.now);
    }

    fn decide(&mut self, event: Event) -> Option<Verdict> {
        Some(match event {
            Event::Login { name, password } => {
                self.asked.push(format!("login {name}"));
                self.login(&name, &password)
            }
            Event::Authenticate { mechanism, initial } => {
                self.asked
                    .push(format!("{mechanism} {:?}", initial.as_ref().map(said)));
                match (&*mechanism, initial) {
                    ("PLAIN", Some(response)) => self.plain(&response),
                    ("LOGIN", None) => Verdict::Challenge(Bytes::from_static(b"Username:")),
                    _ => Verdict::Challenge(Bytes::new()),
                }
            }
            Event::AuthenticateResponse(response) => {
                self.asked.push(format!("response {:?}", said(&response)));
                match response.expose() {
                    octets if octets == self.name.as_bytes() => {
                        Verdict::Challenge(Bytes::from_static(b"Password:"))
                    }
                    b"secret" => Verdict::Verified,
                    _ => self.plain(&response),
                }
            }
            Event::Open => {
                self.asked.push("open".into());
                match self.door {
                    Door::InUse => Verdict::InUse,
                    Door::AwayBehind => Verdict::Unavailable,
                    _ => Verdict::Opened(self.listing()),
                }
            }
            Event::Retrieve(wanted) => {
                let lines = wanted
                    .lines
                    .map(|lines| format!(" top {lines}"))
                    .unwrap_or_default();
                self.asked
                    .push(format!("part {} of {}{lines}", wanted.part, wanted.uid));
                assert_eq!(wanted.uid, wanted.number * 10);
                self.part(wanted.number, wanted.part)
            }
            Event::Update { removed } => {
                self.asked.push(format!("remove {removed:?}"));
                if self.update_fails {
                    Verdict::Unavailable
                } else {
                    Verdict::Updated
                }
            }
            Event::StartTls => {
                self.asked.push("tls".into());
                return None;
            }
        })
    }

    fn login(&self, name: &str, password: &Password) -> Verdict {
        let is_right = name == self.name && password.expose() == b"secret";
        match self.door {
            Door::Away => Verdict::Unavailable,
            _ if !is_right => Verdict::Refused,
            Door::Denied => Verdict::Denied,
            _ => Verdict::Verified,
        }
    }

    fn plain(&self, response: &Response) -> Verdict {
        let expected = format!("\0{}\0secret", self.name);
        match response.expose() {
            [] => Verdict::Malformed,
            octets if octets == expected.as_bytes() => Verdict::Verified,
            _ => Verdict::Refused,
        }
    }

    fn listing(&self) -> Maildrop {
        let sizes = self.mailbox.iter().map(|message| message.len() as u64);
        let messages = sizes.zip(1..).map(|(octets, number)| Message {
            uid: number * 10,
            octets,
        });
        Maildrop::new(1_700_000_000, messages.collect())
    }

    fn part(&self, number: u32, part: u32) -> Verdict {
        if self.lost_from.is_some_and(|from| part >= from) {
            return Verdict::Lost;
        }
        let Some(message) = self.mailbox.get(number as usize - 1) else {
            return Verdict::Lost;
        };
        if self.part_octets >= message.len() {
            return if part == 0 {
                Verdict::LastChunk(message.clone())
            } else {
                Verdict::End
            };
        }
        let start = (part as usize).saturating_mul(self.part_octets);
        if start >= message.len() {
            return Verdict::End;
        }
        let end = message.len().min(start + self.part_octets);
        Verdict::Chunk(message.slice(start..end))
    }
}
