//! Sasl: the log-ins of one connection. Between a session, which knows lines, and the authenticator, which knows
//! accounts, it leads an exchange of a mechanism, and tells of every failure: to the log, and to the limits.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use auth::{
    Claimant, Secret,
    sasl::{Bindings, Exchange, Mechanism, Refusal, Step, Terms},
};
use bytes::Bytes;
use config::{PlaintextAuth, Protocol as Protocols};
use message::{
    address::Domain,
    id::{AccountId, ConnectionId},
};
use store::record::directory::Protocol;
use supervision::Address;
use tokio::time::Instant;

use crate::{
    authenticator::{self, Attempt, Looked, Place, Verdict},
    connection::Handshake,
    directory::Directory,
    limits::{Limits, Offence},
    telemetry,
};

/// The longest that an answer of the authenticator may take: what an attempt may have to wait, those that wait before
/// it, and the delay of a refusal. Below what a turn of a connection may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(45);

/// What a connection is to those who log in over it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The other side of the connection.
    pub peer: SocketAddr,
    /// The connection.
    pub connection: ConnectionId,
    /// What it is opened for.
    pub protocol: Protocol,
}

/// What TLS says of a connection.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// What names it on both of its ends.
    pub bindings: Bindings,
    /// Whether SCRAM-SHA-256-PLUS is offered on it.
    pub plus_offered: bool,
    /// The addresses that the certificate of the client speaks for.
    pub client: Vec<String>,
}

/// The mechanisms that a listener offers, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// On a connection in clear.
    pub clear: Vec<String>,
    /// Under TLS.
    pub tls: Vec<String>,
}

impl Offer {
    /// What the configuration says; `loopback` says that the peer is on this machine. Who brings mail from other
    /// servers is offered nothing: that door has no log-in to be guessed at.
    #[must_use]
    pub fn of(config: &config::Config, listener: &config::Listener, loopback: bool) -> Self {
        // Without `auth.enabled` nobody logs in over SMTP.
        let is_offered = match listener.protocol {
            Protocols::Pop3 => true,
            Protocols::Submission => config.auth.enabled,
            Protocols::Smtp | Protocols::Lmtp => false,
        };
        if !is_offered {
            return Self::default();
        }
        let in_clear = match listener.plaintext_auth {
            PlaintextAuth::Never => false,
            PlaintextAuth::Loopback => loopback,
            PlaintextAuth::Always => true,
        };
        let names = |of: &[Mechanism]| -> Vec<String> {
            of.iter()
                .filter(|mechanism| config.auth.scram || !mechanism.is_scram())
                .map(|mechanism| mechanism.name().to_owned())
                .collect()
        };
        Self {
            clear: if in_clear { names(&IN_CLEAR) } else { Vec::new() },
            tls: names(&Mechanism::ALL),
        }
    }
}

/// What needs no TLS, where it may be done without.
const IN_CLEAR: [Mechanism; 3] = [Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login];

impl Channel {
    /// What a handshake says.
    #[must_use]
    pub fn of(tls: Option<&Handshake>) -> Self {
        let Some(tls) = tls else {
            return Self::default();
        };
        let bindings = &tls.channel_bindings;
        Self {
            bindings: Bindings {
                exporter: bindings
                    .exporter
                    .as_ref()
                    .map(|octets| Secret::new(octets.as_slice())),
                end_point: bindings
                    .server_end_point
                    .as_ref()
                    .map(|octets| Secret::new(&**octets)),
            },
            // Whoever is offered SCRAM under TLS is offered this, too.
            plus_offered: true,
            client: tls
                .client
                .iter()
                .flat_map(|client| &client.mailboxes)
                .map(|name| name.to_string())
                .collect(),
        }
    }
}

/// What log-ins need, whatever they come by.
#[derive(Clone)]
pub struct Logins {
    /// Who says whether a password fits.
    pub authenticator: Address<authenticator::Msg>,
    /// Who is here.
    pub directory: Directory,
    /// The domain of a login that has none.
    pub default_domain: Option<Domain>,
    /// Who is sent away for guessing.
    pub limits: Limits,
}

/// The log-ins of one connection.
pub struct Sasl {
    origin: Origin,
    logins: Logins,
    dialogue: Option<Dialogue>,
}

/// An exchange that goes on.
struct Dialogue {
    exchange: Exchange,
    client: Vec<String>,
    /// Whose verifier the client must prove that it knows; of nobody's it never can.
    account: Option<AccountId>,
    _place: Option<Place>,
}

/// What a client is told.
#[derive(Debug)]
pub enum Answer {
    /// This, and it answers.
    Challenge(Bytes),
    /// That it is in.
    In(Entrant),
    /// That it is not.
    Out(Denial),
}

/// Who has come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// The account.
    pub account: AccountId,
    /// The name, in its one form.
    pub name: Arc<str>,
    /// The mechanism.
    pub mechanism: Arc<str>,
}

