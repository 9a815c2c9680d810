//! Session: the server half of one SMTP connection (RFC 5321), without its socket, its clock and its directory.
//!
//! The table of the protocol is [`Session::obey`]; each arm calls one function of the file of its command group. What
//! the machine cannot know it asks with an [`Event`], and does nothing until the [`Verdict`] is there.

mod auth;
mod body;
mod chunk;
mod courtesy;
mod event;
mod greeting;
mod hello;
mod mail;
mod output;
mod recovery;
mod state;
mod turn;
mod verdict;
mod version;
mod xclient;

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use message::ReversePath;
use message::received::{Greeting, With};
use message::time::Tick;
use serde::{Deserialize, Serialize};

pub use self::event::{BodyLoss, Event, Verdict};
pub use self::state::{Hello, Mail, Tally, Tls};

use self::state::{Fate, Rest, State};
use self::turn::{Question, Turn};
use self::version::Version;
use crate::command::{Command, Grammar, is_bdat};
use crate::framing::Framing;
use crate::framing::line::{self, Found, Skip, Skipped};
use crate::recipients::Recipients;
use crate::reply::{Reply, table};
use crate::sasl::Login;
use crate::settings::{Mode, Settings};
use crate::shared;

/// One session. `R` is the caller's decision on where a recipient's mail goes, `T` what it keeps of a message while
/// its body comes in: ids, for instance, by which it can ask later what became of the message.
///
/// A clone is a checkpoint, in constant time whatever the number of recipients. The serialized form has a version and
/// is to be had only between two turns; it carries the settings, because what EHLO promised must be kept. Whoever
/// reads one back goes on with [`Session::recover`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session<R, T> {
    version: Version,
    #[serde(with = "shared")]
    settings: Arc<Settings>,
    peer: IpAddr,
    /// Whether a proxy has told who the peer is.
    is_proxied: bool,
    #[serde(with = "shared::option")]
    tls: Option<Arc<Tls>>,
    #[serde(with = "shared::option")]
    login: Option<Arc<Login>>,
    state: State<R, T>,
    /// What is answered already and has not come to its end.
    rest: Option<Rest>,
    /// The next command line is the one that brought the session down before.
    suspicious: bool,
    tally: Tally,
    /// How many there were in this session.
    transactions: u32,
    deadline: Tick,
    /// When the session must have ended.
    until: Tick,
    #[serde(with = "turn::settled")]
    turn: Turn,
}

impl<R, T> Session<R, T> {
    /// A session with a client that has just connected. Its output begins with the greeting, unless the settings ask for a
    /// silence before it: then the greeting comes with [`Session::timeout`]. `tls` is set if the connection is encrypted
    /// from its first octet.
    #[must_use]
    pub fn greet(settings: Arc<Settings>, peer: IpAddr, tls: Option<Tls>, now: Tick) -> Self {
        let mut session = Self {
            version: Version,
            peer,
            is_proxied: false,
            tls: tls.map(Arc::new),
            login: None,
            state: State::Silent,
            rest: None,
            suspicious: false,
            tally: Tally::default(),
            transactions: 0,
            deadline: Tick::ZERO,
            until: now + settings.timeouts.session_total,
            turn: Turn::default(),
            settings,
        };
        session.begin(now);
        session
    }

    /// Takes at most one command line, or one run of body octets, from the beginning of `input`, and says how many
    /// octets are done with. 0 while the line is not whole, while a question or its events wait, and after the end.
    pub fn receive(&mut self, input: &Bytes, now: Tick) -> usize {
        if input.is_empty() || self.turn.is_busy() {
            return 0;
        }
        self.turn.now = now;
        match self.framing() {
            Framing::Line if self.ended() => 0,
            Framing::Line if self.is_silent() => self.receive_early(input),
            Framing::Line => self.receive_line(input, now),
            Framing::Response => self.receive_response(input, now),
            Framing::Skip(skip) => self.receive_rest(skip, input, now),
            Framing::Data(_) => self.receive_body(input, now),
            Framing::Chunk { .. } => self.receive_chunk(input, now),
            Framing::Handshake => 0,
        }
    }

