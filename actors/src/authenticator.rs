//! Authenticator: says whether a password fits an account, at the same cost whether or not there is such an account, and
//! how fast may be tried.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Verify, Look, Admitted, Judged, Proven, Failed}
//! Calls:    the directory's snapshot, a bounded pool of threads for Argon2id
//! Owns:     the passwords verified in the last minutes, as keyed hashes in memory; who has failed, and who is at home
//! On death: what was remembered is forgotten, so the next log-ins pay for a full hash, and guessers begin anew; log-ins
//!           under way are answered `Unavailable` or `Unknown` and the client tries again.
//! Limits:   config.auth, MAX_REMEMBERED, auth::pace::{MAX_SOURCES, MAX_ACCOUNTS, MAX_HOMES}

mod places;

use std::{net::IpAddr, sync::Arc, time::Duration};

use auth::{
    AppPassword, Claimant, Cost, Decoy, RememberedPasswords, ScramVerifier, Secret,
    pace::{Admission, Pace, PaceLimits},
    prepared,
};
use message::id::AccountId;
use ractor_cluster_derive::RactorMessage;
use store::record::directory::Protocol;
use supervision::{Actor, Broken, Context, Inspection, Reply, Settings};
use tokio::{sync::Semaphore, task::JoinSet};

pub use self::places::Place;
use self::places::Places;
use crate::{
    clock::Clock,
    directory::{Credentials, Directory},
};

/// The most verified passwords kept in memory: about 100 octets each.
const MAX_REMEMBERED: usize = 100_000;

/// One of so many places is left for those who have come in from their address before.
const SHARE_AT_HOME: u32 = 4;

/// Who tries to come in.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who it says it is.
    pub claimant: Claimant,
    /// From where.
    pub peer: IpAddr,
    /// By which door.
    pub protocol: Protocol,
}

/// What the authenticator is asked, and tells itself.
#[derive(RactorMessage)]
pub enum Msg {
    /// Does this password open an account of this name?
    Verify {
        /// Who asks.
        attempt: Attempt,
        /// As the client gave it.
        password: Secret,
        /// Where the answer goes; a refusal comes after a delay.
        reply: Reply<Verdict>,
    },
    /// Which verifier has the account of this name? What comes of it is told with [`Msg::Proven`] or [`Msg::Failed`].
    Look {
        /// Who asks.
        attempt: Attempt,
        /// Where the answer goes.
        reply: Reply<Looked>,
    },
    /// An attempt has waited for as long as it must.
    Admitted(Admitted),
    /// A worker has hashed a password.
    Judged(Judged),
    /// A client has proven itself.
    Proven(Attempt),
    /// A client has failed to prove itself.
    Failed {
        /// Who.
        attempt: Attempt,
        /// Answered after the delay of a refusal.
        reply: Reply<()>,
    },
}

/// An attempt that may be made now.
pub struct Admitted {
    attempt: Attempt,
    is_at_home: bool,
    question: Question,
}

enum Question {
    Password(Secret, Reply<Verdict>),
    Verifier(Reply<Looked>),
}

/// What a worker found.
pub struct Judged {
    attempt: Attempt,
    fitted: Option<(AccountId, Arc<Credentials>, Secret)>,
    reply: Reply<Verdict>,
}

/// The answer to a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is a password of this account.
    Fits(AccountId),
    /// There is no such account, or this is not its password: nobody is told which.
    Refused,
    /// The address has failed too often to be heard now.
    TooSoon,
    /// More log-ins wait than the configuration allows.
    Busy,
}

/// The answer to a name.
pub enum Looked {
    /// What the client must prove that it fits. Without an account it fits nothing.
    Verifier {
        /// Whose it is.
        account: Option<AccountId>,
        /// Its verifier, or a decoy.
        verifier: ScramVerifier,
        /// To be kept until the exchange is over.
        place: Place,
    },
    /// The address has failed too often to be heard now.
    TooSoon,
    /// More exchanges are under way than the configuration allows, or nothing can be looked up.
    Busy,
}

/// What an authenticator needs.
pub struct Args {
    /// The clock of the process.
    pub clock: Clock,
    /// Who has which password.
    pub directory: Directory,
    /// The current settings.
    pub config: Arc<config::Config>,
}

/// The authenticator.
pub struct Authenticator;

/// What an authenticator holds.
pub struct State {
    clock: Clock,
    directory: Directory,
    config: Arc<config::Config>,
    pace: Pace,
    remembered: RememberedPasswords,
    decoy: Arc<Decoy>,
    workers: Arc<Semaphore>,
    /// For passwords that are hashed or wait for it.
    hashing: Places,
    /// For exchanges that prove a password.
    proving: Places,
    /// Passwords hashed since the start.
    hashes: u64,
    tasks: JoinSet<()>,
}

