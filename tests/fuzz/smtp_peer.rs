//! The other side of the SMTP machine: it answers what the machine asks as a server of example.org would that has alice.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use message::time::Tick;
use message::{AccountId, ForwardPath};
use smtp::reply::table;
use smtp::{Event, Framing, Login, Response, Session, Settings, Verdict};

/// Octets that may wait for the rest of their line.
const MAX_UNREAD: usize = 16 * 1024;

pub(crate) struct Peer {
    session: Session<u8, u64>,
    unread: Bytes,
    body: Vec<u8>,
    bodies: u64,
    pub(crate) said: String,
    /// The text of each message that was accepted.
    pub(crate) accepted: Vec<Vec<u8>>,
    /// What came behind AUTH and its challenges, decoded.
    pub(crate) responses: Vec<Vec<u8>>,
}

impl Peer {
    pub(crate) fn new(settings: Settings) -> Self {
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
        let mut session = Session::greet(Arc::new(settings), peer, None, Tick::ZERO);
        let greeting = session.output();
        Self {
            session,
            unread: Bytes::new(),
            body: Vec::new(),
            bodies: 0,
            said: String::from_utf8(greeting.to_vec()).expect("replies are ASCII"),
            accepted: Vec::new(),
            responses: Vec::new(),
        }
    }

    pub(crate) fn hear(&mut self, octets: &[u8]) {
        if self.session.ended() || self.session.framing() == Framing::Handshake {
            return;
        }
        self.unread = [&*self.unread, octets].concat().into();
        while self.session.is_ready(&self.unread) {
            let consumed = self.session.receive(&self.unread, Tick::ZERO);
            while let Some(event) = self.session.poll() {
                if let Some(verdict) = self.decide(event) {
                    self.session.respond(verdict);
                }
            }
            assert!(
                consumed > 0 && consumed <= self.unread.len(),
                "ready, and nothing done"
            );
            self.unread.advance(consumed);
            let output = self.session.output();
            self.said
                .push_str(std::str::from_utf8(&output).expect("replies are ASCII"));
        }
        if self.session.ended() || self.session.framing() == Framing::Handshake {
            self.unread.clear();
        }
        assert!(
            self.unread.len() <= MAX_UNREAD,
            "{} octets wait",
            self.unread.len()
        );
    }

    fn decide(&mut self, event: Event) -> Option<Verdict<u8, u64>> {
        match event {
            Event::Mail(_) | Event::StartTls | Event::Xclient(_) => Some(Verdict::Accept),
            Event::Recipient(named) => Some(match &named.path {
                ForwardPath::Postmaster => Verdict::Route(0),
                ForwardPath::Address(address) if address.lookup_key() == "alice@example.org" => {
                    Verdict::Route(1)
                }
                ForwardPath::Address(_) => Verdict::Refuse(table::NO_SUCH_MAILBOX),
            }),
            Event::BodyBegin => {
                self.body.clear();
                self.bodies += 1;
                Some(Verdict::Open(self.bodies))
            }
            Event::Body(text) => {
                self.body.extend_from_slice(&text);
                None
            }
            Event::BodyEnd { octets } => {
                assert_eq!(octets, self.body.len() as u64);
                self.accepted.push(std::mem::take(&mut self.body));
                Some(Verdict::Accept)
            }
            Event::BodyDropped(_) => {
                self.body.clear();
                None
            }
            Event::Authenticate { initial: None, .. } => Some(Verdict::Challenge(Bytes::from_static(b"?"))),
            Event::Authenticate {
                initial: Some(response),
                ..
            }
            | Event::AuthenticateResponse(response) => Some(self.judge(&response)),
            Event::BodyLost => Some(Verdict::Refuse(table::LOCAL_ERROR)),
        }
    }

    /// What begins with NUL, as PLAIN without an authorization identity does, is right; what is empty is wrong; behind
    /// anything else comes another challenge.
    fn judge(&mut self, response: &Response) -> Verdict<u8, u64> {
        self.responses.push(response.to_vec());
        match response.first() {
            Some(0) => Verdict::Authenticated(Login {
                account: AccountId::from_bytes([0; 16]),
                name: "alice@example.org".into(),
                mechanism: "PLAIN".into(),
            }),
            Some(_) => Verdict::Challenge(Bytes::from_static(b"?")),
            None => Verdict::Refuse(table::AUTH_FAILED),
        }
    }
}

/// Every reply is lines of a code and printable text, ended as they must be.
pub(crate) fn check_replies(said: &str) {
    assert!(said.ends_with("\r\n"), "a reply without end: {said:?}");
    for line in said.split_terminator("\r\n") {
        let code: u16 = line
            .get(..3)
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        assert!((200..600).contains(&code), "no code: {line:?}");
        assert!(matches!(line.as_bytes().get(3), Some(b' ' | b'-')), "{line:?}");
        // RFC 5321 §4.5.3.1.5
        assert!(line.len() <= 510, "a reply of {} octets", line.len());
        assert!(line.bytes().all(|octet| (32..127).contains(&octet)), "{line:?}");
    }
}
