//! The AUTHORIZATION state (RFC 1939 §4 and §7): USER, PASS, STLS, and CAPA, which is legal in every state.

use super::{Session, State, Transaction};
use crate::event::{Event, Password};
use crate::maildrop::Maildrop;
use crate::settings::Tls;

impl Session {
    /// RFC 2449 §5. Only what works on this connection in this state is listed.
    pub(super) fn capa(&mut self) {
        let in_authorization = matches!(self.state, State::Authorization { .. });
        self.output.line("+OK capability list follows");
        self.output.line("TOP");
        self.output.line("UIDL");
        if self.login_allowed() {
            self.output.line("USER");
        }
        if in_authorization && self.tls == Tls::Offered {
            self.output.line("STLS");
        }
        if in_authorization {
            let mechanisms: String = self.offered().flat_map(|name| [" ", name]).collect();
            if !mechanisms.is_empty() {
                self.output.line(&format!("SASL{mechanisms}"));
            }
        }
        self.output.line("RESP-CODES");
        self.output.line("AUTH-RESP-CODE");
        self.output.line("PIPELINING");
        self.output.line("EXPIRE NEVER");
        self.output.line(".");
    }

    pub(super) fn user(&mut self, name: &str) {
        if !self.login_allowed() {
            return self.fault("-ERR login needs TLS, use STLS first");
        }
        // Whether there is such an account is not told here (RFC 1939 §13).
        self.state = State::Authorization {
            user: Some(name.into()),
        };
        self.output.line("+OK send PASS");
    }

    pub(super) fn pass(&mut self, password: &[u8]) {
        if !self.login_allowed() {
            return self.fault("-ERR login needs TLS, use STLS first");
        }
        let State::Authorization { user } = &mut self.state else {
            return;
        };
        let Some(name) = user.take() else {
            return self.fault("-ERR send USER first");
        };
        self.event = Some(Event::Login {
            name: name.into(),
            password: Password::new(password),
        });
        self.state = State::Verifying;
    }

    pub(super) fn verified(&mut self) {
        self.event = Some(Event::Open);
        self.state = State::Opening;
    }

    pub(super) fn opened(&mut self, maildrop: Maildrop) {
        self.output.line(&format!(
            "+OK {} messages ({} octets)",
            maildrop.len(),
            maildrop.octets()
        ));
        self.state = State::Transaction(Transaction::new(maildrop));
    }

    /// An unknown account and a wrong password are one answer. RFC 3206 §4: the code AUTH.
    pub(super) fn login_refused(&mut self) {
        self.failed_logins += 1;
        if self.failed_logins >= self.settings.failed_login_limit {
            return self.close_with("-ERR [AUTH] wrong name or password, closing connection");
        }
        self.login_failed("-ERR [AUTH] wrong name or password");
    }

    pub(super) fn login_failed(&mut self, text: &str) {
        self.output.line(text);
        self.state = State::Authorization { user: None };
    }

    pub(super) fn stls(&mut self) {
        match self.tls {
            Tls::Offered => {
                self.output.line("+OK begin TLS");
                self.event = Some(Event::StartTls);
                self.state = State::Handshake;
            }
            Tls::Active => self.fault("-ERR TLS is active already"),
            Tls::Unavailable => self.fault("-ERR TLS is not available"),
        }
    }

    fn login_allowed(&self) -> bool {
        self.tls == Tls::Active || self.settings.cleartext_login
    }
}
