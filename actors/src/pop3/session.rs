//! Pop3Session: the protocol state of one POP3 connection, and the one who asks for what it cannot know.
//!
//! Owner:    /listeners/<name>/connections (dynamic, transient, beside its I/O task)
//! Accepts:  Msg::Turn
//! Calls:    the authenticator, the mailbox, the store gate, the pool of readers
//! Owns:     the session, and the place in the message that is being sent
//! On death: the I/O task keeps the connection, its ledger and the lock of the mailbox; the session is started again
//!           from the last turn. The command on which it died is answered -ERR [SYS/TEMP]; in the middle of a message
//!           the connection ends, so that no client takes a part for the whole.
//! Limits:   config.pop3, config.listeners.<name>, EXPUNGE_AT_ONCE

mod lock;
mod login;
mod offences;
mod retrieve;

use std::{sync::Arc, time::Duration};

use message::{
    id::{AccountId, CommandId, TenantId},
    time::Tick,
};
use pop3::{Event, Mechanisms, Session, Settings, Tls, Verdict};
use ractor_cluster_derive::RactorMessage;
use store::{
    apply::Rejected,
    command::{Command, Expunge, Proposal},
    key::mailbox::MailboxKey,
    propose::ProposeError,
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Drained, Dynamic, Inspection};
use tokio::time::Instant;

use self::retrieve::Retrieval;
use crate::{
    clock::Clock,
    connection::{
        self, Input, Ledger, Next, Protocol, Request, Security, Turn,
        dialogue::{Expects, Wire},
    },
    directory::Directory,
    limits::Limits,
    listener::refusal::Refusals,
    mailbox::{self, Lease, NotOpened},
    mint::Mint,
    reads::Reads,
    sasl::{Logins, Offer, Sasl},
    store::gate,
    subject, telemetry,
};

/// The longest that a mailbox may take to be listed.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

/// How many messages one command removes; the store allows more.
const EXPUNGE_AT_ONCE: usize = 500;

/// What is said to who was logged in, and may be no longer.
const LOGIN_ENDED: &str = "your log-in has ended";

/// POP3, as the I/O task of a connection knows it.
pub struct Pop3;

impl Protocol for Pop3 {
    type Session = Pop3Session;
    type Msg = Msg;
    type Parts = Parts;
    type Checkpoint = Checkpoint;
    const WIRE: Wire = Wire::Pop3;
    const FAREWELL: &'static [u8] = b"-ERR [SYS/TEMP] local error, closing connection\r\n";
    const REFUSALS: Refusals = Refusals {
        too_busy: pop3::TOO_BUSY,
        banned: b"-ERR [SYS/TEMP] your address is refused at present\r\n",
        closing: b"-ERR [SYS/TEMP] shutting down\r\n",
    };
    const OPENED: &'static telemetry::metric::Counter = &telemetry::POP3_CONNECTIONS_OPENED;
    const OPEN: &'static telemetry::metric::Gauge = &telemetry::POP3_CONNECTIONS_OPEN;
}

/// What the configuration allows the sessions of a listener; `loopback` says that the peer is on this machine.
#[must_use]
pub fn settings(
    config: &config::Config,
    listener: &config::Listener,
    security: &Security,
    loopback: bool,
) -> Settings {
    let pop3 = &config.pop3;
    let offer = Offer::of(config, listener, loopback);
    Settings {
        hostname: config.server.hostname.as_str().to_owned(),
        tls: match security {
            Security::Plain => Tls::Unavailable,
            Security::StartTls(_) => Tls::Offered,
            Security::Implicit(_) => Tls::Active,
        },
        cleartext_login: !offer.clear.is_empty(),
        mechanisms: Mechanisms {
            clear: offer.clear,
            tls: offer.tls,
        },
        line_limit: usize::try_from(pop3.max_line_size.as_bytes()).unwrap_or(usize::MAX),
        error_limit: pop3.max_errors,
        failed_login_limit: pop3.max_failed_logins,
        idle_timeout: pop3.idle_timeout,
        login_timeout: pop3.login_timeout,
        session_timeout: pop3.session_timeout,
    }
}

/// What a POP3 session is asked.
#[derive(RactorMessage)]
pub enum Msg {
    /// Something happened on the connection.
    Turn(Request),
}

impl From<Request> for Msg {
    fn from(request: Request) -> Self {
        Self::Turn(request)
    }
}

/// A session as it stood after a turn.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    machine: Session,
    /// The mailbox that is open.
    opened: Option<Opened>,
    /// Alive as long as the connection: what the mailbox is locked by.
    lease: Arc<Lease>,
}

#[derive(Clone, Copy, Debug)]
struct Opened {
    account: AccountId,
    mailbox: MailboxKey,
}

impl connection::Checkpoint for Checkpoint {
    fn is_ready(&self, input: &[u8]) -> bool {
        self.machine.is_ready(input)
    }

