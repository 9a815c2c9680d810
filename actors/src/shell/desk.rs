//! Desk: everything that a verb may touch. Offline it stands over a store that no server has open.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use config::{Config, Explained};
use message::{id::CommandId, time::Timestamp};
use shell::{Call, Exit, LineError, Role, frame::End};
use store::{
    apply::Outcome,
    command::{Command, Proposal},
    propose::ProposeError,
    read::ReadError,
    store::Store,
};
use supervision::{Address, Broken, ControlError, Running};

use crate::{
    admin::{Admin, AdminError},
    clock::Clock,
    connection::dialogue::Dialogues,
    directory::{self, Directory},
    limits::Limits,
    log_levels::LogLevels,
    mint::Mint,
    reads::Reads,
    reload::reloader,
    shell::verbs::Trees,
    store::maintenance,
};

/// How long a change of the directory waits to be seen; it is durable by then.
const SEEN_LIMIT: Duration = Duration::from_secs(5);

/// Everything that a verb may touch. Copies are the same desk.
#[derive(Clone)]
pub struct Desk {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// Makes ids.
    pub mint: Mint,
    /// The pool of readers.
    pub reads: Reads,
    /// When this process began.
    pub started: Timestamp,
    /// What only a server that runs has.
    pub alive: Option<Alive>,
    /// What the log writes, if this process has one.
    pub log: Option<Arc<dyn LogLevels>>,
    /// Whose turn it is to tell the whole tree.
    pub(super) trees: Trees,
    config: Arc<Config>,
    running: Arc<ArcSwapOption<Running>>,
    /// Where each value of the configuration comes from.
    explained: Arc<ArcSwap<Vec<Explained>>>,
}

/// What only a server that runs has.
#[derive(Clone)]
pub struct Alive {
    /// Who is here.
    pub directory: Directory,
    /// Who keeps that true.
    pub keeper: Address<directory::Msg>,
    /// Who is sent away, and what each takes.
    pub limits: Limits,
    /// Who listens to what is said on connections.
    pub dialogues: Dialogues,
    /// Who takes up another configuration.
    pub reloader: Address<reloader::Msg>,
    /// Who does long work on the store.
    pub maintenance: Address<maintenance::Msg>,
}

impl Desk {
    /// A desk over a store; offline until something alive is put on it.
    #[must_use]
    pub fn new(store: Store, config: Arc<Config>, clock: Clock, mint: Mint, reads: Reads) -> Self {
        Self {
            store,
            started: clock.timestamp(),
            clock,
            mint,
            reads,
            alive: None,
            log: None,
            trees: Trees::default(),
            config,
            running: Arc::default(),
            explained: Arc::default(),
        }
    }

    /// The same desk in a process that writes a log.
    #[must_use]
    pub fn logging(self, log: Option<Arc<dyn LogLevels>>) -> Self {
        Self { log, ..self }
    }

    /// Tells it where each value of the configuration comes from.
    pub fn explain(&self, values: Vec<Explained>) {
        self.explained.store(Arc::new(values));
    }

