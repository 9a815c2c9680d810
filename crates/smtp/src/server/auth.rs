//! AUTH and the exchange behind it. RFC 4954
//!
//! The machine takes the lines of an exchange apart and puts them together; what they mean the caller knows. A line of
//! the client inside an exchange is a response and never a command, also when the exchange was lost in a crash.

use std::sync::Arc;

use bytes::Bytes;
use message::time::Tick;

use super::Session;
use super::state::{Exchange, State};
use super::turn::{Opening, Question};
use super::{LINE_END, Login};
use crate::framing::line::{self, Found, Skip};
use crate::reply::{Reply, table};
use crate::sasl::{self, Response};

impl<R, T> Session<R, T> {
    /// Who the client has proved to be.
    #[must_use]
    pub fn login(&self) -> Option<&Login> {
        self.login.as_deref()
    }

    /// Whether the next line of the client belongs to an exchange that the caller has in hand.
    #[must_use]
    pub const fn is_authenticating(&self) -> bool {
        matches!(self.state, State::Exchange(_, Exchange::Open))
            || matches!(
                self.turn.question,
                Some(Question::Authenticate(_) | Question::AuthenticateResponse(_))
            )
    }

    /// The mechanisms that the client may use now.
    pub(super) fn offered(&self) -> impl Iterator<Item = &str> {
        let mechanisms = &self.settings.mechanisms;
        let offered = match &self.tls {
            Some(_) => &mechanisms.tls,
            None => &mechanisms.clear,
        };
        let has_proof = self.tls().is_some_and(|tls| tls.is_client_verified);
        offered
            .iter()
            .map(String::as_str)
            .filter(move |name| *name != EXTERNAL || has_proof)
    }

    /// Begins an exchange, if it may begin. What was said with AUTH is not looked at before.
    pub(super) fn authenticate(&mut self, mechanism: Arc<str>, initial: Option<&[u8]>) {
        if self.settings.mechanisms.is_empty() {
            return self.refuse(table::NOT_IMPLEMENTED);
        }
        if self.login.is_some() {
            return self.refuse(table::AUTH_ALREADY);
        }
        if !self.offered().any(|name| *name == *mechanism) {
            let needs_tls = self.tls.is_none()
                && self
                    .settings
                    .mechanisms
                    .tls
                    .iter()
                    .any(|name| **name == *mechanism);
            return self.refuse(if needs_tls {
                table::AUTH_NEEDS_TLS
            } else {
                table::UNKNOWN_MECHANISM
            });
        }
        match initial.map(Response::decode_initial) {
            Some(None) => self.refuse(table::BAD_BASE64),
            initial => self.turn.ask(Question::Authenticate(Box::new(Opening {
                mechanism,
                initial: initial.flatten(),
            }))),
        }
    }

    pub(super) fn receive_response(&mut self, input: &Bytes, now: Tick) -> usize {
        match line::find(input, sasl::MAX_LINE) {
            Found::Partial => 0,
            Found::Line { length } => {
                self.await_command(now);
                self.take_response(input.get(..length).unwrap_or_default());
                length + LINE_END
            }
            Found::BareLineFeed { length } => {
                self.state.end_exchange();
                self.skip_line(table::BARE_LINE_FEED, Skip::start(), length, now)
            }
            Found::TooLong { length, skip } => {
                self.state.end_exchange();
                self.skip_line(table::AUTH_LINE_TOO_LONG, skip, length, now)
            }
        }
    }

    fn take_response(&mut self, line: &[u8]) {
        let exchange = self.state.end_exchange();
        if !matches!(exchange, Some(Exchange::Open)) {
            return self.say(table::AUTH_TEMPORARY_FAILURE);
        }
        if let Some(farewell) = self.exceeded() {
            return self.close(farewell);
        }
        if line == b"*" {
            return self.refuse(table::AUTH_CANCELLED);
        }
        match Response::decode(line) {
            Some(response) => self.turn.ask(Question::AuthenticateResponse(response)),
            None => self.refuse(table::BAD_BASE64),
        }
    }

    /// Sends a challenge and waits for the response.
    pub(super) fn challenge(&mut self, challenge: &[u8]) {
        self.state.begin_exchange(Exchange::Open);
        self.say(Reply::challenge(challenge));
    }

    pub(super) fn authenticated(&mut self, login: Login) {
        self.login = Some(Arc::new(login));
        self.say(table::AUTHENTICATED);
    }
}

/// The mechanism whose proof is the handshake. RFC 4422 appendix A
const EXTERNAL: &str = "EXTERNAL";
