//! Sasl: the server's half of an authentication exchange (RFC 4422), from the first response to the decision.
//!
//! An [`Exchange`] knows neither accounts nor hashes: it says in a [`Step`] what it must know, and is answered. How its
//! messages travel (base64, `334`, `+`) is the protocol's.

mod binding;
mod client;
mod gs2;
mod plain;
mod scram;

use std::mem;

use message::Domain;

use crate::claimant::Claimant;
use crate::secret::Secret;
use crate::verifier::ScramVerifier;

pub use binding::Bindings;
pub use client::{Proof, ScramClient};
pub use scram::NONCE_LENGTH;

/// Octets of a message of a client, at most: far more than a name and a password need.
pub const MESSAGE_LENGTH_LIMIT: usize = 4096;

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// RFC 5802, RFC 7677, bound to the TLS that carries it.
    ScramSha256Plus,
    /// RFC 5802, RFC 7677.
    ScramSha256,
    /// The certificate of the client, RFC 4422 appendix A.
    External,
    /// RFC 4616.
    Plain,
    /// Name and password asked for one after the other; draft-murchison-sasl-login.
    Login,
}

impl Mechanism {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::External,
        Self::Plain,
        Self::Login,
    ];

    /// The mechanism of a name in any case.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }

    /// Whether it proves a password without sending it, and needs a verifier of it.
    #[must_use]
    pub const fn is_scram(self) -> bool {
        matches!(self, Self::ScramSha256Plus | Self::ScramSha256)
    }

    /// Its registered name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::External => "EXTERNAL",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

/// What holds for an exchange from its beginning.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// The domain of a name without one.
    pub default_domain: Option<Domain>,
    /// What names the TLS connection; empty without one.
    pub bindings: Bindings,
    /// Whether SCRAM-SHA-256-PLUS was offered: a client that says it was not has been lied to.
    pub plus_offered: bool,
}

/// What an exchange needs next.
#[derive(Debug)]
pub enum Step {
    /// Send this to the client and give [`Exchange::receive`] what it answers.
    Challenge(Vec<u8>),
    /// Does this password open the account of this name? The exchange is over, the answer is the caller's.
    Password(Claimant, Secret),
    /// Which verifier has the account of this name? Answer with [`Exchange::verifier`].
    Verifier(Claimant),
    /// Does the certificate of the client stand for the account of this name, or, without one, for which? The exchange
    /// is over, the answer is the caller's.
    Certificate(Option<Claimant>),
    /// The client of this name has proven itself against the verifier that was given. The exchange is over.
    Proven(Claimant),
    /// The client is refused. The exchange is over.
    Refused(Option<Claimant>, Refusal),
}

/// Why a client is refused. It is told no more than whether its message could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A message is not in the form of its mechanism.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// It wants to act for another account.
    #[error("it wants to act for another account")]
    OtherAccount,
    /// It believes that we cannot bind to TLS though we have offered it: someone stands between us. RFC 5802 §6
    #[error("channel binding was taken away between us")]
    Downgrade,
    /// It is bound to another TLS connection, or in a way that we do not have.
    #[error("it is bound to another channel")]
    Binding,
    /// Its proof does not fit the verifier.
    #[error("the proof does not fit")]
    Proof,
}

/// One exchange.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    terms: Terms,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The client has sent nothing yet.
    Fresh,
    /// LOGIN: "Username:" was asked.
    Name,
    /// LOGIN: "Password:" was asked.
    Password(Claimant),
    /// SCRAM: the verifier is being looked for.
    Looking(Claimant, scram::First),
    /// SCRAM: the client must prove itself.
    Proving(Claimant, scram::Challenged),
    /// SCRAM: the client must say that our proof is right, too.
    Proven(Claimant),
    Over,
}

impl Exchange {
    /// Begins an exchange.
    #[must_use]
    pub const fn new(mechanism: Mechanism, terms: Terms) -> Self {
        Self {
            mechanism,
            terms,
            state: State::Fresh,
        }
    }

    /// Its mechanism.
    #[must_use]
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Takes what came with the command that began the exchange: nothing, or the initial response.
    pub fn begin(&mut self, initial: Option<&[u8]>) -> Step {
        match initial {
            Some(initial) => self.receive(initial),
            None if self.mechanism == Mechanism::Login => {
                self.state = State::Name;
                Step::Challenge(b"Username:".to_vec())
            }
            // The client speaks first, and says what it has in its next line. RFC 4422 §3.3
            None => Step::Challenge(Vec::new()),
        }
    }

