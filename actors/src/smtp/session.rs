//! SmtpSession: the protocol state of one SMTP connection, and the one who asks for what it cannot know.
//!
//! Owner:    /listeners/<name>/connections (dynamic, transient, beside its I/O task)
//! Accepts:  Msg::Turn
//! Calls:    the directory's snapshot, the authenticator, the store gate, the pool of readers
//! Owns:     the session, and the blob of the message that is coming in
//! On death: the I/O task keeps the connection and its ledger; the session is started again from the last turn. The
//!           command on which it died is answered 451 4.3.0. A body on its way is discarded to its true end, and its
//!           message is answered 250 if it was accepted before and 451 if not. An exchange of AUTH is lost, and its
//!           next line answered 454.
//! Limits:   config.smtp, config.listeners.<name>

mod allowance;
mod body;
mod login;
mod quota;
mod steps;
mod terms;
mod text;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use config::Network;
use message::{
    address::{Domain, DomainName, EmailAddress, ForwardPath, LocalPart},
    header::HeaderLimits,
    id::{BlobId, CommandId, MessageId, TenantId},
    time::Tick,
};
use ractor_cluster_derive::RactorMessage;
use serde::{Deserialize, Serialize};
use smtp::{Event, Framing, Mail, RecipientPath, Session, Settings, Tls, Verdict, reply::table};
use store::{
    record::spool::{MAX_RECIPIENTS, Route},
    space::Space,
    store::Store,
};
use supervision::{Actor, Address, Broken, Context, Drained, Inspection};
use tokio::time::Instant;

use crate::{
    clock::Clock,
    connection::{
        self, Handshake, Input, Ledger, Next, Protocol, Request, Turn,
        dialogue::{Expects, Wire},
    },
    directory::{Directory, Resolution},
    limits::Limits,
    listener::refusal::Refusals,
    mint::Mint,
    reads::Reads,
    sasl::{Logins, Sasl},
    store::gate,
    telemetry,
};

pub use text::header_limits;

pub use self::terms::settings;

/// SMTP, as the I/O task of a connection knows it.
pub struct Smtp;

impl Protocol for Smtp {
    type Session = SmtpSession;
    type Msg = Msg;
    type Parts = Parts;
    type Checkpoint = Checkpoint;
    const WIRE: Wire = Wire::Smtp;
    const FAREWELL: &'static [u8] = b"421 4.3.0 Local error, closing connection\r\n";
    const REFUSALS: Refusals = allowance::REFUSALS;
    const OPENED: &'static telemetry::metric::Counter = &telemetry::SMTP_CONNECTIONS_OPENED;
    const OPEN: &'static telemetry::metric::Gauge = &telemetry::SMTP_CONNECTIONS_OPEN;
}

/// What an SMTP session is asked.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    machine: Session<Routes, Ticket>,
    /// The client, as the connection has it or a trusted proxy has told.
    peer: SocketAddr,
    /// Addressees of the transaction: aliases stand for several.
    addressees: usize,
}

/// Where mail for one recipient goes.
type Routes = Vec<Route>;

/// What is kept of a message whose body is on its way: what became of it can be asked by these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ticket {
    message: MessageId,
    blob: BlobId,
    command: CommandId,
}

impl connection::Checkpoint for Checkpoint {
    fn is_ready(&self, input: &[u8]) -> bool {
        self.machine.is_ready(input)
    }

    fn is_between_commands(&self) -> bool {
        self.machine.is_between_commands()
    }

    fn expects(&self) -> Expects {
        match self.machine.framing() {
            Framing::Line => Expects::Command,
            Framing::Response => Expects::Secret,
            Framing::Skip(_) | Framing::Data(_) | Framing::Chunk { .. } | Framing::Handshake => {
                Expects::Octets
            }
        }
    }
}

/// What every SMTP session of a listener needs.
#[derive(Clone)]
pub struct Parts {
    /// The limits and offers of the listener; whether a log-in in clear is allowed depends on the peer.
    pub settings: Arc<Settings>,
    /// The same for peers on loopback.
    pub loopback_settings: Arc<Settings>,
    /// Those for proxies: they may tell with XCLIENT for whom they speak.
    pub proxy_settings: Arc<Settings>,
    /// Who is such a proxy.
    pub proxies: Vec<Network>,
    /// What the header of a message may have.
    pub header: HeaderLimits,
    /// Our own name: `postmaster` without a domain is its postmaster.
    pub home: DomainName,
    /// The tenant of messages that belong to no other.
    pub tenant: TenantId,
    /// The clock of the process.
    pub clock: Clock,
    /// Makes ids.
    pub mint: Mint,
    /// The store, for writing blobs, for its free space, and for quotas.
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
}