    /// What the caller must do or decide next. Those that ask are answered with [`Session::respond`].
    pub fn poll(&mut self) -> Option<Event> {
        self.turn.next_event()
    }

    /// What is to be written; the session forgets it.
    pub fn output(&mut self) -> Bytes {
        self.turn.output.take()
    }

    /// What the next octets of the connection are.
    #[must_use]
    pub fn framing(&self) -> Framing {
        match (&self.state, self.rest) {
            (State::Body(_, _, body), _) => body.frame.framing(),
            (State::Handshake, _) => Framing::Handshake,
            (_, Some(Rest::Line(skip))) => Framing::Skip(skip),
            (_, Some(Rest::Chunk { left })) => Framing::Chunk { left },
            (State::Exchange(..), None) => Framing::Response,
            (_, None) => Framing::Line,
        }
    }

    /// Whether `unread` holds anything that [`Session::receive`] could act on.
    #[must_use]
    pub fn is_ready(&self, unread: &[u8]) -> bool {
        match self.state {
            State::Ended => false,
            State::Silent => !unread.is_empty(),
            _ => self.framing().is_ready(unread, self.settings.command_line()),
        }
    }

    /// Whether nothing is lost if the connection ends now: no body is on its way and no verdict is awaited.
    #[must_use]
    pub const fn is_between_commands(&self) -> bool {
        self.state.body().is_none() && self.turn.question.is_none()
    }

    /// When the client must have done its part.
    #[must_use]
    pub const fn deadline(&self) -> Tick {
        self.deadline
    }

    /// Ends the session with 421 4.4.2 if its deadline has passed, or greets if that was what it waited for. A body on its way is given up with an event.
    pub fn timeout(&mut self, now: Tick) {
        if now < self.deadline || self.ended() {
            return;
        }
        if self.is_silent() {
            return self.greet_now(now);
        }
        self.give_up_body(BodyLoss::TimedOut);
        self.close(table::TIMED_OUT);
    }

    /// Ends the session with a last reply, which should be a 421: the server is going down, or a command has crashed
    /// the session twice. Whoever says it deals with a body on its way.
    pub fn farewell(&mut self, reply: Reply) {
        if self.ended() {
            return;
        }
        self.turn.question = None;
        self.close(reply);
    }

    /// Whether the connection is to be closed when the output is written.
    #[must_use]
    pub const fn ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    const fn is_silent(&self) -> bool {
        matches!(self.state, State::Silent)
    }

    /// Goes on under other settings from the next command.
    pub fn configure(&mut self, settings: Arc<Settings>) {
        self.settings = settings;
    }

    /// The settings in force.
    #[must_use]
    pub const fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The address of the client, as the socket knows it or a trusted proxy has told.
    #[must_use]
    pub const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// What the client has done since its last accepted message.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// What was negotiated, if the connection is encrypted.
    #[must_use]
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// What the client said in EHLO or HELO.
    #[must_use]
    pub const fn hello(&self) -> Option<&Hello> {
        self.state.hello()
    }

    /// The protocol for the `with` clause of a Received field: of the session, and of its transaction if one is open.
    #[must_use]
    pub fn protocol(&self) -> With {
        let greeting = match self.hello() {
            _ if self.settings.mode == Mode::Lmtp => Greeting::Lhlo,
            Some(hello) if hello.esmtp => Greeting::Ehlo,
            _ => Greeting::Helo,
        };
        let utf8 = self.mail().is_some_and(|mail| mail.options.utf8);
        With::of(greeting, self.tls.is_some(), self.login.is_some(), utf8)
    }

    /// What MAIL said, while a transaction is open.
    #[must_use]
    pub fn mail(&self) -> Option<&Mail> {
        self.state.transaction().map(|transaction| &*transaction.mail)
    }

    /// The reverse-path, while a transaction is open.
    #[must_use]
    pub fn reverse_path(&self) -> Option<&ReversePath> {
        self.mail().map(|mail| &mail.reverse_path)
    }

    /// The recipients that were accepted, while a transaction is open.
    #[must_use]
    pub fn recipients(&self) -> Option<&Recipients<R>> {
        self.state
            .transaction()
            .map(|transaction| &transaction.recipients)
    }

