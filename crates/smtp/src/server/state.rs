//! State: where in the protocol a session stands, with what it knows there and nowhere else.

use std::borrow::Cow;
use std::sync::Arc;

use message::hops::HopCounter;
use message::time::Tick;
use message::{BodyKind, MailOptions, ReversePath};
use serde::{Deserialize, Serialize};

use super::event::BodyLoss;
use crate::command::Chunk;
use crate::framing::{Framing, LineEnds, Matcher, Skip};
use crate::recipients::Recipients;
use crate::shared;

/// The states of RFC 5321 §4.1.4. Who the client proved to be is the session's: it outlives EHLO. RFC 4954 §4
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum State<R, T> {
    /// Not greeted yet: the client is to wait.
    Silent,
    /// Greeted, and not yet greeted back.
    Greeted,
    /// Between transactions.
    Ready(Hello),
    /// 334 was said to AUTH.
    Exchange(Hello, Exchange),
    /// MAIL was accepted.
    Mail(Hello, Transaction<R>),
    /// A text comes in: 354 was said to DATA, or a chunk follows BDAT.
    Body(Hello, Transaction<R>, Body<T>),
    /// Between two chunks of a message.
    Chunks(Hello, Transaction<R>, Body<T>),
    /// 220 was said to STARTTLS: all that was said before is forgotten. RFC 3207 §4.2
    Handshake,
    /// The connection is to be closed.
    Ended,
}

impl<R, T> State<R, T> {
    pub(super) const fn hello(&self) -> Option<&Hello> {
        match self {
            Self::Ready(hello)
            | Self::Exchange(hello, _)
            | Self::Mail(hello, _)
            | Self::Body(hello, _, _)
            | Self::Chunks(hello, _, _) => Some(hello),
            Self::Silent | Self::Greeted | Self::Handshake | Self::Ended => None,
        }
    }

    pub(super) const fn transaction(&self) -> Option<&Transaction<R>> {
        match self {
            Self::Mail(_, transaction) | Self::Body(_, transaction, _) | Self::Chunks(_, transaction, _) => {
                Some(transaction)
            }
            Self::Silent
            | Self::Greeted
            | Self::Ready(_)
            | Self::Exchange(..)
            | Self::Handshake
            | Self::Ended => None,
        }
    }

    pub(super) const fn body(&self) -> Option<&Body<T>> {
        match self {
            Self::Body(_, _, body) | Self::Chunks(_, _, body) => Some(body),
            _ => None,
        }
    }

    /// Goes back to commands when a chunk is whole that is not the last.
    pub(super) fn pause_body(&mut self) {
        *self = match std::mem::replace(self, Self::Ended) {
            Self::Body(hello, transaction, body) => Self::Chunks(hello, transaction, body),
            other => other,
        };
    }

    /// Takes the next chunk.
    pub(super) fn resume_body(&mut self, chunk: Chunk) {
        *self = match std::mem::replace(self, Self::Ended) {
            Self::Chunks(hello, transaction, mut body) => {
                body.frame = body.frame.next_chunk(chunk);
                Self::Body(hello, transaction, body)
            }
            other => other,
        };
    }

    /// Forgets a transaction, if there is one. RFC 5321 §4.1.1.5
    pub(super) fn end_transaction(&mut self) {
        *self = match std::mem::replace(self, Self::Ended) {
            Self::Mail(hello, _) | Self::Body(hello, _, _) | Self::Chunks(hello, _, _) => Self::Ready(hello),
            other => other,
        };
    }

    /// Waits for a response, if it is time for one.
    pub(super) fn begin_exchange(&mut self, exchange: Exchange) {
        *self = match std::mem::replace(self, Self::Ended) {
            Self::Ready(hello) => Self::Exchange(hello, exchange),
            other => other,
        };
    }

    /// Goes back to commands from an exchange, if there is one, and says which it was.
    pub(super) fn end_exchange(&mut self) -> Option<Exchange> {
        let Self::Exchange(hello, exchange) = self else {
            return None;
        };
        let (hello, exchange) = (hello.clone(), *exchange);
        *self = Self::Ready(hello);
        Some(exchange)
    }
}

/// What the next response belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Exchange {
    /// An exchange that the caller has in hand.
    Open,
    /// One that a crash has lost: the response is answered 454.
    Lost,
}

/// How a client introduced itself. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The argument: letters, digits and `-._:[]`.
    #[serde(with = "shared")]
    pub name: Arc<str>,
    /// Whether it asked for extensions: with EHLO, or with LHLO.
    pub esmtp: bool,
}