/// What one SMTP session needs.
pub type Args = connection::Args<Smtp>;

impl Parts {
    /// What a client may do.
    fn settings(&self, peer: IpAddr) -> &Arc<Settings> {
        if Network::any_contains(&self.proxies, peer) {
            &self.proxy_settings
        } else if peer.to_canonical().is_loopback() {
            &self.loopback_settings
        } else {
            &self.settings
        }
    }
}

/// An SMTP session.
pub struct SmtpSession;

/// What an SMTP session holds.
pub struct State {
    args: Args,
    session: Checkpoint,
    sasl: Sasl,
    body: Option<body::Body>,
    /// What the log is told of the message whose body is on its way.
    coming: Option<steps::Coming>,
}

impl Actor for SmtpSession {
    const CLASS: &'static str = "smtp_session";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let now = args.parts.clock.tick();
        let session = match args.ledger.checkpoint() {
            None => greet(&args, now),
            Some(checkpoint) => resume(checkpoint, &args.ledger, now),
        };
        Ok(State {
            sasl: login::sasl(&args, session.peer),
            args,
            session,
            body: None,
            coming: None,
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Turn(Request { input, reply }) => {
                if state.args.ledger.begin() {
                    let turn = state.turn(ctx, input).await?;
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
        let machine = &state.session.machine;
        Inspection::default()
            .with("peer", state.session.peer.to_string())
            .with("helo", machine.hello().map_or("", |hello| &hello.name))
            .with("tls", machine.tls().is_some())
            .with("login", machine.login().map_or("", |login| &login.name))
            .with(
                "account",
                machine
                    .login()
                    .map_or_else(String::new, |login| login.account.to_string()),
            )
            .with("doing", doing(state))
            .with(
                "recipients",
                machine.recipients().map_or(0, smtp::Recipients::len),
            )
            .with("body", state.body.is_some())
    }
}

/// What it is at, in a few words for who looks on.
fn doing(state: &State) -> &'static str {
    let machine = &state.session.machine;
    if state.body.is_some() {
        "takes a message"
    } else if machine.is_authenticating() {
        "logs in"
    } else if machine.mail().is_some() {
        "takes an envelope"
    } else {
        "waits for a command"
    }
}

/// The session of a connection that has just been taken.
fn greet(args: &Args, now: Tick) -> Checkpoint {
    let address = args.peer.ip();
    let settings = Arc::clone(args.parts.settings(address));
    let tls = args.ledger.tls().map(|handshake| tls(&handshake));
    Checkpoint {
        machine: Session::greet(settings, address, tls, now),
        peer: args.peer,
        addressees: 0,
    }
}

/// The session that follows one that died.
fn resume(checkpoint: Checkpoint, ledger: &Ledger<Checkpoint>, now: Tick) -> Checkpoint {
    let machine = checkpoint.machine;
    let machine = if ledger.is_interrupted() {
        let framing = machine.framing();
        machine.recover(framing, now)
    } else {
        machine.resume(now)
    };
    Checkpoint {
        machine,
        ..checkpoint
    }
}

fn tls(handshake: &Handshake) -> Tls {
    Tls {
        version: handshake.version.into(),
        cipher: handshake.cipher.clone(),
        is_client_verified: handshake.client.is_some(),
    }
}

impl State {
    async fn turn(&mut self, ctx: &Context<Msg>, input: Input) -> Result<Turn<Checkpoint>, Broken> {
        let now = self.args.parts.clock.tick();
        let before = self.session.machine.tally();
        let mut consumed = 0;
        match input {
            // Where TLS comes first, its handshake was made after this actor was started.
            Input::Start if self.args.ledger.tls().is_some() => self.session = greet(&self.args, now),
            Input::Start | Input::Continue | Input::Drain => {}
            Input::Bytes(_) if self.must_leave() => self.session.machine.farewell(table::LOGIN_ENDED),
            Input::Bytes(bytes) => consumed = self.session.machine.receive(&bytes, now),
            Input::Secured(info) => self.session.machine.tls_established(tls(&info), now),
            Input::Timeout => self.session.machine.timeout(now),
            Input::Gone => self.drop_body(),
        }
        while let Some(event) = self.session.machine.poll() {
            self.answer(ctx, event).await?;
        }
        self.tell_offences(before);
        if self.args.ledger.is_draining() && self.session.machine.is_between_commands() {
            self.session.machine.farewell(match self.has_lost_login() {
                true => table::LOGIN_ENDED,
                false => table::SHUTTING_DOWN,
            });
        }
        let machine = &mut self.session.machine;
        Ok(Turn {
            consumed,
            output: vec![machine.output()],
            next: if machine.ended() {
                Next::Close
            } else if matches!(machine.framing(), Framing::Handshake) {
                Next::StartTls
            } else {
                Next::Read
            },
            deadline: machine.deadline(),
            checkpoint: self.session.clone(),
        })
    }

    /// Whether the next command is answered with the end of the session. A text on its way is answered at its end.
    fn must_leave(&self) -> bool {
        self.session.machine.is_between_commands() && self.has_lost_login()
    }

    async fn answer(&mut self, ctx: &Context<Msg>, event: Event) -> Result<(), Broken> {
        match event {
            Event::Mail(mail) => {
                self.session.addressees = 0;
                let verdict = self.may_begin(&mail);
                steps::count_sender(&verdict);
                self.session.machine.respond(verdict);
            }
            Event::Recipient(named) => {
                let verdict = self.route(&named).await;
                steps::count_recipient(&verdict);
                self.session.machine.respond(verdict);
            }
            Event::BodyBegin => {
                let verdict = self.begin_body().await;
                self.coming = self.coming(&verdict);
                self.session.machine.respond(verdict);
            }
            Event::Body(octets) => self.write(&octets).await,
            Event::BodyEnd { octets } => {
                let ended = Instant::now();
                let verdict = self.accept(ctx).await?;
                telemetry::SMTP_MESSAGES_TIME.took(ended.elapsed());
                self.log_end(&verdict, Some(octets));
                self.session.machine.respond(verdict);
            }
            Event::BodyDropped(why) => {
                self.log_refused(&why.reply());
                self.drop_body();
            }
            Event::BodyLost => {
                let verdict = self.recall().await;
                self.log_end(&verdict, None);
                self.session.machine.respond(verdict);
            }
            Event::StartTls => self.session.machine.respond(Verdict::Accept),
            Event::Xclient(told) => {
                let verdict = self.hear_proxy(&told);
                self.session.machine.respond(verdict);
            }
            Event::Authenticate { mechanism, initial } => {
                self.begin_exchange(&mechanism, initial.as_deref()).await;
            }
            Event::AuthenticateResponse(response) => self.continue_exchange(&response).await,
        }
        Ok(())
    }

    fn may_begin(&self, mail: &Mail) -> Verdict<Routes, Ticket> {
        if !self.may_send_as(&mail.reverse_path) {
            return Verdict::Refuse(table::NOT_YOUR_ADDRESS);
        }
        if let Err(reply) = self.count_message(mail) {
            return Verdict::Refuse(reply);
        }
        match self.args.parts.store.space() {
            Space::Enough => Verdict::Accept,
            Space::Low => Verdict::Refuse(table::STORE_FULL),
        }
    }

    async fn route(&mut self, named: &RecipientPath) -> Verdict<Routes, Ticket> {
        if let Err(reply) = self.count_recipient() {
            return Verdict::Refuse(reply);
        }
        let Some(address) = self.address(named) else {
            return Verdict::Refuse(table::BAD_RECIPIENT);
        };
        let routes = match self.args.parts.directory.resolve(&address) {
            Resolution::Accounts(accounts) if self.are_full(&accounts).await => {
                return Verdict::Refuse(table::MAILBOX_FULL);
            }
            Resolution::Accounts(accounts) => accounts.into_iter().map(Route::Local).collect(),
            Resolution::Discard => vec![Route::Discard],
            Resolution::Unknown => return Verdict::Refuse(table::NO_SUCH_MAILBOX),
            Resolution::Refused => return Verdict::Refuse(table::MAILBOX_DISABLED),
            Resolution::Foreign if self.session.machine.login().is_some() => {
                return Verdict::Refuse(table::NO_ROUTE);
            }
            Resolution::Foreign => return Verdict::Refuse(table::RELAY_DENIED),
            Resolution::Unclear => return Verdict::Refuse(table::LOCAL_ERROR),
        };
        let addressees = self.session.addressees + routes.len();
        if addressees > MAX_RECIPIENTS {
            return Verdict::Refuse(table::TOO_MANY_RECIPIENTS);
        }
        self.session.addressees = addressees;
        Verdict::Route(routes)
    }

    /// The address that a path means.
    fn address(&self, named: &RecipientPath) -> Option<EmailAddress> {
        match &named.path {
            ForwardPath::Address(address) => Some(address.clone()),
            ForwardPath::Postmaster => {
                let snapshot = self.args.parts.directory.snapshot();
                let domain = snapshot.postmasters_domain(&self.args.parts.home).clone();
                EmailAddress::new(LocalPart::postmaster(), Domain::Name(domain)).ok()
            }
        }
    }
}