    /// What the caller keeps of the message whose body is on its way, also after the body was lost in a crash.
    #[must_use]
    pub const fn ticket(&self) -> Option<&T> {
        match self.state.body() {
            Some(body) => match &body.fate {
                Fate::Kept(ticket) | Fate::Lost(Some(ticket)) => Some(ticket),
                Fate::Lost(None) | Fate::Refused(_) | Fate::Spoiled { .. } => None,
            },
            None => None,
        }
    }

    fn receive_line(&mut self, input: &Bytes, now: Tick) -> usize {
        let limit = line::limit(input, self.settings.command_line());
        match line::find(input, limit) {
            Found::Partial => 0,
            Found::Line { length } => {
                let consumed = length + LINE_END;
                self.turn.has_more = consumed < input.len();
                self.await_command(now);
                self.take_line(input.get(..length).unwrap_or_default());
                // What stands behind QUIT is nobody's; what stands behind STARTTLS came in clear.
                if self.ended() || matches!(self.turn.question, Some(Question::StartTls)) {
                    return input.len();
                }
                consumed
            }
            // What follows a BDAT is no command, wherever its line ends.
            Found::BareLineFeed { .. } | Found::TooLong { .. } if is_bdat(input) => {
                self.refuse(table::BAD_ARGUMENT);
                self.close(table::UNCOUNTED);
                input.len()
            }
            Found::BareLineFeed { length } => {
                self.skip_line(table::BARE_LINE_FEED, Skip::start(), length, now)
            }
            Found::TooLong { length, skip } if line::is_auth(input) => {
                self.skip_line(table::AUTH_LINE_TOO_LONG, skip, length, now)
            }
            Found::TooLong { length, skip } => self.skip_line(table::LINE_TOO_LONG, skip, length, now),
        }
    }

    /// Refuses a line before its end has come.
    fn skip_line(&mut self, reply: Reply, skip: Skip, consumed: usize, now: Tick) -> usize {
        self.await_command(now);
        self.suspicious = false;
        self.rest = Some(Rest::Line(skip));
        match self.exceeded() {
            Some(farewell) => self.close(farewell),
            None => self.refuse(reply),
        }
        consumed
    }

    fn receive_rest(&mut self, skip: Skip, input: &Bytes, now: Tick) -> usize {
        match skip.discard(input) {
            Skipped::More(skip) => {
                self.rest = Some(Rest::Line(skip));
                input.len()
            }
            Skipped::Ended { length } => {
                self.rest = None;
                self.await_command(now);
                length
            }
            Skipped::Endless => {
                self.close(table::ENDLESS_LINE);
                input.len()
            }
        }
    }

    fn take_line(&mut self, line: &[u8]) {
        if std::mem::take(&mut self.suspicious) {
            return self.pass_over(line);
        }
        if let Some(farewell) = self.exceeded() {
            return self.close(farewell);
        }
        self.obey(Command::parse(line, self.grammar()));
        if self.turn.has_more && Command::is_followed_by_text(line) && !self.takes_text() {
            self.close(table::UNSYNCHRONIZED);
        }
    }

