//! Directory: who is here. A snapshot in memory, read without a lock, and the actor that keeps it true.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Changed, Fresh, Read}
//! Calls:    the pool of readers
//! Owns:     the writing end of the snapshot
//! On death: the snapshot stays as it was until the actor is back; it then reads everything again.
//! Limits:   READ_AGAIN; the directory is held whole, about 600 octets an account

pub mod snapshot;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, TenantId},
};
use ractor_cluster_derive::RactorMessage;
use store::store::Store;
use supervision::{Actor, Broken, Context, Inspection, Reply, Settings};
use tokio::task::JoinSet;

pub use self::snapshot::{Credentials, Resolution, Snapshot};
use crate::reads::Reads;

/// How long to wait before reading again what could not be read.
const READ_AGAIN: Duration = Duration::from_secs(1);

/// The reading end of the directory. Copies read the same.
#[derive(Clone)]
pub struct Directory {
    snapshot: Arc<ArcSwap<Snapshot>>,
}

impl Directory {
    /// A directory of nobody, until its actor has read the store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
        }
    }

    /// Who is here now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Where mail for an address goes.
    #[must_use]
    pub fn resolve(&self, address: &EmailAddress) -> Resolution {
        self.snapshot.load().resolve(address)
    }

    /// Whether who is in this account must leave it, because it is suspended.
    #[must_use]
    pub fn is_suspended(&self, account: AccountId) -> bool {
        self.snapshot.load().is_suspended(account)
    }

    fn publish(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }
}

impl Default for Directory {
    fn default() -> Self {
        Self::new()
    }
}

/// What the directory's actor is told.
#[derive(RactorMessage)]
pub enum Msg {
    /// Something in the directory changed. A hint: several may be answered by one reading.
    Changed,
    /// Say when everybody sees what is committed now.
    Fresh(Reply<()>),
    /// The store was read.
    Read(Result<Box<Snapshot>, String>),
}

/// What the directory's actor needs.
pub struct Args {
    /// Whose domains and accounts.
    pub tenant: TenantId,
    /// What it keeps true.
    pub directory: Directory,
    /// The store, for reading.
    pub store: Store,
    /// The pool of readers.
    pub reads: Reads,
    /// What the configuration says of it.
    pub scope: Scope,
}

/// What the configuration says of the directory.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Domains whose mail is discarded.
    pub discarded: Vec<DomainName>,
    /// Iterations of new SCRAM verifiers.
    pub scram_iterations: u32,
}

impl Scope {
    /// What this configuration says.
    #[must_use]
    pub fn of(config: &config::Config) -> Self {
        let routes = config.routes.iter();
        let discarded = routes
            .filter(|(_, route)| route.kind == config::RouteKind::Discard)
            .map(|(domain, _)| domain.clone());
        Self {
            discarded: discarded.collect(),
            scram_iterations: config.auth.scram_iterations,
        }
    }
}

/// The directory's actor.
pub struct DirectoryKeeper;

/// What the directory's actor holds.
pub struct State {
    args: Args,
    /// A reading is under way.
    reading: bool,
    /// Something changed since it began.
    stale: bool,
    /// Who waits for a reading that has not begun, and who for the one under way. Each waits for a bounded time, and
    /// there are no more than sessions of the shell.
    asked: Vec<Reply<()>>,
    reading_for: Vec<Reply<()>>,
    reader: JoinSet<()>,
}

impl Actor for DirectoryKeeper {
    const CLASS: &'static str = "directory";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(_: &Context<Msg>, args: Args) -> Result<State, Broken> {
        // The listeners behind this actor must not open before it knows who is here.
        let (store, tenant, scope) = (args.store.clone(), args.tenant, args.scope.clone());
        let read = args
            .reads
            .run(move || Snapshot::read(&store.snapshot(), tenant, &scope))
            .await?;
        args.directory.publish(read.map_err(Broken::because)?);
        Ok(State {
            args,
            reading: false,
            stale: false,
            asked: Vec::new(),
            reading_for: Vec::new(),
            reader: JoinSet::new(),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Changed => state.changed(ctx),
            Msg::Fresh(reply) => state.fresh(ctx, reply),
            Msg::Read(read) => state.read(ctx, read),
        }
        Ok(())
    }

    async fn configure(ctx: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.args.scope = Scope::of(settings.of::<config::Config>());
        state.changed(ctx);
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let snapshot = state.args.directory.snapshot();
        Inspection::default()
            .with("domains", snapshot.domains())
            .with("accounts", snapshot.accounts())
            .with("reading", state.reading)
    }
}

impl State {
    fn changed(&mut self, ctx: &Context<Msg>) {
        if self.reading {
            self.stale = true;
            return;
        }
        self.start(ctx, Duration::ZERO);
    }

    fn fresh(&mut self, ctx: &Context<Msg>, reply: Reply<()>) {
        self.asked.push(reply);
        self.changed(ctx);
    }

    fn read(&mut self, ctx: &Context<Msg>, read: Result<Box<Snapshot>, String>) {
        self.reading = false;
        match read {
            Ok(snapshot) => {
                self.args.directory.publish(*snapshot);
                self.reading_for.drain(..).for_each(|reply| reply.send(()));
            }
            Err(why) => {
                tracing::error!(target: "angarium::directory", why, "the directory cannot be read");
                return self.start(ctx, READ_AGAIN);
            }
        }
        if std::mem::take(&mut self.stale) {
            self.start(ctx, Duration::ZERO);
        }
    }

    fn start(&mut self, ctx: &Context<Msg>, after: Duration) {
        self.reading = true;
        self.reading_for.append(&mut self.asked);
        while self.reader.try_join_next().is_some() {}
        let (store, tenant, scope) = (self.args.store.clone(), self.args.tenant, self.args.scope.clone());
        let (reads, me) = (self.args.reads.clone(), ctx.address());
        self.reader.spawn(async move {
            tokio::time::sleep(after).await;
            let read = reads
                .run(move || Snapshot::read(&store.snapshot(), tenant, &scope))
                .await;
            let read = match read {
                Ok(Ok(snapshot)) => Ok(Box::new(snapshot)),
                Ok(Err(why)) => Err(why.to_string()),
                Err(why) => Err(why.to_string()),
            };
            // The actor is gone: its successor reads for itself.
            let _ = me.cast(Msg::Read(read));
        });
    }
}