impl Actor for Authenticator {
    const CLASS: &'static str = "authenticator";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let auth = &args.config.auth;
        Ok(State {
            pace: Pace::new(pace_limits(auth)),
            remembered: RememberedPasswords::new(rand::random(), MAX_REMEMBERED),
            decoy: Arc::new(Decoy::new(rand::random(), cost(auth)?)),
            workers: Arc::new(Semaphore::new(auth.workers as usize)),
            hashing: Places::new(hashing_limits(auth)),
            proving: Places::new(proving_limits(auth)),
            hashes: 0,
            clock: args.clock,
            directory: args.directory,
            config: args.config,
            tasks: JoinSet::new(),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Verify {
                attempt,
                password,
                reply,
            } => state.admit(ctx, attempt, Question::Password(password, reply)),
            Msg::Look { attempt, reply } => state.admit(ctx, attempt, Question::Verifier(reply)),
            Msg::Admitted(admitted) => state.proceed(ctx, admitted),
            Msg::Judged(judged) => state.judge(judged),
            Msg::Proven(attempt) => state.succeed(&attempt),
            Msg::Failed { attempt, reply } => state.fail(&attempt, move || reply.send(())),
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let config = settings.shared_of::<config::Config>();
        let auth = &config.auth;
        state.pace.limit(pace_limits(auth));
        state.decoy = Arc::new(Decoy::new(rand::random(), cost(auth)?));
        state.workers = Arc::new(Semaphore::new(auth.workers as usize));
        state.hashing = Places::new(hashing_limits(auth));
        state.proving = Places::new(proving_limits(auth));
        state.config = config;
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("waiting", state.tasks.len())
            .with("hashing", state.hashing.taken())
            .with("proving", state.proving.taken())
            .with("hashes", state.hashes)
            .with("failing_sources", state.pace.sources())
            .with("remembered", state.remembered.len())
    }
}

impl State {
    fn admit(&mut self, ctx: &Context<Msg>, attempt: Attempt, question: Question) {
        while self.tasks.try_join_next().is_some() {}
        let admission = self
            .pace
            .admit(self.clock.tick(), attempt.peer, &attempt.claimant);
        let admitted = Admitted {
            attempt,
            is_at_home: admission == Admission::AtHome,
            question,
        };
        match admission {
            Admission::TooSoon => match admitted.question {
                Question::Password(_, reply) => reply.send(Verdict::TooSoon),
                Question::Verifier(reply) => reply.send(Looked::TooSoon),
            },
            Admission::AtHome | Admission::After(Duration::ZERO) => self.proceed(ctx, admitted),
            Admission::After(wait) => {
                let me = ctx.address();
                self.tasks.spawn(async move {
                    tokio::time::sleep(wait).await;
                    // Without an authenticator the asker is told that there is none.
                    let _ = me.cast(Msg::Admitted(admitted));
                });
            }
        }
    }

    fn proceed(&mut self, ctx: &Context<Msg>, admitted: Admitted) {
        let Admitted {
            attempt,
            is_at_home,
            question,
        } = admitted;
        match question {
            Question::Password(password, reply) => self.verify(ctx, attempt, is_at_home, password, reply),
            Question::Verifier(reply) => reply.send(self.look(&attempt, is_at_home)),
        }
    }

    fn look(&self, attempt: &Attempt, is_at_home: bool) -> Looked {
        let place = match is_at_home {
            true => self.proving.take_at_home(),
            false => self.proving.take(attempt.peer),
        };
        let Some(place) = place else {
            return Looked::Busy;
        };
        let Some(decoys) = self.directory.snapshot().decoys() else {
            tracing::error!(target: "angarium::authenticator", "the store has no key of decoys: nobody proves a password");
            return Looked::Busy;
        };
        // Made also for those who are known, so that both cost the same.
        let decoy = decoys.verifier(attempt.claimant.key());
        let known = self.known(attempt);
        let known = known.and_then(|(account, credentials)| Some((account, credentials.scram.clone()?)));
        let (account, verifier) = match known {
            Some((account, verifier)) => (Some(account), verifier),
            // Its salt would tell: it stays what it was.
            None => match self
                .suspended(attempt)
                .and_then(|credentials| credentials.scram.clone())
            {
                Some(verifier) => (None, verifier.barred(&decoy)),
                None => (None, decoy),
            },
        };
        Looked::Verifier {
            account,
            verifier,
            place,
        }
    }