    /// Takes a response of the client.
    pub fn receive(&mut self, response: &[u8]) -> Step {
        let state = mem::replace(&mut self.state, State::Over);
        if response.len() > MESSAGE_LENGTH_LIMIT {
            return malformed("a message is too long");
        }
        match (state, self.mechanism) {
            (State::Fresh, Mechanism::Plain) => self.plain(response),
            (State::Fresh | State::Name, Mechanism::Login) => self.name(response),
            (State::Password(claimant), _) => match plain::password(response) {
                Ok(password) => Step::Password(claimant, password),
                Err(why) => Step::Refused(Some(claimant), why),
            },
            (State::Fresh, Mechanism::External) => self.external(response),
            (State::Fresh, Mechanism::ScramSha256 | Mechanism::ScramSha256Plus) => self.first(response),
            (State::Proving(claimant, challenged), _) => {
                match challenged.verify(response, &self.terms.bindings) {
                    Ok(signature) => {
                        self.state = State::Proven(claimant);
                        Step::Challenge(signature)
                    }
                    Err(why) => Step::Refused(Some(claimant), why),
                }
            }
            (State::Proven(claimant), _) if response.is_empty() => Step::Proven(claimant),
            (State::Proven(claimant), _) => Step::Refused(Some(claimant), TOO_MUCH),
            (State::Name | State::Looking(..) | State::Over, _) => Step::Refused(None, TOO_MUCH),
        }
    }

    /// Answers [`Step::Verifier`]; for an unknown account with a decoy. `nonce` must be fresh randomness.
    pub fn verifier(&mut self, verifier: ScramVerifier, nonce: [u8; NONCE_LENGTH]) -> Step {
        match mem::replace(&mut self.state, State::Over) {
            State::Looking(claimant, first) => {
                let (challenged, challenge) = first.challenge(verifier, &scram::printed(nonce));
                self.state = State::Proving(claimant, challenged);
                Step::Challenge(challenge)
            }
            _ => Step::Refused(None, TOO_MUCH),
        }
    }

    fn plain(&self, response: &[u8]) -> Step {
        let plain = match plain::Plain::parse(response) {
            Ok(plain) => plain,
            Err(why) => return Step::Refused(None, why),
        };
        match self.acting_for(plain.name, plain.acting_for) {
            Ok(claimant) => Step::Password(claimant, plain.password),
            Err(refused) => refused,
        }
    }

    fn name(&mut self, response: &[u8]) -> Step {
        match plain::name(response) {
            Ok(name) => {
                self.state = State::Password(Claimant::new(name, self.terms.default_domain.as_ref()));
                Step::Challenge(b"Password:".to_vec())
            }
            Err(why) => Step::Refused(None, why),
        }
    }

    fn external(&self, response: &[u8]) -> Step {
        if response.is_empty() {
            return Step::Certificate(None);
        }
        match plain::name(response) {
            Ok(name) => Step::Certificate(Some(Claimant::new(name, self.terms.default_domain.as_ref()))),
            Err(why) => Step::Refused(None, why),
        }
    }

    fn first(&mut self, response: &[u8]) -> Step {
        let is_plus = self.mechanism == Mechanism::ScramSha256Plus;
        let first = match scram::First::parse(response) {
            Ok(first) => first,
            Err(why) => return Step::Refused(None, why),
        };
        let claimant = match self.acting_for(&first.name, first.acting_for.as_deref()) {
            Ok(claimant) => claimant,
            Err(refused) => return refused,
        };
        if let Err(why) = first.flag.check(is_plus, &self.terms) {
            return Step::Refused(Some(claimant), why);
        }
        self.state = State::Looking(claimant.clone(), first);
        Step::Verifier(claimant)
    }

    /// Nobody acts for another: whom a client wants to act for is nobody or itself.
    fn acting_for(&self, name: &str, other: Option<&str>) -> Result<Claimant, Step> {
        let home = self.terms.default_domain.as_ref();
        let claimant = Claimant::new(name, home);
        if other.is_some_and(|other| !claimant.is_also(other, home)) {
            return Err(Step::Refused(Some(claimant), Refusal::OtherAccount));
        }
        Ok(claimant)
    }
}

const TOO_MUCH: Refusal = Refusal::Malformed("a message too many");

fn malformed(why: &'static str) -> Step {
    Step::Refused(None, Refusal::Malformed(why))
}

#[cfg(test)]
mod tests;