    /// What the client may say now.
    fn grammar(&self) -> Grammar<'_> {
        Grammar {
            offers: &self.settings.offers,
            extended: self.hello().is_none_or(|hello| hello.esmtp),
            encrypted: self.tls.is_some(),
            auth: self.login.is_some() || self.offered().next().is_some(),
            utf8: self.mail().is_some_and(|mail| mail.options.utf8),
        }
    }

    /// The table of the protocol: what may come when. RFC 5321 §4.1.4
    fn obey(&mut self, command: Command<'_>) {
        match (&self.state, command) {
            (State::Silent | State::Body(..) | State::Exchange(..) | State::Handshake | State::Ended, _) => {}
            (_, Command::Malformed(reply)) => self.refuse(reply),
            (_, Command::NotImplemented) => self.refuse(table::NOT_IMPLEMENTED),
            (_, Command::Uncounted(reply)) => {
                self.refuse(reply);
                self.close(table::UNCOUNTED);
            }
            (_, Command::Chunk(chunk)) => self.chunk(chunk),
            (_, Command::Xclient(told)) => self.xclient(told),
            (_, Command::Foreign) => self.close(table::NOT_SMTP),
            (_, Command::Hello { name, greeting }) => self.hello_from(name, greeting),
            (_, Command::Noop) => self.noop(),
            (_, Command::Help) => self.help(),
            (_, Command::Verify) => self.verify(),
            (_, Command::Reset) => self.reset(),
            (_, Command::Quit) => self.quit(),
            (State::Greeted, Command::StartTls | Command::Auth { .. } | Command::Mail(..)) => {
                self.refuse(table::HELLO_FIRST)
            }
            (State::Greeted, Command::Recipient(_) | Command::Data) => self.refuse(table::HELLO_FIRST),
            (State::Ready(_) | State::Mail(..), Command::StartTls) => self.start_tls(),
            (State::Ready(_), Command::Auth { mechanism, initial }) => self.authenticate(mechanism, initial),
            (State::Mail(..), Command::Auth { .. }) => self.refuse(table::AUTH_IN_TRANSACTION),
            (State::Ready(_), Command::Mail(path, parameters)) => self.mail_from(path, parameters),
            (State::Ready(_), Command::Recipient(_) | Command::Data) => self.refuse(table::MAIL_FIRST),
            (State::Mail(..) | State::Chunks(..), Command::Mail(..)) => self.refuse(table::MAIL_GIVEN),
            (
                State::Chunks(..),
                Command::Recipient(_) | Command::Data | Command::StartTls | Command::Auth { .. },
            ) => self.refuse(table::CHUNKS_BEGUN),
            (State::Mail(_, transaction), Command::Recipient(named)) => {
                let count = transaction.recipients.len();
                self.recipient(named, count);
            }
            (State::Mail(_, transaction), Command::Data) => {
                let is_empty = transaction.recipients.is_empty();
                self.data(is_empty);
            }
        }
    }

    /// Whether the client may send the text of a message now, or will be told so.
    const fn takes_text(&self) -> bool {
        matches!(self.state, State::Body(..) | State::Ended)
            || matches!(self.turn.question, Some(Question::BodyBegin(_)))
    }

    /// The 421 for a client that has gone too far, and one command more to the tally.
    fn exceeded(&mut self) -> Option<Reply> {
        let Tally {
            errors,
            unknown_commands,
            refused_recipients,
            deferred_recipients,
            commands,
            ..
        } = self.tally;
        if errors >= self.settings.max_errors
            || unknown_commands >= self.settings.max_unknown_commands
            || refused_recipients >= self.settings.max_refused_recipients
        {
            return Some(table::TOO_MANY_ERRORS);
        }
        if deferred_recipients as usize / PATIENCE >= self.settings.max_recipients {
            return Some(table::TOO_MANY_DEFERRED);
        }
        if commands >= self.settings.max_commands_without_mail {
            return Some(table::TOO_MANY_COMMANDS);
        }
        self.tally.commands += 1;
        None
    }

    fn await_command(&mut self, now: Tick) {
        // A message that has begun may still be finished.
        let until = match &self.state {
            State::Chunks(_, _, body) => body.until,
            _ => self.until,
        };
        self.deadline = (now + self.settings.timeouts.command).min(until);
    }

    fn say(&mut self, reply: Reply) {
        self.turn.output.push(reply);
    }

    /// Says what the client did wrong.
    fn refuse(&mut self, reply: Reply) {
        if reply.is_permanent() {
            self.tally.errors += 1;
        }
        if reply == table::UNKNOWN_COMMAND {
            self.tally.unknown_commands += 1;
        }
        self.say(reply);
    }

    fn close(&mut self, reply: Reply) {
        self.give_up_body(BodyLoss::Withdrawn);
        self.say(reply);
        self.state = State::Ended;
        self.rest = None;
    }
}

/// How many times the recipients of a message may be refused with 452: a client that sends far more than fit in one
/// message in one piece still comes to its DATA.
const PATIENCE: usize = 10;

/// Octets of CRLF.
const LINE_END: usize = 2;