    fn verify(
        &mut self,
        ctx: &Context<Msg>,
        attempt: Attempt,
        is_at_home: bool,
        password: Secret,
        reply: Reply<Verdict>,
    ) {
        let known = self.known(&attempt);
        if let Some((account, credentials)) = &known
            && self.opens_at_once(*account, credentials, &attempt, &password)
        {
            self.succeed(&attempt);
            reply.send(Verdict::Fits(*account));
            return;
        }
        let place = match is_at_home {
            true => self.hashing.take_at_home(),
            false => self.hashing.take(attempt.peer),
        };
        let Some(place) = place else {
            reply.send(Verdict::Busy);
            return;
        };
        self.hashes += 1;
        let decoy = Arc::clone(&self.decoy);
        let workers = Arc::clone(&self.workers);
        let me = ctx.address();
        let password = prepared::for_hash(password);
        self.tasks.spawn(async move {
            let Ok(worker) = workers.acquire().await else {
                return;
            };
            // One hash, whoever it is.
            let hashed = tokio::task::spawn_blocking(move || match known {
                Some((account, credentials)) => match &credentials.password {
                    Some(hash) => hash.verify(&password).then_some((account, credentials, password)),
                    None => refuse(&decoy, &password),
                },
                None => refuse(&decoy, &password),
            });
            let fitted = hashed.await.ok().flatten();
            drop((worker, place));
            // Without an authenticator the asker is told that there is none.
            let _ = me.cast(Msg::Judged(Judged {
                attempt,
                fitted,
                reply,
            }));
        });
    }

    /// Whether it is the password of a program, or was verified a moment ago: neither costs a hash.
    fn opens_at_once(
        &self,
        account: AccountId,
        credentials: &Credentials,
        attempt: &Attempt,
        password: &Secret,
    ) -> bool {
        if let Some(given) = AppPassword::parse(password) {
            let now = self.clock.timestamp();
            let mut fitting = credentials.app_passwords.iter();
            if fitting.any(|kept| given.fits(&kept.hash) && kept.opens(attempt.protocol, now)) {
                return true;
            }
        }
        let prepared = prepared::for_hash(password.clone());
        credentials.password.as_ref().is_some_and(|hash| {
            self.remembered
                .verify(self.clock.tick(), account, hash, &prepared)
        })
    }

    fn judge(&mut self, judged: Judged) {
        let Judged {
            attempt,
            fitted,
            reply,
        } = judged;
        let Some((account, credentials, password)) = fitted else {
            return self.fail(&attempt, move || reply.send(Verdict::Refused));
        };
        self.succeed(&attempt);
        if let Some(hash) = &credentials.password {
            let lifetime = self.config.auth.remember;
            self.remembered
                .remember(self.clock.tick(), lifetime, account, hash, &password);
        }
        reply.send(Verdict::Fits(account));
    }

    fn succeed(&mut self, attempt: &Attempt) {
        self.pace
            .succeed(self.clock.tick(), attempt.peer, &attempt.claimant);
    }

    /// A refusal waits, but not in the place of a hash: a guesser delays nobody but himself.
    fn fail(&mut self, attempt: &Attempt, answer: impl FnOnce() + Send + 'static) {
        while self.tasks.try_join_next().is_some() {}
        self.pace.fail(self.clock.tick(), attempt.peer, &attempt.claimant);
        let delay = self.config.auth.failure_delay;
        self.tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            answer();
        });
    }

    fn suspended(&self, attempt: &Attempt) -> Option<Arc<Credentials>> {
        let login = attempt.claimant.login()?;
        self.directory.snapshot().suspended_login(login.as_str())
    }

    fn known(&self, attempt: &Attempt) -> Option<(AccountId, Arc<Credentials>)> {
        let login = attempt.claimant.login()?;
        self.directory.snapshot().login(login.as_str())
    }
}

fn refuse<T>(decoy: &Decoy, password: &Secret) -> Option<T> {
    decoy.verify(password).then_some(None).flatten()
}

fn pace_limits(auth: &config::Auth) -> PaceLimits {
    PaceLimits {
        free_failures: auth.free_failures,
        forget: auth.failure_memory,
        address_pause: auth.address_pause,
        account_delay: auth.account_delay,
    }
}

fn hashing_limits(auth: &config::Auth) -> places::Limits {
    places::Limits {
        all: auth.max_waiting,
        strangers: auth.max_waiting - auth.max_waiting / SHARE_AT_HOME,
        address: auth.max_waiting_per_address,
    }
}

/// An exchange costs next to nothing, and every connection has one at most: only its address is counted.
fn proving_limits(auth: &config::Auth) -> places::Limits {
    places::Limits {
        all: u32::MAX,
        strangers: u32::MAX,
        address: auth.max_waiting_per_address,
    }
}

fn cost(auth: &config::Auth) -> Result<Cost, Broken> {
    let memory_kib = u32::try_from(auth.argon2_memory.as_bytes() / 1024).unwrap_or(u32::MAX);
    Cost::new(memory_kib, auth.argon2_iterations, auth.argon2_parallelism).map_err(Broken::because)
}

#[cfg(test)]
mod tests;