    /// Where the value of a key comes from: the default, a line of a file, an argument.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<String> {
        let explained = self.explained.load();
        let value = explained.iter().find(|value| value.key == key)?;
        let shown = value.value.as_deref().unwrap_or("none");
        Some(format!("{key} = {shown} ({})", value.origin))
    }

    /// The same desk in a server that runs.
    #[must_use]
    pub fn with(self, alive: Alive) -> Self {
        Self {
            alive: Some(alive),
            ..self
        }
    }

    /// Tells it of the tree, once that runs.
    pub fn seat(&self, running: Running) {
        self.running.store(Some(Arc::new(running)));
    }

    /// The tree runs no more. Each holds the other: without this neither would ever be dropped.
    pub fn unseat(&self) {
        self.running.store(None);
    }

    /// The tree.
    ///
    /// # Errors
    /// [`Refused`] when none runs, or when it is not up yet.
    pub fn running(&self) -> Result<Running, Refused> {
        match &*self.running.load() {
            Some(running) => Ok(Running::clone(running)),
            None => Err(Refused::failed("no server runs here, or it is still starting")),
        }
    }

    /// The settings as they are now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        match self.running() {
            Ok(running) => running.settings().shared_of::<Config>(),
            Err(_) => Arc::clone(&self.config),
        }
    }

    /// Reads from the store, on a thread that may block.
    ///
    /// # Errors
    /// [`Refused`] when the reading panicked.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let store = self.store.clone();
        Ok(self.reads.run(move || read(&store)).await?)
    }

    /// Waits until every session sees what was changed of the directory: a change is not said to be done before.
    pub async fn seen(&self) {
        if let Some(alive) = &self.alive {
            // A keeper that is down reads everything when it is back.
            let _ = alive.keeper.call(SEEN_LIMIT, directory::Msg::Fresh).await;
        }
    }

    /// What changes accounts.
    ///
    /// # Errors
    /// [`Refused`] when the configuration asks for passwords that cannot be made.
    pub fn admin(&self) -> Result<Admin, Refused> {
        Ok(Admin::with(
            &self.store,
            &self.config(),
            self.clock,
            self.mint.clone(),
        )?)
    }

    /// Makes a change and waits until it is durable.
    ///
    /// # Errors
    /// What the store says.
    pub async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        let id: CommandId = self.mint.id();
        let proposal = Proposal::new(id, self.clock.timestamp(), command);
        self.store.propose(proposal).await
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The number of the user.
    pub uid: u32,
    /// What the audit calls him: his name, or his number.
    pub name: String,
    /// What he may.
    pub role: Role,
}

impl fmt::Display for Caller {
    /// As the audit has it: `administrator root (0)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = match self.role {
            Role::Administrator => "administrator",
            Role::Reader => "reader",
        };
        write!(f, "{role} {} ({})", self.name, self.uid)
    }
}

/// What is asked, and by whom.
pub struct Request {
    /// The verb with what was said behind it.
    pub call: Call,
    /// Who asks.
    pub caller: Caller,
    /// What was given besides and is never shown.
    pub secret: Option<auth::Secret>,
}

impl Request {
    /// For the verbs of which a part is for administrators.
    ///
    /// # Errors
    /// [`Refused`] when who asks is none.
    pub fn administrator(&self) -> Result<(), Refused> {
        match self.caller.role {
            Role::Administrator => Ok(()),
            Role::Reader => Err(Refused::not_allowed("that is for administrators")),
        }
    }
}

/// Why something was not done, as the operator is told it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// The reason, in lower case without a full stop.
    pub why: String,
    /// The exit code.
    pub exit: Exit,
}

impl Refused {
    /// It cannot be done, or failed.
    #[must_use]
    pub fn failed(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            exit: Exit::FAILED,
        }
    }

    /// It was asked for wrongly.
    #[must_use]
    pub fn usage(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            exit: Exit::USAGE,
        }
    }

    /// Who asks may not.
    #[must_use]
    pub fn not_allowed(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            exit: Exit::NOT_ALLOWED,
        }
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn end(self, verb: &str) -> End {
        End::refused(verb, self.exit, self.why)
    }
}

impl From<LineError> for Refused {
    fn from(why: LineError) -> Self {
        Self::usage(why.0)
    }
}

impl From<ControlError> for Refused {
    fn from(why: ControlError) -> Self {
        Self::failed(why.to_string())
    }
}

impl From<ProposeError> for Refused {
    fn from(why: ProposeError) -> Self {
        Self::failed(why.to_string())
    }
}

impl From<ReadError> for Refused {
    fn from(why: ReadError) -> Self {
        Self::failed(why.to_string())
    }
}

impl From<store::engine::StoreError> for Refused {
    fn from(why: store::engine::StoreError) -> Self {
        Self::failed(why.to_string())
    }
}

impl From<Broken> for Refused {
    fn from(why: Broken) -> Self {
        Self::failed(why.to_string())
    }
}

impl From<AdminError> for Refused {
    fn from(why: AdminError) -> Self {
        Self::failed(why.to_string())
    }
}