    fn is_between_commands(&self) -> bool {
        // Nothing of the client's is ever half taken: what it deletes goes at QUIT, in one turn.
        true
    }

    fn expects(&self) -> Expects {
        if self.machine.is_authenticating() {
            Expects::Secret
        } else {
            Expects::Command
        }
    }
}

/// What every POP3 session of a listener needs.
#[derive(Clone)]
pub struct Parts {
    /// The limits and offers of the listener; whether a log-in in clear is allowed depends on the peer.
    pub settings: Arc<Settings>,
    /// The same for peers on loopback.
    pub loopback_settings: Arc<Settings>,
    /// Whose mailboxes they are.
    pub tenant: TenantId,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes command ids.
    pub mint: Mint,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// Where proposals go.
    pub gate: Address<gate::Msg>,
    /// Who is here.
    pub directory: Directory,
    /// What log-ins need.
    pub logins: Logins,
    /// What each may take.
    pub limits: Limits,
    /// The mailboxes.
    pub mailboxes: Dynamic<mailbox::Mailbox>,
}

/// What one POP3 session needs.
pub type Args = connection::Args<Pop3>;

/// A POP3 session.
pub struct Pop3Session;

/// What a POP3 session holds.
pub struct State {
    args: Args,
    session: Checkpoint,
    sasl: Sasl,
    /// Who has just logged in and whose mailbox is not open yet.
    account: Option<AccountId>,
    retrieval: Option<Retrieval>,
}

impl Actor for Pop3Session {
    const CLASS: &'static str = "pop3_session";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let now = args.parts.clock.tick();
        let session = match args.ledger.checkpoint() {
            None => greet(&args, now),
            Some(checkpoint) if is_lost(&checkpoint.machine, &args.ledger) => Checkpoint {
                machine: Session::recover(checkpoint.machine, now),
                ..checkpoint
            },
            Some(checkpoint) => checkpoint,
        };
        Ok(State {
            sasl: login::sasl(&args),
            args,
            session,
            account: None,
            retrieval: None,
        })
    }

    async fn handle(_: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Turn(Request { input, reply }) => {
                if state.args.ledger.begin() {
                    let turn = state.turn(input).await?;
                    state.args.ledger.settle(turn);
                }
                reply.send(());
            }
        }
        Ok(())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        // The I/O task ends the session at the next command boundary, and with itself this actor.
        state.args.ledger.drain();
        Ok(Drained::Later)
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("peer", state.args.peer.to_string())
            .with("connection", state.args.connection.to_string())
            .with(
                "mailbox",
                state
                    .session
                    .opened
                    .map_or_else(String::new, |opened| opened.mailbox.mailbox.to_string()),
            )
            .with(
                "account",
                state
                    .session
                    .opened
                    .map_or_else(String::new, |opened| opened.account.to_string()),
            )
            .with("doing", doing(state))
            .with("sending", state.retrieval.is_some())
    }
}

/// What it is at, in a few words for who looks on.
fn doing(state: &State) -> &'static str {
    match (&state.retrieval, state.session.opened) {
        (Some(_), _) => "sends a message",
        (None, Some(_)) => "waits for a command",
        (None, None) => "waits for a log-in",
    }
}

/// Whether something went with the actor that died: a turn, the rest of a reply, an exchange.
fn is_lost(machine: &Session, ledger: &Ledger<Checkpoint>) -> bool {
    ledger.is_interrupted() || machine.more() || machine.is_authenticating()
}

fn greet(args: &Args, now: Tick) -> Checkpoint {
    let parts = &args.parts;
    let is_local = args.peer.ip().to_canonical().is_loopback();
    let settings = if is_local {
        &parts.loopback_settings
    } else {
        &parts.settings
    };
    Checkpoint {
        machine: Session::greet(Arc::clone(settings), now),
        opened: None,
        lease: Arc::new(lock::lease(&args.ledger)),
    }
}