/// What was negotiated in a TLS handshake, for the trace fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The version, as `TLSv1.3`.
    pub version: Cow<'static, str>,
    /// The cipher suite, by its registered name.
    pub cipher: Cow<'static, str>,
    /// Whether the client has proved in it who it is, as EXTERNAL wants.
    pub is_client_verified: bool,
}

/// What MAIL said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Where reports of failure go.
    pub reverse_path: ReversePath,
    /// The size that the client declared, in octets; a claim, not a measure. RFC 1870
    pub declared_size: Option<u64>,
    /// What kind of octets the client declared. RFC 6152
    pub body: BodyKind,
    /// What the client asked for besides.
    pub options: MailOptions,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction<R> {
    #[serde(with = "shared")]
    pub(super) mail: Arc<Mail>,
    pub(super) recipients: Recipients<R>,
}

impl<R> Transaction<R> {
    /// One of which nothing is known but that it exists.
    pub(super) fn unknown() -> Self {
        Self {
            mail: Arc::new(Mail {
                reverse_path: ReversePath::Null,
                declared_size: None,
                body: BodyKind::default(),
                options: MailOptions::default(),
            }),
            recipients: Recipients::new(),
        }
    }
}

/// A body on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Body<T> {
    pub(super) frame: Frame,
    pub(super) octets: u64,
    /// Not serialized: a session that is read back has lost the body anyway.
    #[serde(skip)]
    pub(super) hops: HopCounter,
    /// When it must be whole.
    pub(super) until: Tick,
    pub(super) fate: Fate<T>,
}

impl<T> Body<T> {
    pub(super) fn begin(frame: Frame, fate: Fate<T>, until: Tick) -> Self {
        Self {
            frame,
            octets: 0,
            hops: HopCounter::new(),
            until,
            fate,
        }
    }
}

impl<T> Body<T> {
    /// The caller has lost what it had of it.
    pub(super) fn lose(&mut self) {
        let fate = std::mem::replace(&mut self.fate, Fate::Lost(None));
        self.fate = match fate {
            Fate::Kept(ticket) => Fate::Lost(Some(ticket)),
            refused_or_lost => refused_or_lost,
        };
    }
}

/// Where the end of a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Frame {
    /// At a dot that stands alone.
    Text(Matcher),
    /// At the end of the last chunk; so many octets are left of this one.
    Chunk {
        left: u64,
        is_last: bool,
        ends: LineEnds,
    },
}

impl Frame {
    /// Before the first chunk.
    pub(super) const fn chunks() -> Self {
        Self::Chunk {
            left: 0,
            is_last: false,
            ends: LineEnds::Begin,
        }
    }

    /// At the beginning of the next chunk, in the line in which the last one ended.
    const fn next_chunk(self, chunk: Chunk) -> Self {
        let ends = match self {
            Self::Text(_) => LineEnds::Begin,
            Self::Chunk { ends, .. } => ends,
        };
        Self::Chunk {
            left: chunk.octets,
            is_last: chunk.is_last,
            ends,
        }
    }

    /// So many octets are left of the chunk.
    pub(super) const fn set_left(&mut self, octets: u64) {
        if let Self::Chunk { left, .. } = self {
            *left = octets;
        }
    }

    /// What the next octets of the connection are.
    pub(super) const fn framing(self) -> Framing {
        match self {
            Self::Text(matcher) => Framing::Data(matcher),
            Self::Chunk { left, .. } => Framing::Chunk { left },
        }
    }
}

/// What is left of something that is answered already, and is discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Rest {
    /// A line, up to its CRLF.
    Line(Skip),
    /// A chunk.
    Chunk { left: u64 },
}

/// What will become of a body.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Fate<T> {
    /// The caller takes it.
    Kept(T),
    /// It is discarded and refused.
    Refused(BodyLoss),
    /// A chunk of it was refused, and so is each that follows.
    Spoiled { is_permanent: bool },
    /// A crash has lost it: it is discarded, and the caller asked at its end.
    Lost(Option<T>),
}

/// What a client has done since its last accepted message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Commands answered with a permanent error, those that do not exist among them.
    pub errors: u32,
    /// Commands that do not exist.
    pub unknown_commands: u32,
    /// Whether it spoke before the greeting.
    pub early_talk: bool,
    /// Whether it said XCLIENT and is not trusted with it.
    pub distrusted: bool,
    /// Recipients refused for good.
    pub refused_recipients: u32,
    /// Recipients put off.
    pub deferred_recipients: u32,
    /// Commands other than good RCPT.
    pub commands: u32,
}
