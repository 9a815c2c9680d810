//! The I/O task of a connection: it owns the socket, the TLS stream, unread input and unsent output, and decides nothing.
//!
//! Per turn it hands what it has read to the session actor, which settles in the [`Ledger`] how much of it was
//! consumed, what to write and where the session now stands. Only then do both advance, so that a session that dies is
//! started again by its supervisor from the ledger and meets the same input; the peer sees one `451` instead of a
//! lost connection.

mod alarm;
pub mod dialogue;
mod handshake;
mod ledger;
mod output;
mod start;
mod stream;
mod turn;

use std::{io, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use supervision::{Actor, Address, CallError};
use tokio::net::TcpStream;

use self::{
    alarm::Alarm,
    dialogue::{Expects, Tap, Wire},
    ledger::Demand,
    output::Output,
    stream::Stream,
};
pub use self::{
    handshake::{ChannelBindings, Handshake},
    ledger::Ledger,
    start::{Args, Start},
    turn::{Input, Next, Request, Turn},
};
use crate::{
    clock::Clock,
    listener::{proxy, refusal::Refusals},
    telemetry::{
        SECURITY_STRANGERS_PROXY, TLS_HANDSHAKES_FAILED, TLS_HANDSHAKES_MADE, TLS_HANDSHAKES_TIME,
        metric::{Counter, Gauge},
    },
    tls::Offer,
};

/// The longest that one turn may take: it covers a sync of the store and a restart of the session.
const TURN_LIMIT: Duration = Duration::from_secs(60);

/// The longest that the last words of a connection may wait for a peer that does not read.
const FAREWELL_LIMIT: Duration = Duration::from_secs(5);

/// Unsent output above this many octets is written before the next turn.
const OUTPUT_HIGH_WATER: usize = 64 << 10;

/// What listeners and I/O tasks must know of a protocol.
pub trait Protocol: Sized + 'static {
    /// Its session actor.
    type Session: Actor<Msg = Self::Msg, Args = Args<Self>>;
    /// The message of that.
    type Msg: ractor::Message + From<Request>;
    /// What all sessions of a listener share.
    type Parts: Send + Sync + 'static;
    /// The copy of a session from which a dead one is started again.
    type Checkpoint: Checkpoint;
    /// Where its secrets are.
    const WIRE: Wire;
    /// What a peer is told when its session cannot be had any more; a whole line.
    const FAREWELL: &'static [u8];
    /// What a client is told that is not let in.
    const REFUSALS: Refusals;
    /// Counts its connections.
    const OPENED: &'static Counter;
    /// How many of them are open.
    const OPEN: &'static Gauge;
}

/// A copy of a session as it stood after a turn.
pub trait Checkpoint: Clone + Send + Sync + 'static {
    /// Whether `input` holds anything that the session could act on: a whole line, an overlong one, or body octets.
    fn is_ready(&self, input: &[u8]) -> bool;
    /// Whether a command line is expected, so that nothing is lost when the peer goes now.
    fn is_between_commands(&self) -> bool;
    /// What it makes of the next octets.
    fn expects(&self) -> Expects;
}

/// How a listener treats TLS.
#[derive(Clone)]
pub enum Security {
    /// No TLS is to be had.
    Plain,
    /// The session may ask for TLS.
    StartTls(Arc<Offer>),
    /// TLS comes before the first byte of the protocol.
    Implicit(Arc<Offer>),
}

impl Security {
    /// What is presented to clients, if there is TLS.
    #[must_use]
    pub const fn offer(&self) -> Option<&Arc<Offer>> {
        match self {
            Self::Plain => None,
            Self::StartTls(offer) | Self::Implicit(offer) => Some(offer),
        }
    }
}

