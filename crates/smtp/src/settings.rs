//! Settings: what one listener allows its SMTP sessions.
//!
//! Values only: where they come from is the business of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::offers::Offers;
use crate::sasl::Mechanisms;

/// The longest command line without extensions, CRLF included. RFC 5321 §4.5.3.1.4
const COMMAND_LINE: usize = 512;
/// What SIZE adds to a MAIL command. RFC 1870 §3
const SIZE_PARAMETER: usize = 26;
/// What BODY adds to a MAIL command. RFC 6152 §2
const BODY_PARAMETER: usize = 17;

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Mode {
    /// Mail from other servers. RFC 5321
    #[default]
    Relay,
    /// Mail from those who write it, once they have logged in. RFC 6409
    Submission,
    /// Mail from a neighbour who keeps the queue: a reply for each recipient. RFC 2033
    Lmtp,
}

/// What a client is told that speaks before the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum EarlyTalkers {
    /// 554: no mail server does that. RFC 5321 §3.1
    #[default]
    Reject,
    /// 421: it may try again.
    Defer,
}

/// The limits and offers of a session. Every limit is one that a peer can run into, never one that stops the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The name by which this server greets. RFC 5321 §4.2
    pub hostname: String,
    /// What the listener is for.
    pub mode: Mode,
    /// The largest message in octets, as SIZE advertises it (RFC 1870). More is discarded and answered 552 5.3.4.
    pub max_message_size: u64,
    /// Recipients of one message; RFC 5321 §4.5.3.1.8 asks for 100 at least. More are answered 452 4.5.3.
    pub max_recipients: usize,
    /// Commands answered with 5xx since the last accepted message; the next command is answered 421 4.7.0.
    pub max_errors: u32,
    /// Of these, commands that do not exist; the next command is answered 421 4.7.0. Who guesses a protocol is soon done.
    pub max_unknown_commands: u32,
    /// Recipients refused with 5xx since the last accepted message; then 421 4.7.0. Apart from the errors, because an
    /// honest list has dead addresses, and bounded, because a dishonest one is made of them.
    pub max_refused_recipients: u32,
    /// Commands other than a good RCPT since the last accepted message; then 421 4.7.0. Ends NOOP and RSET loops.
    pub max_commands_without_mail: u32,
    /// Transactions of one session, as LIMITS advertises it (RFC 9422); the next MAIL is answered 421 4.7.0.
    pub max_transactions: u32,
    /// Octets of a command line with its CRLF, to which those of [`Settings::offers`] come. A longer one is answered
    /// 500 5.5.2.
    pub max_command_line: usize,
    /// `Received` fields from which on a message is taken to run in a circle and answered 554 5.4.6.
    pub max_hops: u32,
    /// Whether STARTTLS is offered on a clear connection. RFC 3207
    pub starttls: bool,
    /// Whether the client is a proxy that may tell for whom it speaks, once, with XCLIENT.
    pub xclient: bool,
    /// By which mechanisms a client may log in. RFC 4954
    pub mechanisms: Mechanisms,
    /// What is offered beside that.
    pub offers: Offers,
    /// What a client is told that does not wait for the greeting.
    pub early_talkers: EarlyTalkers,
    /// How long a peer may take.
    pub timeouts: Timeouts,
}

impl Settings {
    /// The usual limits under the name of `hostname`, without STARTTLS, AUTH and other offers.
    #[must_use]
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            mode: Mode::Relay,
            max_message_size: 50 << 20,
            max_recipients: 1000,
            max_errors: 20,
            max_unknown_commands: 10,
            max_refused_recipients: 100,
            max_commands_without_mail: 100,
            max_transactions: 10_000,
            max_command_line: COMMAND_LINE + SIZE_PARAMETER + BODY_PARAMETER,
            max_hops: message::hops::MAX_HOPS,
            starttls: false,
            xclient: false,
            mechanisms: Mechanisms::default(),
            offers: Offers::default(),
            early_talkers: EarlyTalkers::default(),
            timeouts: Timeouts::default(),
        }
    }

    /// Octets of the longest command line, CRLF included.
    pub(crate) fn command_line(&self) -> usize {
        self.max_command_line
            .saturating_add(self.offers.octets(!self.mechanisms.is_empty()))
    }
}

/// How long a peer may take. RFC 5321 §4.5.3.2
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// How long the client is to wait for the greeting, and to say nothing; zero greets at once.
    pub greeting: Duration,
    /// For a whole command line: octets that trickle in do not prolong it. RFC 5321 §4.5.3.2.7
    pub command: Duration,
    /// For the next octets of a body. RFC 5321 §4.5.3.2.5
    pub data_block: Duration,
    /// For a whole body, however it trickles in.
    pub data_total: Duration,
    /// For the session; a body that has begun may still be finished.
    pub session_total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            greeting: Duration::ZERO,
            command: Duration::from_secs(5 * 60),
            data_block: Duration::from_secs(3 * 60),
            data_total: Duration::from_secs(60 * 60),
            session_total: Duration::from_secs(4 * 60 * 60),
        }
    }
}
