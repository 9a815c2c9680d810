//! Session: the protocol state of one POP3 connection (RFC 1939 §4-§6).
//!
//! One turn of its actor is at most one command line, or one more piece of a long reply:
//!
//! 1. [`Session::receive`] with the unread input. It takes one line at most, and none while a long reply runs.
//! 2. [`Session::poll`] until there is no event, each answered with [`Session::respond`].
//! 3. [`Session::output`] until it is empty; that is to be written.
//! 4. [`Session::ended`]: close the connection. [`Session::more`]: another turn once this output is written.
//!    [`Session::is_ready`]: another turn at once. Otherwise: read first.
//!
//! A clone of the session after a turn is the checkpoint of that turn. When the actor died between two turns, the
//! checkpoint simply goes on, even within a reply; when it died in a turn, [`Session::recover`].

mod authorization;
mod exchange;
mod streaming;
mod transaction;

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use message::Tick;
use serde::{Deserialize, Serialize};

use self::exchange::Exchange;
use self::streaming::{Listing, Retrieval};
use self::transaction::Transaction;
use crate::checkpoint::{self, Format};
use crate::command::{Command, Fault};
use crate::event::{Event, Verdict};
use crate::line::{Line, LineReader};
use crate::output::Output;
use crate::sasl;
use crate::settings::{Settings, Tls};

/// Octets of output after which a turn ends; it may exceed them by one line of a listing, or by one chunk of a message
/// and the dots that it needs.
pub const TURN_OCTETS: usize = 64 * 1024;

/// What a connection is told that cannot be served now, in place of a greeting.
pub const TOO_BUSY: &[u8] = b"-ERR [SYS/TEMP] too busy, try again later\r\n";

const NOT_NOW: &str = "-ERR [SYS/TEMP] not possible now, try again later";

/// The state of one connection. Cheap to clone at a command boundary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    format: Format,
    #[serde(with = "checkpoint::shared")]
    settings: Arc<Settings>,
    state: State,
    tls: Tls,
    /// Whether the client has proved itself in the handshake.
    client_verified: bool,
    line: LineReader,
    tally: Tally,
    failed_logins: u32,
    started: Tick,
    /// When the client last did something.
    active: Tick,
    /// Whether the next line is the one that crashed the session that this one continues.
    crashed: bool,
    #[serde(skip)]
    output: Output,
    #[serde(skip)]
    event: Option<Event>,
}

impl Session {
    /// Greets a client that has just connected.
    #[must_use]
    pub fn greet(settings: Arc<Settings>, now: Tick) -> Self {
        let mut output = Output::default();
        // No timestamp in angle brackets: that would offer APOP (RFC 1939 §7).
        let hostname: String = settings
            .hostname
            .chars()
            .filter(|c| !matches!(c, '<' | '>'))
            .collect();
        output.line(&format!("+OK {hostname} POP3 ready"));
        Self {
            format: Format,
            tls: settings.tls,
            client_verified: false,
            settings,
            state: State::Authorization { user: None },
            line: LineReader::default(),
            tally: Tally::default(),
            failed_logins: 0,
            started: now,
            active: now,
            crashed: false,
            output,
            event: None,
        }
    }

    /// Continues from the last checkpoint of a session whose actor crashed in the turn after it.
    ///
    /// The next line is the one that crashed it: it is taken and answered with an error, unread. A reply that was being
    /// sent cannot be continued, and the client must not take it for whole: then the session has ended. The lock of the
    /// mailbox is gone with the old actor: when [`Session::has_mailbox`], take it again or say [`Session::farewell`].
    #[must_use]
    pub fn recover(checkpoint: Self, now: Tick) -> Self {
        let state = match checkpoint.state {
            state @ (State::Authorization { .. } | State::Transaction(_) | State::Handshake) => state,
            State::Exchange(_) => State::Exchange(Exchange::Lost),
            _ => State::Closed,
        };
        // No line has crashed a session that waits for TLS; in an exchange the next line is a response, whatever crashed.
        let crashed = matches!(state, State::Authorization { .. } | State::Transaction(_));
        Self {
            state,
            crashed,
            active: now,
            output: Output::default(),
            event: None,
            ..checkpoint
        }
    }

    /// Takes at most one command line from the beginning of `input`, or sends more of a reply that is running. Returns
    /// how many octets of `input` are done with; 0 when there is no whole line yet, or none is wanted now.
    ///
    /// A line that is too long is taken as it comes, so that no more than [`Settings::line_limit`] octets of input ever
    /// need to be kept.
    pub fn receive(&mut self, input: &Bytes, now: Tick) -> usize {
        match self.state {
            State::Authorization { .. } | State::Transaction(_) => self.receive_line(input, now),
            State::Exchange(_) => self.receive_response(input, now),
            State::Listing(..) | State::Retrieving(..) => {
                self.active = now;
                self.proceed();
                0
            }
            State::Verifying | State::Authenticating | State::Opening | State::Updating => 0,
            // What was sent behind STLS in clear text may be anybody's (RFC 2595 §4), what comes behind QUIT is nobody's.
            State::Handshake | State::Closed => input.len(),
        }
    }

