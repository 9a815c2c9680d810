//! Authenticator: says whether a password fits an account, at the same cost whether or not there is such an account.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Verify, Fitted}
//! Calls:    the directory's snapshot, a bounded pool of threads for Argon2id
//! Owns:     the passwords verified in the last minutes, as keyed hashes in memory
//! On death: what was remembered is forgotten, so the next log-ins pay for a full hash; log-ins under way are answered
//!           `Unavailable` or `Unknown` and the client tries again.
//! Limits:   config.auth.{workers, max_waiting, remember, failure_delay}, MAX_REMEMBERED

use std::{sync::Arc, time::Duration};

use auth::{Cost, Decoy, Login, PasswordHash, RememberedPasswords, Secret};
use message::id::AccountId;
use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Broken, Context, Inspection, Reply, Settings};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{clock::Clock, directory::Directory};

/// The most verified passwords kept in memory: about 100 octets each.
const MAX_REMEMBERED: usize = 100_000;

/// What the authenticator is asked, and tells itself.
#[derive(RactorMessage)]
pub enum Msg {
    /// Does this password open an account of this name?
    Verify {
        /// As the client gave it.
        login: String,
        /// As the client gave it.
        password: Secret,
        /// Where the answer goes; a refusal comes after a delay.
        reply: Reply<Verdict>,
    },
    /// A worker found that a password fits.
    Fitted {
        /// Whose.
        account: AccountId,
        /// The hash that it fits.
        hash: PasswordHash,
        /// The password.
        password: Secret,
    },
}

/// The answer to a log-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password of this account.
    Fits(AccountId),
    /// There is no such account, or this is not its password: nobody is told which.
    Refused,
    /// More log-ins wait than the configuration allows.
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
    remembered: RememberedPasswords,
    decoy: Arc<Decoy>,
    workers: Arc<Semaphore>,
    places: Arc<Semaphore>,
    log_ins: JoinSet<()>,
}

impl Actor for Authenticator {
    const CLASS: &'static str = "authenticator";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        Ok(State {
            decoy: Arc::new(Decoy::new(rand::random(), cost(&args.config)?)),
            workers: Arc::new(Semaphore::new(args.config.auth.workers as usize)),
            places: Arc::new(Semaphore::new(args.config.auth.max_waiting as usize)),
            remembered: RememberedPasswords::new(rand::random(), MAX_REMEMBERED),
            clock: args.clock,
            directory: args.directory,
            config: args.config,
            log_ins: JoinSet::new(),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Verify {
                login,
                password,
                reply,
            } => state.verify(ctx, &login, password, reply),
            Msg::Fitted {
                account,
                hash,
                password,
            } => state.remember(account, &hash, &password),
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let config = settings.shared_of::<config::Config>();
        state.decoy = Arc::new(Decoy::new(rand::random(), cost(&config)?));
        state.workers = Arc::new(Semaphore::new(config.auth.workers as usize));
        state.places = Arc::new(Semaphore::new(config.auth.max_waiting as usize));
        state.config = config;
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("log_ins", state.log_ins.len())
            .with("remembered", state.remembered.len())
    }
}

impl State {
    fn verify(&mut self, ctx: &Context<Msg>, login: &str, password: Secret, reply: Reply<Verdict>) {
        while self.log_ins.try_join_next().is_some() {}
        let known = Login::parse(login, None)
            .ok()
            .and_then(|login| self.directory.snapshot().login(login.as_str()))
            .and_then(|(account, credentials)| Some((account, credentials.password.clone()?)));
        if let Some((account, hash)) = &known
            && self
                .remembered
                .verify(self.clock.tick(), *account, hash, &password)
        {
            reply.send(Verdict::Fits(*account));
            return;
        }
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            reply.send(Verdict::Busy);
            return;
        };
        let decoy = Arc::clone(&self.decoy);
        let workers = Arc::clone(&self.workers);
        let delay = self.config.auth.failure_delay;
        let me = ctx.address();
        self.log_ins.spawn(async move {
            let Ok(worker) = workers.acquire().await else {
                return;
            };
            let hashed = tokio::task::spawn_blocking(move || match known {
                Some((account, hash)) => hash.verify(&password).then_some((account, hash, password)),
                None => decoy.verify(&password).then_some(None).flatten(),
            });
            let fitted = hashed.await.ok().flatten();
            // A refusal waits, but not in the place of a hash: a guesser delays nobody but himself.
            drop((worker, place));
            answer(&me, fitted, delay, reply).await;
        });
    }

    fn remember(&mut self, account: AccountId, hash: &PasswordHash, password: &Secret) {
        self.remembered.remember(
            self.clock.tick(),
            self.config.auth.remember,
            account,
            hash,
            password,
        );
    }
}

