//! What the machine asks and tells, and what it is answered.

use std::sync::Arc;

use bytes::Bytes;

use super::state::Mail;
use crate::command::Xclient;
use crate::recipients::RecipientPath;
use crate::reply::{Reply, table};
use crate::sasl::{Login, Response};

/// What the caller must decide or do. Until an event that asks is answered the session takes no input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// May this transaction begin? `Accept`, `AcceptWith` or `Refuse`.
    Mail(Arc<Mail>),
    /// Where does mail for this recipient go? `Route` or `Refuse`.
    Recipient(Arc<RecipientPath>),
    /// Will a body be taken? `Open` with what is to be kept of it, or `Refuse`.
    BodyBegin,
    /// Text of the message, in order, with its dots taken out. Asks nothing.
    Body(Bytes),
    /// The body is whole, with so many octets. `Accept` or `AcceptWith` only when the message is durable; or `Refuse`.
    BodyEnd {
        /// Octets of all [`Event::Body`] together.
        octets: u64,
    },
    /// The body is not wanted any more: what came of it is to be thrown away. Asks nothing; the machine discards the
    /// rest and answers at its end.
    BodyDropped(BodyLoss),
    /// The end of a body that was lost in a crash: was its message accepted before? [`super::Session::ticket`] tells
    /// which. `Accept` or `AcceptWith` if it was and is durable, else `Refuse`.
    BodyLost,
    /// May TLS begin? `Accept` or `Refuse`. After `Accept` the output is written, unread input forgotten, and the
    /// handshake made; then comes [`super::Session::tls_established`].
    StartTls,
    /// A trusted proxy tells for whom it speaks. `Accept`, `Authenticated` if the account is known under which that
    /// one has logged in, or `Refuse`. Then the session begins again, with another [`super::Session::peer`].
    Xclient(Arc<Xclient>),
    /// May an exchange by this mechanism, one of those offered, begin? Asks as [`Event::AuthenticateResponse`] does.
    Authenticate {
        /// The name in capitals.
        mechanism: Arc<str>,
        /// What the client said with its command; no octets if it said that.
        initial: Option<Response>,
    },
    /// How does the exchange go on? `Challenge`, `Authenticated` or `Refuse`, which ends it. An exchange that the
    /// client cancelled ends untold: [`super::Session::is_authenticating`] tells whether there is one.
    AuthenticateResponse(Response),
}

/// The answer to an event that asks.
///
/// An answer that does not fit its question is a mistake of the caller; the client is told 451 4.3.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict<R, T> {
    /// Yes, with the usual reply.
    Accept,
    /// Yes, with this 2xx reply.
    AcceptWith(Reply),
    /// Yes to a recipient, whose mail goes there.
    Route(R),
    /// Yes to a body.
    Open(T),
    /// The exchange goes on with this challenge.
    Challenge(Bytes),
    /// The exchange is over, and this is who the client is.
    Authenticated(Login),
    /// No, with this 4xx or 5xx reply; 421 ends the session.
    Refuse(Reply),
}

/// Why a body is not wanted any more. If several reasons apply, the client is told the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum BodyLoss {
    /// The client thought better of it between two chunks, and is told no more than that.
    Withdrawn,
    /// The client took too long.
    TimedOut,
    /// More Received fields than a message gets that does not run in a circle.
    TooManyHops,
    /// More octets than the limit, or far more than declared.
    TooLarge,
    /// A carriage return or a line feed stood alone.
    BareLineEnd,
}

impl BodyLoss {
    /// What the client is told.
    #[must_use]
    pub const fn reply(self) -> Reply {
        match self {
            Self::Withdrawn => table::OK,
            Self::TimedOut => table::TIMED_OUT,
            Self::TooManyHops => table::TOO_MANY_HOPS,
            Self::TooLarge => table::TOO_LARGE,
            Self::BareLineEnd => table::BARE_LINE_END,
        }
    }
}