    /// Whether [`Session::receive`] would do something with this unread input.
    #[must_use]
    pub fn is_ready(&self, input: &[u8]) -> bool {
        match self.state {
            State::Authorization { .. } | State::Transaction(_) => {
                self.line.is_ready(input, self.settings.line_limit)
            }
            State::Exchange(_) => self.line.is_ready(input, sasl::RESPONSE_LIMIT),
            State::Handshake | State::Closed => !input.is_empty(),
            State::Verifying
            | State::Authenticating
            | State::Opening
            | State::Listing(..)
            | State::Retrieving(..)
            | State::Updating => false,
        }
    }

    /// What the actor is asked, if anything.
    pub fn poll(&mut self) -> Option<Event> {
        self.event.take()
    }

    /// Answers the event that was polled last.
    pub fn respond(&mut self, verdict: Verdict) {
        match (mem::replace(&mut self.state, State::Closed), verdict) {
            (State::Authenticating, Verdict::Challenge(octets)) => self.challenge(&octets),
            (State::Authenticating, Verdict::Malformed) => self.malformed(),
            (State::Verifying | State::Authenticating, Verdict::Verified) => self.verified(),
            (State::Verifying | State::Authenticating, Verdict::Refused) => self.login_refused(),
            (State::Verifying | State::Authenticating, Verdict::Denied) => {
                self.login_failed("-ERR [SYS/PERM] this account may not use POP3");
            }
            (State::Verifying | State::Authenticating | State::Opening, Verdict::Unavailable) => {
                self.login_failed(NOT_NOW);
            }
            (State::Opening, Verdict::InUse) => {
                self.login_failed("-ERR [IN-USE] another session has this mailbox");
            }
            (State::Opening, Verdict::Opened(maildrop)) => self.opened(maildrop),
            (State::Retrieving(transaction, retrieval), verdict) => {
                self.supplied(transaction, retrieval, verdict)
            }
            (State::Updating, Verdict::Updated) => self.goodbye(),
            (State::Updating, Verdict::Unavailable) => self.not_updated(),
            // An answer to a question that was not asked, or that a timeout has overtaken: nothing that could be said is
            // known to be true.
            _ => {}
        }
    }

    /// The next piece of what is to be written; empty when there is none.
    pub fn output(&mut self) -> Bytes {
        self.output.take()
    }

    /// Whether there is more to write: output that was not fetched, or a reply that another turn continues.
    #[must_use]
    pub fn more(&self) -> bool {
        let continues = match &self.state {
            State::Listing(..) => true,
            State::Retrieving(_, retrieval) => !retrieval.is_waiting(),
            _ => false,
        };
        continues || self.output.octets() > 0
    }

    /// When [`Session::timeout`] is due.
    #[must_use]
    pub fn deadline(&self) -> Tick {
        let session = self.started + self.settings.session_timeout;
        let login = if self.has_mailbox() {
            Tick::MAX
        } else {
            self.started + self.settings.login_timeout
        };
        let idle = self.active + self.settings.idle_timeout;
        session.min(login).min(idle)
    }

    /// Ends the session if its deadline is over: without a word and without removing a message (RFC 1939 §3).
    pub fn timeout(&mut self, now: Tick) {
        if now >= self.deadline() {
            self.state = State::Closed;
            self.event = None;
        }
    }

    /// The connection is under TLS now; whether the client has proved itself by a certificate is the caller's to know.
    /// What the client said before is forgotten (RFC 2595 §4).
    pub fn tls_established(&mut self, client_verified: bool) {
        self.client_verified = client_verified;
        if matches!(self.state, State::Handshake) {
            self.tls = Tls::Active;
            self.line = LineReader::default();
            self.state = State::Authorization { user: None };
        }
    }

    /// Ends the session from our side. The client is told `text`, behind `-ERR [SYS/TEMP] ` and made one line, unless
    /// that would fall into a running reply. No message is removed.
    pub fn farewell(&mut self, text: &str) {
        let may_speak = matches!(
            self.state,
            State::Authorization { .. } | State::Exchange(_) | State::Transaction(_)
        );
        if may_speak {
            self.output.line(&format!("-ERR [SYS/TEMP] {text}"));
        }
        self.state = State::Closed;
        self.event = None;
    }

