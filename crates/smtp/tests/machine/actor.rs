//! A scripted actor and I/O task: what stands around the machine in the server, without a socket, a clock or a disk.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use message::ForwardPath;
use message::id::{AccountId, Id};
use message::time::Tick;
use smtp::reply::table;
use smtp::transcript::Accepted;
use smtp::{Event, Framing, Login, Reply, Session, Settings, Tls, Verdict};

pub(crate) const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

/// A number for every account, and one for every message.
pub(crate) type Machine = Session<u8, u64>;

pub(crate) struct Actor {
    pub(crate) session: Machine,
    pub(crate) accepted: Vec<Accepted>,
    /// Everything that was taken by the machine to be text, whatever became of it.
    pub(crate) dropped: usize,
    pub(crate) now: Tick,
    sent: Vec<u8>,
    unread: Bytes,
    written: Vec<u8>,
    blob: Vec<u8>,
    messages: u64,
    durable: BTreeSet<u64>,
    crash: Option<Crash>,
    /// What an exchange has said so far; lost in a crash.
    exchange: Option<Exchange>,
}

struct Exchange {
    mechanism: Arc<str>,
    said: Vec<Vec<u8>>,
}

#[derive(Clone, Copy)]
struct Crash {
    after_accept: bool,
}

impl Actor {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        let now = Tick::from_micros(1_000_000);
        let mut session = Session::greet(settings, PEER, None, now);
        let written = session.output().to_vec();
        Self {
            session,
            accepted: Vec::new(),
            dropped: 0,
            now,
            sent: Vec::new(),
            unread: Bytes::new(),
            written,
            blob: Vec::new(),
            messages: 0,
            durable: BTreeSet::new(),
            crash: None,
            exchange: None,
        }
    }

    /// What the server has written since it was last asked.
    pub(crate) fn written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.sent.extend_from_slice(octets);
    }

    /// Lets what was sent arrive in chunks of `chunk` octets.
    pub(crate) fn work(&mut self, chunk: usize) {
        let sent = std::mem::take(&mut self.sent);
        for chunk in sent.chunks(chunk) {
            self.arrive(chunk);
        }
    }

    /// Sends, lets it arrive at once, and gives what the server says.
    pub(crate) fn say(&mut self, octets: &[u8]) -> String {
        self.arrive(octets);
        String::from_utf8(self.written()).expect("replies are ASCII")
    }

    pub(crate) fn arrive(&mut self, chunk: &[u8]) {
        if self.session.ended() {
            return;
        }
        self.unread = [&*self.unread, chunk].concat().into();
        while self.session.is_ready(&self.unread) {
            match self.crash.take() {
                Some(crash) => self.die(crash),
                None => self.turn(),
            }
        }
        if self.session.ended() || self.session.framing() == Framing::Handshake {
            self.unread.clear();
        }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
        if self.now >= self.session.deadline() {
            self.session.timeout(self.now);
            while let Some(event) = self.session.poll() {
                self.decide(event);
            }
            self.written.extend(self.session.output());
        }
    }

    pub(crate) fn secure(&mut self) {
        assert_eq!(self.session.framing(), Framing::Handshake, "no handshake is due");
        let tls = Tls {
            version: "TLSv1.3".into(),
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            is_client_verified: false,
        };
        self.session.tls_established(tls, self.now);
    }

    pub(crate) fn crash_next(&mut self, after_accept: bool) {
        self.crash = Some(Crash { after_accept });
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.session.ended()
    }

    fn turn(&mut self) {
        let input = self.unread.clone();
        let consumed = self.work_on(&input);
        assert!(
            consumed > 0 && consumed <= input.len(),
            "ready, and yet nothing done"
        );
        self.unread.advance(consumed);
        let output = self.session.output();
        assert!(output.is_empty() || output.ends_with(b"\r\n"));
        self.written.extend(output);
        self.reread();
    }

    /// The turn that is never finished: of its effects only those on the store remain, if it came that far.
    fn die(&mut self, crash: Crash) {
        let checkpoint = self.session.clone();
        let framing = checkpoint.framing();
        let accepted = (self.accepted.len(), self.durable.clone());
        let input = self.unread.clone();
        self.work_on(&input);
        if !crash.after_accept {
            self.accepted.truncate(accepted.0);
            self.durable = accepted.1;
        }
        self.blob.clear();
        self.exchange = None;
        self.session = checkpoint.recover(framing, self.now);
    }

    fn work_on(&mut self, input: &Bytes) -> usize {
        let consumed = self.session.receive(input, self.now);
        while let Some(event) = self.session.poll() {
            if let Some(verdict) = self.decide(event) {
                self.session.respond(verdict);
            }
        }
        if !self.session.is_authenticating() {
            self.exchange = None;
        }
        consumed
    }

    /// A checkpoint that is written and read back is the same session.
    fn reread(&mut self) {
        let recipients = self.session.recipients().map_or(0, smtp::Recipients::len);
        if !self.session.is_between_commands() || recipients > 10 {
            return;
        }
        let bytes = postcard::to_stdvec(&self.session).expect("settled");
        let read: Machine = postcard::from_bytes(&bytes).expect("what was written is read");
        assert_eq!(postcard::to_stdvec(&read).expect("settled"), bytes);
        self.session = read;
    }

    fn decide(&mut self, event: Event) -> Option<Verdict<u8, u64>> {
        match event {
            Event::Mail(_) | Event::StartTls => Some(Verdict::Accept),
            Event::Recipient(named) => Some(route(&named.path)),
            Event::Xclient(told) => Some(match &told.login {
                None => Verdict::Accept,
                Some(name) if name.starts_with("alice") => Verdict::Authenticated(Login {
                    account: AccountId::new(Id::from_bytes([1; 16])),
                    name: (&**name).into(),
                    mechanism: "XCLIENT".into(),
                }),
                Some(_) => Verdict::Refuse(table::AUTH_FAILED),
            }),
            Event::Authenticate { mechanism, initial } => {
                assert!(self.exchange.is_none(), "an exchange in an exchange");
                self.exchange = Some(Exchange {
                    mechanism,
                    said: Vec::new(),
                });
                Some(self.exchange(initial.as_deref()))
            }
            Event::AuthenticateResponse(response) => Some(self.exchange(Some(&response))),
            Event::BodyBegin => {
                self.blob.clear();
                self.messages += 1;
                Some(Verdict::Open(self.messages))
            }
            Event::Body(text) => {
                assert!(!text.is_empty(), "a run without text");
                self.blob.extend_from_slice(&text);
                None
            }
            Event::BodyEnd { octets } => {
                assert_eq!(octets, self.blob.len() as u64);
                Some(self.accept())
            }
            Event::BodyDropped(_) => {
                self.blob.clear();
                self.dropped += 1;
                None
            }
            Event::BodyLost => {
                let is_durable = self
                    .session
                    .ticket()
                    .is_some_and(|ticket| self.durable.contains(ticket));
                Some(if is_durable {
                    Verdict::Accept
                } else {
                    Verdict::Refuse(table::LOCAL_ERROR)
                })
            }
        }
    }

    /// PLAIN and LOGIN: everybody's password is "secret".
    fn exchange(&mut self, response: Option<&[u8]>) -> Verdict<u8, u64> {
        let exchange = self.exchange.as_mut().expect("an exchange");
        exchange.said.extend(response.map(<[u8]>::to_vec));
        let said: Vec<_> = exchange.said.iter().map(Vec::as_slice).collect();
        let (name, password) = match (&*exchange.mechanism, &*said) {
            ("PLAIN", []) => return Verdict::Challenge(Bytes::new()),
            ("PLAIN", [all]) => match *all.split(|octet| *octet == 0).collect::<Vec<_>>() {
                [_, name, password] => (name, password),
                _ => return Verdict::Refuse(table::AUTH_FAILED),
            },
            ("LOGIN", []) => return Verdict::Challenge(Bytes::from_static(b"User Name\0")),
            ("LOGIN", [_]) => return Verdict::Challenge(Bytes::from_static(b"Password\0")),
            ("LOGIN", [name, password]) => (*name, *password),
            _ => return Verdict::Refuse(table::AUTH_TEMPORARY_FAILURE),
        };
        if password != b"secret" {
            return Verdict::Refuse(table::AUTH_FAILED);
        }
        Verdict::Authenticated(Login {
            account: AccountId::new(Id::from_bytes([1; 16])),
            name: String::from_utf8_lossy(name).into(),
            mechanism: Arc::clone(&exchange.mechanism),
        })
    }

    fn accept(&mut self) -> Verdict<u8, u64> {
        let recipients = self.session.recipients().expect("a transaction").in_order();
        self.accepted.push(Accepted {
            reverse_path: self.session.reverse_path().expect("a transaction").to_string(),
            recipients: recipients
                .iter()
                .map(|recipient| recipient.named.original.to_string())
                .collect(),
            text: std::mem::take(&mut self.blob),
        });
        let ticket = *self.session.ticket().expect("a body");
        self.durable.insert(ticket);
        Verdict::AcceptWith(Reply::new(
            250,
            smtp::Enhanced(2, 0, 0),
            &format!("Accepted as {ticket}"),
        ))
    }
}

/// example.org has three accounts and one that is full; no other domain is ours.
fn route(path: &ForwardPath) -> Verdict<u8, u64> {
    let key = match path {
        ForwardPath::Postmaster => return Verdict::Route(0),
        ForwardPath::Address(address) => address.lookup_key(),
    };
    match key.rsplit_once('@') {
        Some(("postmaster", "example.org")) => Verdict::Route(0),
        Some(("alice", "example.org")) => Verdict::Route(1),
        Some(("bob", "example.org")) => Verdict::Route(2),
        Some(("full", "example.org")) => Verdict::Refuse(table::MAILBOX_FULL),
        Some((_, "example.org")) => Verdict::Refuse(table::NO_SUCH_MAILBOX),
        _ => Verdict::Refuse(table::RELAY_DENIED),
    }
}