/// Carries one connection until either side ends it.
pub async fn carry<P: Protocol>(
    socket: TcpStream,
    security: Security,
    clock: Clock,
    ledger: Arc<Ledger<P::Checkpoint>>,
    session: Address<P::Msg>,
    tap: Option<Tap>,
) {
    P::OPENED.count(1);
    let _open = P::OPEN.hold();
    let mut connection = Connection::<P> {
        stream: Stream::Plain(socket),
        security,
        unread: Bytes::new(),
        is_heard: false,
        output: Output::default(),
        alarm: Alarm::new(clock),
        ledger,
        session,
        tap,
    };
    connection.note("connected");
    // A peer that resets its connection is an ordinary end.
    if let Err(why) = connection.run().await {
        tracing::debug!(target: "angarium::connection", %why, "connection ended");
        connection.note(&why.to_string());
    }
    connection.note("closed");
    connection.leave().await;
}

struct Connection<P: Protocol> {
    stream: Stream,
    security: Security,
    unread: Bytes,
    /// The peer has said something.
    is_heard: bool,
    output: Output,
    alarm: Alarm,
    ledger: Arc<Ledger<P::Checkpoint>>,
    session: Address<P::Msg>,
    /// Whoever listens to what is said.
    tap: Option<Tap>,
}

/// Why the loop goes on or ends.
enum Flow {
    /// Take up the unread input, or read more.
    Read,
    /// The unread input is not enough: read more.
    Starve,
    Continue,
    End,
}

impl<P: Protocol> Connection<P> {
    async fn run(&mut self) -> io::Result<()> {
        if matches!(self.security, Security::Implicit(_)) {
            let handshake = Box::pin(self.handshake()).await?;
            self.note(&format!("TLS: {} {}", handshake.version, handshake.cipher));
            self.ledger.secured(handshake);
        }
        let mut flow = self.turn(Input::Start).await?;
        loop {
            flow = match flow {
                Flow::End => return self.flush().await,
                Flow::Continue => {
                    self.flush().await?;
                    self.turn(Input::Continue).await?
                }
                Flow::Read if self.ledger.is_ready(&self.unread) => {
                    if self.output.len() > OUTPUT_HIGH_WATER {
                        self.flush().await?;
                    }
                    self.turn(Input::Bytes(self.unread.clone())).await?
                }
                Flow::Read | Flow::Starve => {
                    self.flush().await?;
                    self.wait().await?
                }
            };
        }
    }

    /// Waits for the peer, the deadline or the drain, whichever comes first.
    async fn wait(&mut self) -> io::Result<Flow> {
        tokio::select! {
            biased;
            read = self.stream.read(&self.unread) => match read? {
                Some(unread) => {
                    self.unread = unread;
                    Ok(self.heard())
                }
                None => Ok(Flow::End),
            },
            () = self.ledger.draining() => self.turn(Input::Drain).await,
            () = self.alarm.ring() => self.turn(Input::Timeout).await,
        }
    }

    /// What a peer says first must not be the header of a proxy that nobody here trusts.
    fn heard(&mut self) -> Flow {
        let is_first = !std::mem::replace(&mut self.is_heard, true);
        if !is_first || !proxy::is_signature(&self.unread) {
            return Flow::Read;
        }
        let peer = self.ledger.peer();
        SECURITY_STRANGERS_PROXY.count(1);
        tracing::warn!(target: "angarium::security", %peer, "a stranger speaks the PROXY protocol");
        Flow::End
    }

    /// One turn of the session; asked again when the session died before or while it took it.
    async fn turn(&mut self, input: Input) -> io::Result<Flow> {
        let expected = self.tap.as_ref().map(|_| self.ledger.expects());
        let mut crashes = 0;
        for _ in 0..MAX_ASKED {
            let asked = self.session.call(TURN_LIMIT, |reply| {
                P::Msg::from(Request {
                    input: input.clone(),
                    reply,
                })
            });
            let asked = asked.await;
            // Also of a session that died behind its turn, before it could say so.
            if let Some(demand) = self.ledger.take() {
                if let Some((tap, expects)) = self.tap.as_mut().zip(expected) {
                    tap.heard(expects, self.unread.get(..demand.consumed).unwrap_or_default());
                    tap.said(&demand.output, matches!(input, Input::Continue));
                }
                return self.advance(demand, matches!(input, Input::Bytes(_))).await;
            }
            match asked {
                // It died before it began, and will be back; or it is parked, and says so again at once.
                Err(CallError::Unavailable) => {}
                Ok(()) | Err(CallError::Unknown) => crashes += 1,
            }
            if crashes == MAX_CRASHES {
                break;
            }
        }
        self.output.push(Bytes::from_static(P::FAREWELL));
        self.note("the session cannot be had any more");
        Ok(Flow::End)
    }