async fn answer(
    me: &supervision::Address<Msg>,
    fitted: Option<(AccountId, PasswordHash, Secret)>,
    delay: Duration,
    reply: Reply<Verdict>,
) {
    let Some((account, hash, password)) = fitted else {
        tokio::time::sleep(delay).await;
        reply.send(Verdict::Refused);
        return;
    };
    reply.send(Verdict::Fits(account));
    // A lost hint costs one more hash at the next log-in.
    let _ = me.cast(Msg::Fitted {
        account,
        hash,
        password,
    });
}

fn cost(config: &config::Config) -> Result<Cost, Broken> {
    let auth = &config.auth;
    let memory_kib = u32::try_from(auth.argon2_memory.as_bytes() / 1024).unwrap_or(u32::MAX);
    Cost::new(memory_kib, auth.argon2_iterations, auth.argon2_parallelism).map_err(Broken::because)
}

#[cfg(test)]
mod tests {
    use supervision::{Address, alone};

    use super::*;
    use crate::{
        directory::{self, DirectoryKeeper},
        fixture::{Fixture, LOGIN, PASSWORD},
        reads::Reads,
        tree::DEFAULT_TENANT,
    };

    const LIMIT: Duration = Duration::from_secs(60);

    async fn up(fixture: &Fixture, change: impl FnOnce(&mut config::Auth)) -> Address<Msg> {
        let who = Directory::new();
        let keeper = directory::Args {
            tenant: DEFAULT_TENANT,
            directory: who.clone(),
            store: fixture.store.clone(),
            reads: Reads::new(1),
            scope: directory::Scope::default(),
        };
        let keeper = alone::<DirectoryKeeper>(supervision::Settings::default(), keeper);
        // It has read the store when it is up.
        while who.snapshot().accounts() == 0 {
            tokio::task::yield_now().await;
        }
        drop(keeper);
        let mut config = config::Config::clone(&fixture.config);
        change(&mut config.auth);
        let args = Args {
            clock: fixture.clock,
            directory: who,
            config: Arc::new(config),
        };
        alone::<Authenticator>(supervision::Settings::default(), args)
    }

    async fn verify(authenticator: &Address<Msg>, login: &str, password: &str) -> Verdict {
        let (login, password) = (login.to_owned(), Secret::new(password));
        let asked = authenticator.call(LIMIT, |reply| Msg::Verify {
            login,
            password,
            reply,
        });
        asked.await.unwrap()
    }

    #[tokio::test]
    async fn only_the_password_of_the_account_fits() {
        let fixture = Fixture::new().await;
        let authenticator = up(&fixture, |auth| auth.failure_delay = Duration::ZERO).await;
        for (login, password, fits) in [
            (LOGIN, PASSWORD, true),
            ("ALICE@Example.ORG", PASSWORD, true),
            (LOGIN, "Secret", false),
            (LOGIN, "", false),
            ("bob@example.org", PASSWORD, false),
            ("alice", PASSWORD, false),
            ("", "", false),
            // Remembered now, and no less exact for that.
            (LOGIN, PASSWORD, true),
            (LOGIN, "secret ", false),
        ] {
            let expected = if fits {
                Verdict::Fits(fixture.account)
            } else {
                Verdict::Refused
            };
            assert_eq!(
                verify(&authenticator, login, password).await,
                expected,
                "{login} {password}"
            );
        }
    }

    #[tokio::test]
    async fn whoever_finds_no_place_to_wait_is_told_so() {
        let fixture = Fixture::new().await;
        let authenticator = up(&fixture, |auth| auth.max_waiting = 0).await;
        assert_eq!(verify(&authenticator, LOGIN, PASSWORD).await, Verdict::Busy);
    }
}