/// Why a client is not let in, as far as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// What it said could not be read.
    Malformed,
    /// It is nobody, or has proven nothing.
    Wrong,
    /// It may try later.
    Later,
}

impl Sasl {
    /// The log-ins of a connection.
    #[must_use]
    pub const fn new(origin: Origin, logins: Logins) -> Self {
        Self {
            origin,
            logins,
            dialogue: None,
        }
    }

    /// Begins an exchange by a mechanism that was offered.
    pub async fn begin(&mut self, mechanism: &str, initial: Option<&[u8]>, channel: Channel) -> Answer {
        let Some(mechanism) = Mechanism::of_name(mechanism) else {
            return Answer::Out(Denial::Malformed);
        };
        let terms = Terms {
            default_domain: self.logins.default_domain.clone(),
            bindings: channel.bindings,
            plus_offered: channel.plus_offered,
        };
        let started = Instant::now();
        let mut exchange = Exchange::new(mechanism, terms);
        let step = exchange.begin(initial);
        let dialogue = Dialogue {
            exchange,
            client: channel.client,
            account: None,
            _place: None,
        };
        let answer = self.follow(dialogue, step).await;
        self.counted(answer, started)
    }

    /// Goes on with an exchange.
    pub async fn respond(&mut self, response: &[u8]) -> Answer {
        let Some(mut dialogue) = self.dialogue.take() else {
            return Answer::Out(Denial::Later);
        };
        let started = Instant::now();
        let step = dialogue.exchange.receive(response);
        let answer = self.follow(dialogue, step).await;
        self.counted(answer, started)
    }

    /// A name and a password that came without an exchange.
    pub async fn password(&mut self, name: String, password: Secret, mechanism: &str) -> Answer {
        let claimant = Claimant::new(name, self.logins.default_domain.as_ref());
        let started = Instant::now();
        let answer = self.verify(claimant, password, mechanism).await;
        self.counted(answer, started)
    }

    /// An address from which somebody comes in is spared what one from which nobody does is banned for.
    fn counted(&self, answer: Answer, started: Instant) -> Answer {
        let peer = self.origin.peer.ip();
        let counter = match &answer {
            Answer::Challenge(_) => return answer,
            Answer::In(_) => &telemetry::AUTH_LOGINS_SUCCEEDED,
            Answer::Out(Denial::Wrong) => &telemetry::AUTH_LOGINS_FAILED,
            Answer::Out(Denial::Malformed) => &telemetry::AUTH_LOGINS_MALFORMED,
            Answer::Out(Denial::Later) => &telemetry::AUTH_LOGINS_DEFERRED,
        };
        counter.count(1);
        telemetry::AUTH_LOGINS_TIME.took(started.elapsed());
        match &answer {
            Answer::In(_) => self.logins.limits.authenticated(peer),
            Answer::Out(Denial::Wrong) => self.logins.limits.offence(peer, Offence::AuthFailure),
            Answer::Challenge(_) | Answer::Out(Denial::Malformed | Denial::Later) => {}
        }
        answer
    }

    /// Follows the exchange until the client must say something, or it is decided.
    async fn follow(&mut self, mut dialogue: Dialogue, step: Step) -> Answer {
        let mechanism = dialogue.exchange.mechanism().name();
        match step {
            Step::Challenge(octets) => {
                self.dialogue = Some(dialogue);
                Answer::Challenge(octets.into())
            }
            Step::Password(claimant, password) => self.verify(claimant, password, mechanism).await,
            Step::Verifier(claimant) => self.look(dialogue, claimant).await,
            Step::Certificate(claimant) => self.certified(&mut dialogue, claimant, mechanism).await,
            Step::Proven(claimant) => match dialogue.account {
                Some(account) => {
                    // A lost hint: the next log-in from there is a stranger's.
                    let _ = self
                        .logins
                        .authenticator
                        .cast(authenticator::Msg::Proven(self.attempt(claimant.clone())));
                    self.enter(account, &claimant, mechanism)
                }
                None => self.refuse(Some(claimant), mechanism, &"no account").await,
            },
            Step::Refused(claimant, why) => {
                let denial = match why {
                    Refusal::Malformed(_) => Denial::Malformed,
                    Refusal::OtherAccount | Refusal::Downgrade | Refusal::Binding | Refusal::Proof => {
                        Denial::Wrong
                    }
                };
                self.refuse(claimant, mechanism, &why).await;
                Answer::Out(denial)
            }
        }
    }

    async fn verify(&self, claimant: Claimant, password: Secret, mechanism: &str) -> Answer {
        let attempt = self.attempt(claimant.clone());
        let asked = self
            .logins
            .authenticator
            .call(ANSWER_LIMIT, |reply| authenticator::Msg::Verify {
                attempt,
                password,
                reply,
            });
        match asked.await {
            Ok(Verdict::Fits(account)) => self.enter(account, &claimant, mechanism),
            Ok(Verdict::Refused) => {
                self.tell(Some(&claimant), mechanism, &"wrong name or password");
                Answer::Out(Denial::Wrong)
            }
            Ok(Verdict::TooSoon) => self.put_off(&claimant, mechanism, "too many failures"),
            Ok(Verdict::Busy) => self.put_off(&claimant, mechanism, "too many log-ins at once"),
            Err(_) => Answer::Out(Denial::Later),
        }
    }