    fn note(&mut self, text: &str) {
        if let Some(tap) = &mut self.tap {
            tap.note(text);
        }
    }

    async fn advance(&mut self, demand: Demand, is_offered: bool) -> io::Result<Flow> {
        self.unread.advance(demand.consumed.min(self.unread.len()));
        demand
            .output
            .into_iter()
            .for_each(|slice| self.output.push(slice));
        self.alarm.set(demand.deadline);
        match demand.next {
            // A session that takes nothing of what it called ready would be asked for ever.
            Next::Read if is_offered && demand.consumed == 0 => Ok(Flow::Starve),
            Next::Read => Ok(Flow::Read),
            Next::Continue => Ok(Flow::Continue),
            Next::Close => Ok(Flow::End),
            Next::StartTls => self.start_tls().await,
        }
    }

    async fn start_tls(&mut self) -> io::Result<Flow> {
        self.flush().await?;
        // RFC 3207 §4.2, CVE-2011-0411: what was sent in clear behind STARTTLS is never taken for protected.
        self.unread = Bytes::new();
        let handshake = Box::pin(self.handshake()).await?;
        self.ledger.secured(Arc::clone(&handshake));
        self.note(&format!("TLS: {} {}", handshake.version, handshake.cipher));
        Box::pin(self.turn(Input::Secured(handshake))).await
    }

    async fn handshake(&mut self) -> io::Result<Arc<Handshake>> {
        let Some(offer) = self.security.offer() else {
            return Err(io::Error::other(
                "the session asked for TLS that this listener does not have",
            ));
        };
        let started = tokio::time::Instant::now();
        let secured = tokio::select! {
            secured = tokio::time::timeout(offer.handshake_limit(), self.stream.secure(offer)) => {
                secured.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            }
            // Nothing is lost, and a peer that shakes hands for ever must not keep a server from stopping.
            () = self.ledger.draining() => Err(io::ErrorKind::ConnectionAborted.into()),
        };
        match &secured {
            Ok(_) => {
                TLS_HANDSHAKES_MADE.count(1);
                TLS_HANDSHAKES_TIME.took(started.elapsed());
            }
            Err(_) => TLS_HANDSHAKES_FAILED.count(1),
        }
        // Not louder: whoever scans the net for weak servers does it all day.
        secured.map(Arc::new).inspect_err(|why| {
            let peer = self.ledger.peer();
            tracing::debug!(target: "angarium::security", %peer, reason = %why, "a TLS handshake failed");
        })
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        tokio::select! {
            biased;
            written = self.output.write_to(&mut self.stream) => written,
            () = self.alarm.ring() => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Tells a session in the middle of a message that its peer is gone, and closes the socket in order.
    async fn leave(&mut self) {
        if !self.ledger.is_between_commands() {
            let gone = self.session.call(FAREWELL_LIMIT, |reply| {
                P::Msg::from(Request {
                    input: Input::Gone,
                    reply,
                })
            });
            // Whether it heard is of no consequence: chunks of a message that nobody accepted are swept at start.
            let _ = gone.await;
        }
        drop(tokio::time::timeout(FAREWELL_LIMIT, self.stream.close()).await);
    }
}

/// A session that dies twice on one command is not asked a third time.
const MAX_CRASHES: usize = 2;

/// How often a session is asked for one turn, deaths between two turns included.
const MAX_ASKED: usize = 4;

/// Joins what was left unread with what has arrived.
fn join(unread: &Bytes, arrived: &[u8]) -> Bytes {
    if unread.is_empty() {
        return Bytes::copy_from_slice(arrived);
    }
    let mut joined = BytesMut::with_capacity(unread.len() + arrived.len());
    joined.extend_from_slice(unread);
    joined.extend_from_slice(arrived);
    joined.freeze()
}
