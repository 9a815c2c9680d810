//! AUTH and the exchange behind it (RFC 5034). A line of the client inside an exchange is a response and never a command,
//! also when the exchange was lost in a crash.

use bytes::Bytes;
use message::Tick;
use serde::{Deserialize, Serialize};

use super::{NOT_NOW, Session, State};
use crate::event::Event;
use crate::line::Line;
use crate::sasl::{self, RESPONSE_LIMIT, Response};
use crate::settings::Tls;

/// Whether the caller has the exchange in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Exchange {
    /// It has.
    Open,
    /// It was lost with the actor that had it.
    Lost,
}

/// The mechanism whose proof is the handshake. RFC 4422 appendix A
const EXTERNAL: &str = "EXTERNAL";

impl Session {
    /// Whether the caller has an exchange in hand, which is lost when it dies: then [`Session::recover`].
    #[must_use]
    pub const fn is_authenticating(&self) -> bool {
        matches!(
            self.state,
            State::Authenticating | State::Exchange(Exchange::Open)
        )
    }

    /// The mechanisms that the client may use now.
    pub(super) fn offered(&self) -> impl Iterator<Item = &str> {
        let mechanisms = &self.settings.mechanisms;
        let offered = match self.tls {
            Tls::Active => &mechanisms.tls,
            Tls::Unavailable | Tls::Offered => &mechanisms.clear,
        };
        let has_proof = self.client_verified;
        offered
            .iter()
            .map(String::as_str)
            .filter(move |name| *name != EXTERNAL || has_proof)
    }

    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<&str>) {
        let Some(mechanism) = sasl::mechanism(mechanism) else {
            return self.fault("-ERR unknown mechanism");
        };
        if !self.offered().any(|name| *name == *mechanism) {
            let behind_tls = &self.settings.mechanisms.tls;
            let needs_tls = self.tls == Tls::Offered && behind_tls.iter().any(|name| **name == *mechanism);
            return self.fault(if needs_tls {
                "-ERR login needs TLS, use STLS first"
            } else {
                "-ERR unknown mechanism"
            });
        }
        let initial = match initial.map(Response::decode_initial) {
            Some(None) => return self.fault("-ERR not base64"),
            initial => initial.flatten(),
        };
        self.state = State::Authenticating;
        self.event = Some(Event::Authenticate { mechanism, initial });
    }

    pub(super) fn receive_response(&mut self, input: &Bytes, now: Tick) -> usize {
        let (line, consumed) = self.line.read(input, RESPONSE_LIMIT);
        let Some(line) = line else {
            return consumed;
        };
        self.active = now;
        let is_lost = matches!(self.state, State::Exchange(Exchange::Lost));
        self.state = State::Authorization { user: None };
        match line {
            Line::Whole(_) if is_lost => self.output.line(NOT_NOW),
            Line::Whole(b"*") => self.fault("-ERR the exchange is cancelled"),
            Line::Whole(line) => match Response::decode(line) {
                Some(response) => {
                    self.state = State::Authenticating;
                    self.event = Some(Event::AuthenticateResponse(response));
                }
                None => self.fault("-ERR not base64"),
            },
            Line::BareNewline => self.fault("-ERR lines must end with CRLF"),
            Line::TooLong => self.fault("-ERR line too long"),
            Line::Flood => self.flood(),
        }
        consumed
    }

    pub(super) fn challenge(&mut self, octets: &[u8]) {
        self.output.challenge(&sasl::challenge(octets));
        self.state = State::Exchange(Exchange::Open);
    }

    pub(super) fn malformed(&mut self) {
        self.state = State::Authorization { user: None };
        self.fault("-ERR malformed response");
    }
}
