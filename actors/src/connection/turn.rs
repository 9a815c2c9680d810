//! What the I/O task and the session actor say to each other.

use std::sync::Arc;

use bytes::Bytes;
use message::time::Tick;
use supervision::Reply;

use super::Handshake;

/// What happened on the connection.
#[derive(Clone, Debug)]
pub enum Input {
    /// The connection is up: greet.
    Start,
    /// All input that is not consumed yet.
    Bytes(Bytes),
    /// The last output has been written and the session had more to say.
    Continue,
    /// TLS is established, as the session asked.
    Secured(Arc<Handshake>),
    /// The deadline of the last turn has passed.
    Timeout,
    /// The server is going down: end when nothing is lost by it.
    Drain,
    /// The peer is gone in the middle of a message.
    Gone,
}

/// One turn asked of a session actor. What comes of it is settled in the [`super::Ledger`].
pub struct Request {
    /// What happened.
    pub input: Input,
    /// Told when the turn is settled.
    pub reply: Reply<()>,
}

/// What the session made of an [`Input`].
#[derive(Debug)]
pub struct Turn<C> {
    /// How many octets of the unread input are done with.
    pub consumed: usize,
    /// What to write, in order.
    pub output: Vec<Bytes>,
    /// What to do next.
    pub next: Next,
    /// When the peer must have done something.
    pub deadline: Tick,
    /// The session as it now stands.
    pub checkpoint: C,
}

/// What the I/O task does after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Take up the remaining input, or read more.
    Read,
    /// Write, then ask for more output.
    Continue,
    /// Write, forget the unread input, and start TLS.
    StartTls,
    /// Write and close.
    Close,
}