    /// Whether the connection is to be closed once the output is written.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether no command is half done, so that the session may end here without anyone taking a part for the whole.
    #[must_use]
    pub fn is_between_commands(&self) -> bool {
        matches!(
            self.state,
            State::Authorization { .. } | State::Transaction(_) | State::Handshake | State::Closed
        )
    }

    /// What the client has done wrong.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Whether a mailbox is open, so that its lock must be held.
    #[must_use]
    pub fn has_mailbox(&self) -> bool {
        matches!(
            self.state,
            State::Transaction(_) | State::Listing(..) | State::Retrieving(..) | State::Updating
        )
    }

    fn receive_line(&mut self, input: &[u8], now: Tick) -> usize {
        let (line, consumed) = self.line.read(input, self.settings.line_limit);
        let Some(line) = line else {
            return consumed;
        };
        self.active = now;
        if mem::take(&mut self.crashed) {
            self.output.line(NOT_NOW);
            return consumed;
        }
        match line {
            Line::Whole(line) => match Command::parse(line) {
                Ok(command) => self.obey(command),
                Err(Fault::Octets) => self.fault("-ERR only printable ASCII is allowed"),
                Err(Fault::Unknown) => {
                    self.tally.unknown_commands += 1;
                    self.fault("-ERR unknown command");
                }
                Err(Fault::Arguments) => self.fault("-ERR wrong arguments"),
            },
            Line::BareNewline => self.fault("-ERR lines must end with CRLF"),
            Line::TooLong => self.fault("-ERR line too long"),
            Line::Flood => self.flood(),
        }
        consumed
    }

    /// The table of the protocol. RFC 1939 §4, §5, §7; RFC 2449 §5; RFC 2595 §4; RFC 5034 §4.
    fn obey(&mut self, command: Command<'_>) {
        match (&mut self.state, command) {
            (_, Command::Capa) => self.capa(),

            (State::Authorization { .. }, Command::Auth { mechanism, initial }) => {
                self.auth(mechanism, initial);
            }
            (State::Authorization { .. }, Command::User(name)) => self.user(name),
            (State::Authorization { .. }, Command::Pass(password)) => self.pass(password),
            (State::Authorization { .. }, Command::Stls) => self.stls(),
            (State::Authorization { .. }, Command::Quit) => self.goodbye(),

            (State::Transaction(_), Command::Stat) => self.stat(),
            (State::Transaction(_), Command::List(None)) => self.list(Listing::sizes()),
            (State::Transaction(_), Command::List(Some(number))) => self.list_one(number),
            (State::Transaction(_), Command::Uidl(None)) => self.list(Listing::unique_ids()),
            (State::Transaction(_), Command::Uidl(Some(number))) => self.uidl_one(number),
            (State::Transaction(_), Command::Retr(number)) => self.retrieve(number, None),
            (State::Transaction(_), Command::Top { number, lines }) => self.retrieve(number, Some(lines)),
            (State::Transaction(_), Command::Dele(number)) => self.dele(number),
            (State::Transaction(_), Command::Rset) => self.rset(),
            (State::Transaction(_), Command::Noop) => self.output.line("+OK"),
            (State::Transaction(_), Command::Quit) => self.quit(),

            _ => self.fault("-ERR not possible in this state"),
        }
    }

    fn fault(&mut self, text: &str) {
        self.tally.errors += 1;
        if self.tally.errors >= self.settings.error_limit {
            return self.close_with("-ERR too many errors, closing connection");
        }
        self.output.line(text);
    }

    fn flood(&mut self) {
        self.tally.errors += 1;
        self.close_with("-ERR line too long, closing connection");
    }

    fn close_with(&mut self, text: &str) {
        self.output.line(text);
        self.state = State::Closed;
    }
}

/// What a client has done wrong, against the protocol. Passwords that are wrong are no part of it, nor are messages that
/// are not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Lines that were refused, those that are no command among them.
    pub errors: u32,
    /// Lines that are no command of ours.
    pub unknown_commands: u32,
}

/// Where a session is.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum State {
    /// RFC 1939 §4; `user` is what USER said last.
    Authorization { user: Option<Box<str>> },
    /// PASS was said; is it right?
    Verifying,
    /// AUTH was said, or a response; what follows?
    Authenticating,
    /// The next line is a response. RFC 5034 §4
    Exchange(Exchange),
    /// The mailbox is being locked and listed.
    Opening,
    /// STLS was answered; TLS does not run yet.
    Handshake,
    /// RFC 1939 §5.
    Transaction(Transaction),
    /// LIST or UIDL is being answered.
    Listing(Transaction, Listing),
    /// RETR or TOP is being answered.
    Retrieving(Transaction, Retrieval),
    /// RFC 1939 §6: messages are being removed.
    Updating,
    /// Nothing more is read.
    Closed,
}
