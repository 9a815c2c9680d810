//! Event and Verdict: what a session asks of its actor, and what the actor answers.
//!
//! A session asks one thing at a time. Every event but [`Event::StartTls`] is answered by exactly one
//! [`Session::respond`](crate::Session::respond).

use std::fmt;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::maildrop::Maildrop;
use crate::sasl::Response;

/// What only the actor can know or do.
#[derive(Debug, Clone)]
pub enum Event {
    /// Is this the password of this account? Answer [`Verdict::Verified`], [`Verdict::Refused`], [`Verdict::Denied`] or
    /// [`Verdict::Unavailable`]. An unknown name is refused like a wrong password, after the same time.
    Login {
        /// The name as the client wrote it: printable ASCII.
        name: String,
        /// The password: printable ASCII, spaces included.
        password: Password,
    },
    /// The client wants to log in by a mechanism that was offered. Answer [`Verdict::Challenge`], or as
    /// [`Event::Login`]; [`Verdict::Malformed`] where the response is not in the form of the mechanism.
    Authenticate {
        /// The mechanism, in capitals.
        mechanism: Arc<str>,
        /// What came with the command, if anything did.
        initial: Option<Response>,
    },
    /// The answer to a challenge. Answer as [`Event::Authenticate`]. When another event comes in its place, or the session
    /// ends, the exchange is over.
    AuthenticateResponse(Response),
    /// The account is verified: lock its mailbox for this session and list it. Answer [`Verdict::Opened`],
    /// [`Verdict::InUse`] or [`Verdict::Unavailable`].
    Open,
    /// A part of a message is wanted. Answer [`Verdict::Chunk`], [`Verdict::LastChunk`], [`Verdict::End`] or
    /// [`Verdict::Lost`]. When the next event is another, or [`Session::more`](crate::Session::more) is false, no further
    /// part of this message is wanted.
    Retrieve(Retrieve),
    /// The client said QUIT: remove these messages from the mailbox. Answer [`Verdict::Updated`] or
    /// [`Verdict::Unavailable`]. Does not come when nothing is to be removed.
    Update {
        /// UIDs of the messages to remove, in the order of the listing; at most as many as were listed.
        removed: Vec<u32>,
    },
    /// Write what [`Session::output`](crate::Session::output) gives, drop every octet already read behind it (RFC 2595
    /// §4), shake hands, and say [`Session::tls_established`](crate::Session::tls_established). Needs no verdict.
    StartTls,
}

/// One part of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retrieve {
    /// The number of the message in the listing, from 1.
    pub number: u32,
    /// Its UID.
    pub uid: u32,
    /// Which part: 0 first, then one more for every [`Verdict::Chunk`]. Parts are as long as the actor likes.
    pub part: u32,
    /// How many lines of the body are wanted (TOP), `None` for all (RETR): tells how much to read ahead.
    pub lines: Option<u32>,
}

/// The answer to an [`Event`]. One that does not answer the question asked ends the session.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// This is to be sent to the client, which answers it.
    Challenge(Bytes),
    /// The password is right.
    Verified,
    /// Unknown account or wrong password.
    Refused,
    /// What the client said is not in the form of the mechanism.
    Malformed,
    /// The password is right, but the account may not use POP3.
    Denied,
    /// It cannot be done now; the client may try again.
    Unavailable,
    /// Another session has the mailbox.
    InUse,
    /// The mailbox is locked for this session, and this is in it.
    Opened(Maildrop),
    /// The wanted part of the message, as stored, of any length; more follows. Output of a turn is bounded by
    /// [`TURN_OCTETS`](crate::TURN_OCTETS) and one chunk, so the chunk should be bounded too.
    Chunk(Bytes),
    /// The wanted part of the message, and it is the last.
    LastChunk(Bytes),
    /// The message has no further part.
    End,
    /// The message cannot be read. If its beginning was sent, the connection ends, so that no client takes it for whole.
    Lost,
    /// All messages are removed.
    Updated,
}

/// A password in clear text, wiped when dropped and not shown by `Debug`.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Copies a password out of a line.
    pub(crate) fn new(octets: &[u8]) -> Self {
        Self(Zeroizing::new(octets.to_vec()))
    }

    /// The octets.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The octets, moved out: wiping them is now the caller's duty.
    #[must_use]
    pub fn into_octets(mut self) -> Vec<u8> {
        mem::take(&mut self.0)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