impl State {
    async fn turn(&mut self, input: Input) -> Result<Turn<Checkpoint>, Broken> {
        let now = self.args.parts.clock.tick();
        let before = self.session.machine.tally();
        let mut consumed = 0;
        match input {
            // Where TLS comes first, its handshake was made after this actor was started.
            Input::Start => {
                let tls = self.args.ledger.tls();
                let is_verified = tls.is_some_and(|info| info.client.is_some());
                self.session.machine.tls_established(is_verified);
            }
            Input::Drain | Input::Gone => {}
            Input::Bytes(_) if self.has_lost_login() => self.session.machine.farewell(LOGIN_ENDED),
            Input::Bytes(bytes) => consumed = self.session.machine.receive(&bytes, now),
            Input::Continue => {
                self.session.machine.receive(&bytes::Bytes::new(), now);
            }
            Input::Secured(info) => self.session.machine.tls_established(info.client.is_some()),
            Input::Timeout => self.session.machine.timeout(now),
        }
        let mut secure = false;
        while let Some(event) = self.session.machine.poll() {
            secure |= matches!(event, Event::StartTls);
            self.answer(event).await?;
        }
        self.tell_offences(before);
        let mut output = Vec::new();
        loop {
            let piece = self.session.machine.output();
            if piece.is_empty() {
                break;
            }
            output.push(piece);
        }
        let has_lost_login = self.has_lost_login();
        let machine = &mut self.session.machine;
        if self.args.ledger.is_draining() && !machine.more() && !machine.ended() {
            machine.farewell(match (self.session.lease.is_revoked(), has_lost_login) {
                (true, _) => "the mailbox is gone",
                (false, true) => LOGIN_ENDED,
                (false, false) => "shutting down",
            });
            output.push(machine.output());
        }
        if self.session.machine.ended() {
            self.release();
        }
        let machine = &mut self.session.machine;
        Ok(Turn {
            consumed,
            output,
            next: if machine.ended() {
                Next::Close
            } else if secure {
                Next::StartTls
            } else if machine.more() {
                Next::Continue
            } else {
                Next::Read
            },
            deadline: machine.deadline(),
            checkpoint: self.session.clone(),
        })
    }

    /// Whether who logged in may be here no longer.
    fn has_lost_login(&self) -> bool {
        let opened = self.session.opened.as_ref();
        opened.is_some_and(|opened| self.args.parts.directory.is_suspended(opened.account))
    }

    async fn answer(&mut self, event: Event) -> Result<(), Broken> {
        let verdict = match event {
            Event::Login { name, password } => self.log_in(name, password).await,
            Event::Authenticate { mechanism, initial } => self.begin_exchange(&mechanism, initial).await,
            Event::AuthenticateResponse(response) => self.continue_exchange(&response).await,
            Event::Open => self.open().await,
            Event::Retrieve(wanted) => self.retrieve(wanted).await?,
            Event::Update { removed } => self.update(&removed).await?,
            Event::StartTls => return Ok(()),
        };
        self.session.machine.respond(verdict);
        Ok(())
    }

    async fn open(&mut self) -> Verdict {
        let Some(account) = self.account.take() else {
            return Verdict::Unavailable;
        };
        let Some(inbox) = self.args.parts.directory.snapshot().inbox(account) else {
            return Verdict::Unavailable;
        };
        let started = tokio::time::Instant::now();
        match self.lock(inbox, account).await {
            Ok(maildrop) => {
                telemetry::POP3_MAILDROPS_OPENED.count(1);
                telemetry::POP3_MAILDROPS_TIME.took(started.elapsed());
                self.session.opened = Some(Opened {
                    account,
                    mailbox: self.key(inbox, account),
                });
                Verdict::Opened(maildrop)
            }
            Err(NotOpened::InUse) => {
                telemetry::POP3_MAILDROPS_IN_USE.count(1);
                Verdict::InUse
            }
            Err(NotOpened::Unavailable) => Verdict::Unavailable,
        }
    }

    /// Removes what the client marked, in as many commands as it takes; what a lost answer leaves unclear is removed
    /// again, which changes nothing.
    async fn update(&mut self, removed: &[u32]) -> Result<Verdict, Broken> {
        let Some(opened) = self.session.opened else {
            return Err(Broken::because("messages are removed from no mailbox"));
        };
        // After a crash of the mailbox's actor another session may have locked it: then nothing is removed.
        if self.lock(opened.mailbox.mailbox, opened.account).await.is_err() {
            return Ok(Verdict::Unavailable);
        }
        for uids in removed.chunks(EXPUNGE_AT_ONCE) {
            if !self.expunge(opened, uids).await? {
                return Ok(Verdict::Unavailable);
            }
            telemetry::POP3_MESSAGES_REMOVED.count(uids.len() as u64);
        }
        Ok(Verdict::Updated)
    }

    async fn expunge(&self, opened: Opened, uids: &[u32]) -> Result<bool, Broken> {
        let Some(messages) = retrieve::blobs(&self.args.parts, opened.mailbox, uids).await? else {
            return Ok(false);
        };
        let id: CommandId = self.args.parts.mint.id();
        let command = Command::Expunge(Expunge {
            mailbox: opened.mailbox,
            messages,
        });
        let proposal = Proposal::new(id, self.args.parts.clock.timestamp(), command);
        match gate::propose(&self.args.parts.gate, subject::account(opened.account), proposal).await {
            Ok(_) => Ok(true),
            Err(ProposeError::Rejected(Rejected::Broken(why))) => Err(Broken::because(why)),
            Err(why) => {
                tracing::warn!(target: "angarium::pop3", connection = %self.args.connection, %why, "nothing was removed");
                Ok(false)
            }
        }
    }
}