    async fn look(&mut self, mut dialogue: Dialogue, claimant: Claimant) -> Answer {
        let mechanism = dialogue.exchange.mechanism().name();
        let attempt = self.attempt(claimant.clone());
        let asked = self
            .logins
            .authenticator
            .call(ANSWER_LIMIT, |reply| authenticator::Msg::Look { attempt, reply });
        match asked.await {
            Ok(Looked::Verifier {
                account,
                verifier,
                place,
            }) => {
                let step = dialogue.exchange.verifier(verifier, rand::random());
                let Step::Challenge(octets) = step else {
                    return Answer::Out(Denial::Later);
                };
                self.dialogue = Some(Dialogue {
                    account,
                    _place: Some(place),
                    ..dialogue
                });
                Answer::Challenge(octets.into())
            }
            Ok(Looked::TooSoon) => self.put_off(&claimant, mechanism, "too many failures"),
            Ok(Looked::Busy) => self.put_off(&claimant, mechanism, "too many log-ins at once"),
            Err(_) => Answer::Out(Denial::Later),
        }
    }

    /// The certificate speaks for addresses; the client is the one that it names, or the only one there is.
    async fn certified(
        &self,
        dialogue: &mut Dialogue,
        claimant: Option<Claimant>,
        mechanism: &str,
    ) -> Answer {
        let directory = self.logins.directory.snapshot();
        let mut known: Vec<(AccountId, Claimant)> = Vec::new();
        for name in dialogue.client.drain(..) {
            let certified = Claimant::new(name, None);
            let login = certified.login();
            let account = login.and_then(|login| directory.login(login.as_str()));
            if let Some((account, _)) = account
                && known.iter().all(|(other, _)| *other != account)
            {
                known.push((account, certified));
            }
        }
        let wanted = |certified: &Claimant| claimant.as_ref().is_none_or(|it| it.key() == certified.key());
        known.retain(|(_, certified)| wanted(certified));
        match known.as_slice() {
            [(account, certified)] => self.enter(*account, certified, mechanism),
            [] => {
                let why = "the certificate speaks for no such account";
                self.refuse(claimant, mechanism, &why).await
            }
            _ => {
                let why = "the certificate speaks for several accounts, and none was named";
                self.refuse(claimant, mechanism, &why).await
            }
        }
    }

    fn enter(&self, account: AccountId, claimant: &Claimant, mechanism: &str) -> Answer {
        let Origin {
            peer,
            connection,
            protocol,
        } = &self.origin;
        tracing::debug!(target: "angarium::security", %peer, %connection, %protocol, mechanism, account = %claimant, "a log-in succeeded");
        Answer::In(Entrant {
            account,
            name: claimant.key().into(),
            mechanism: mechanism.into(),
        })
    }

    /// Tells of a failure that the authenticator has not found itself, and lets it count.
    async fn refuse(
        &self,
        claimant: Option<Claimant>,
        mechanism: &str,
        why: &(dyn std::fmt::Display + Sync),
    ) -> Answer {
        self.tell(claimant.as_ref(), mechanism, why);
        let attempt = self.attempt(claimant.unwrap_or_else(|| Claimant::new("", None)));
        let asked = self
            .logins
            .authenticator
            .call(ANSWER_LIMIT, |reply| authenticator::Msg::Failed {
                attempt,
                reply,
            });
        match asked.await {
            Ok(()) => Answer::Out(Denial::Wrong),
            Err(_) => Answer::Out(Denial::Later),
        }
    }

    fn put_off(&self, claimant: &Claimant, mechanism: &str, why: &str) -> Answer {
        self.tell(Some(claimant), mechanism, &why);
        Answer::Out(Denial::Later)
    }

    fn tell(&self, claimant: Option<&Claimant>, mechanism: &str, reason: &dyn std::fmt::Display) {
        let Origin {
            peer,
            connection,
            protocol,
        } = &self.origin;
        let account = claimant.map(ToString::to_string).unwrap_or_default();
        // The client is told no such thing.
        let login = claimant.and_then(Claimant::login);
        let is_suspended = login.is_some_and(|login| {
            self.logins
                .directory
                .snapshot()
                .suspended_login(login.as_str())
                .is_some()
        });
        let suspended = is_suspended.then_some(true);
        tracing::warn!(target: "angarium::security", %peer, %connection, %protocol, mechanism, account, suspended, %reason, "a log-in was refused");
    }

    fn attempt(&self, claimant: Claimant) -> Attempt {
        Attempt {
            claimant,
            peer: self.origin.peer.ip(),
            protocol: self.origin.protocol,
        }
    }
}

#[cfg(test)]
mod tests;
