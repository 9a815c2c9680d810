//! Boot: the wiring list. Opens the store, binds the listeners, starts the tree, and ends it all in reverse.

use std::{
    collections::BTreeMap, fmt::Write as _, fs, net::SocketAddr, os::unix::fs::DirBuilderExt as _, sync::Arc,
};

use actors::{
    clock::Clock,
    connection::dialogue::Dialogues,
    http::sockets::Sockets,
    listener::{ports::Ports, room::Room, socket},
    log_levels::LogLevels,
    mint::Mint,
    process::{Belonging, Follows},
    reads::Reads,
    reload::{
        book::{Book, InForce},
        loader::{Loaded, Loader},
        receipt::Receipt,
        reloader::{self, Request},
    },
    shell::{
        desk::Desk,
        role,
        socket::{NAME as SHELL_NAME, Socket as ShellSocket},
        thread::Thread as ShellThread,
    },
    tree::{Parts, tree},
    unfinished,
};
use anyhow::{Context, anyhow, bail};
use config::{Config, Sourced};
use store::{
    open::OpenReport,
    options::{Compression, Options},
    store::Store,
};
use supervision::{Address, CallError, Running, Settings};
use tokio::time::Instant;

use crate::{activation, admin::Admin, certificate, limits, log, reload::Unchanging};

/// What a server is started with.
pub struct Setup {
    /// The configuration, as it was read.
    pub loaded: Loaded,
    /// Where others come from.
    pub loader: Arc<dyn Loader>,
    /// What of the process follows the settings besides what every server has.
    pub belongings: Vec<Arc<dyn Belonging>>,
}

impl Setup {
    /// A server that never has another configuration.
    #[must_use]
    pub fn unchanging(config: Config) -> Self {
        Self {
            loaded: Loaded {
                contents: certificate::contents(&config),
                sourced: Sourced {
                    config,
                    values: Vec::new(),
                },
                documents: Vec::new(),
                warnings: Vec::new(),
            },
            loader: Arc::new(Unchanging),
            belongings: Vec::new(),
        }
    }
}

/// A server that is up.
pub struct Server {
    /// Its supervision tree.
    pub tree: Running,
    /// Its store.
    pub store: Store,
    /// Where it listened at its start, by the names of its listeners.
    pub addresses: BTreeMap<String, Vec<SocketAddr>>,
    ports: Ports,
    reloader: Address<reloader::Msg>,
    desk: Desk,
    shell: ShellSocket,
    /// Ends when the tree is not there any more either.
    _shell_thread: ShellThread,
    http: Sockets,
}

/// Asks a server that is up to read its configuration anew.
#[derive(Clone)]
pub struct Reloads {
    reloader: Address<reloader::Msg>,
    ports: Ports,
    http: Sockets,
}

impl Server {
    /// Brings a server up over an open store, with a configuration that stays.
    ///
    /// # Errors
    /// As [`Self::start_with`].
    pub async fn start(config: Config, store: Store) -> anyhow::Result<Self> {
        Self::start_with(Setup::unchanging(config), store).await
    }

    /// Brings a server up over an open store. It takes mail when this returns.
    ///
    /// # Errors
    /// When an address cannot be bound, TLS cannot be offered, or the tree does not come up.
    pub async fn start_with(setup: Setup, store: Store) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let config = Arc::new(setup.loaded.sourced.config.clone());
        let admin = Admin::new(&store, &config)?;
        admin.ensure_tenant().await?;
        admin.ensure_decoy_key().await?;
        let mint = Mint::new(clock, config.server.node);
        unfinished::end(&store, clock, &mint).await?;
        let ports = bind(&config).await?;
        let room = Room::of(limits::connections(config.server.max_connections));
        let mut belongings = belongings(&room, &store);
        belongings.extend(setup.belongings);
        let data = &config.server.data;
        let readers = role::readers(&config.shell).map_err(anyhow::Error::msg)?;
        let shell = ShellSocket::bind(data, readers)
            .with_context(|| format!("cannot listen on {}", data.join(SHELL_NAME).display()))?;
        let shell_thread = ShellThread::begin().context("the shell has no thread")?;
        let http = Sockets::default();
        http.put(http.fitting(&config.http.bind).map_err(|why| anyhow!(why))?);
        let reads = Reads::new(config.store.readers as usize);
        let desk = Desk::new(
            store.clone(),
            Arc::clone(&config),
            clock,
            mint.clone(),
            reads.clone(),
        )
        .logging(log::levels().map(|levels| levels as Arc<dyn LogLevels>));
        desk.explain(setup.loaded.sourced.values.clone());
        let parts = Parts {
            store: store.clone(),
            clock,
            mint,
            reads,
            config: Arc::clone(&config),
            ports: ports.clone(),
            room,
            belongings,
            loader: setup.loader,
            book: Book::new(InForce {
                loaded: setup.loaded,
                config: Arc::clone(&config),
            }),
            dialogues: Dialogues::default(),
            desk: desk.clone(),
            shell: shell.clone(),
            shell_thread: shell_thread.clone(),
            http: http.clone(),
        };
        let planned = tree(&parts);
        let tree = supervision::start(planned.root, Settings::shared(config))
            .await
            .context("the tree did not come up")?;
        desk.seat(tree.clone());
        Ok(Self {
            addresses: ports.addresses(),
            reloader: planned.reloader,
            tree,
            store,
            ports,
            desk,
            shell,
            _shell_thread: shell_thread,
            http,
        })
    }

    /// The line that says where it listens: `ready mx=127.0.0.1:2525 pop3=127.0.0.1:2110`. A listener with several
    /// addresses has commas between them.
    #[must_use]
    pub fn ready_line(&self) -> String {
        ready_line(&self.ports, &self.http)
    }

    /// A way to have its configuration read anew.
    #[must_use]
    pub fn reloads(&self) -> Reloads {
        Reloads {
            reloader: self.reloader.clone(),
            ports: self.ports.clone(),
            http: self.http.clone(),
        }
    }

    /// Where it listens now.
    #[must_use]
    pub const fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Where it answers HTTP now.
    #[must_use]
    pub fn http(&self) -> Vec<SocketAddr> {
        self.http.addresses()
    }

    /// Waits until it can go on no longer, and says why: the tree has collapsed, or the store is poisoned.
    pub async fn failed(&self) -> anyhow::Error {
        tokio::select! {
            why = self.store.poisoned() => anyhow!("the store cannot be written any more: {why}"),
            ended = self.tree.ended() => match ended {
                Err(collapsed) => anyhow!("the supervision tree has collapsed: {collapsed}"),
                Ok(()) => anyhow!("the supervision tree has ended by itself"),
            },
        }
    }

    /// Ends it in order: listeners close, sessions and deliveries come to an end, the store last.
    ///
    /// # Errors
    /// When something had to be left behind, or the last writes failed.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.ports.close();
        let deadline = self.tree.settings().of::<Config>().server.drain_deadline;
        let drained = self.tree.drain(Instant::now() + deadline).await;
        self.shell.remove();
        self.desk.unseat();
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await?;
        drained.context("the supervision tree did not end in order")?;
        closed.context("the store did not close in order")
    }
}

impl Reloads {
    /// Has the configuration read anew, and waits for what came of it.
    ///
    /// # Errors
    /// When there is nobody to ask, or nobody who knows what came of it.
    pub async fn reload(&self, who: &str) -> anyhow::Result<Receipt> {
        self.request(Request {
            who: who.to_owned(),
            line: "reload".to_owned(),
            reason: None,
            is_plan: false,
            to: None,
        })
        .await
    }

    /// Asks for anything that a reloader can do.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub async fn request(&self, request: Request) -> anyhow::Result<Receipt> {
        let asked = self
            .reloader
            .call(reloader::PATIENCE, |reply| reloader::Msg::Reload {
                request,
                reply,
            });
        match asked.await {
            Ok(Some(receipt)) => Ok(receipt),
            Ok(None) => bail!("too many reloads wait already"),
            Err(CallError::Unavailable) => bail!("the reloader is away"),
            Err(CallError::Unknown) => {
                bail!("the reloader died or took too long: the audit says what came of it")
            }
        }
    }

    /// Where the server listens, as [`Server::ready_line`] says it.
    #[must_use]
    pub fn ready_line(&self) -> String {
        ready_line(&self.ports, &self.http)
    }
}

fn ready_line(ports: &Ports, http: &Sockets) -> String {
    let mut line = "ready".to_owned();
    for (name, addresses) in ports.addresses() {
        // Writing to a string cannot fail.
        let _ = write!(line, " {name}={}", socket::printed(addresses));
    }
    let http = http.addresses();
    if !http.is_empty() {
        let _ = write!(line, " http={}", socket::printed(http));
    }
    line
}

/// Binds the sockets of the first configuration, or takes those that the service manager has opened.
async fn bind(config: &Arc<Config>) -> anyhow::Result<Ports> {
    let ports = Ports::new(Arc::new(certificate::presented));
    ports.inherit(activation::inherited()?.into_values())?;
    let (bound, staged) = (ports.clone(), Arc::clone(config));
    let staging = tokio::task::spawn_blocking(move || bound.prepare(&staged));
    staging.await?.map_err(|mistakes| anyhow!(mistakes.join("\n")))?;
    ports.commit(config);
    for address in ports.unwanted() {
        tracing::warn!(target: "angarium", %address, "a socket was passed to this process that no listener wants");
    }
    Ok(ports)
}

/// What follows the settings besides what the tree knows of.
fn belongings(room: &Room, store: &Store) -> Vec<Arc<dyn Belonging>> {
    let (room, store) = (room.clone(), store.clone());
    vec![
        Arc::new(Follows(move |config: &Config| {
            room.resize(limits::connections(config.server.max_connections));
        })),
        Arc::new(Follows(move |config: &Config| {
            store.configure(&options(config, false))
        })),
    ]
}

/// Opens the store of the configuration's data directory. Blocks.
///
/// # Errors
/// When the directory cannot be made or the store cannot be opened.
pub fn open_store(config: &Config, accept_truncation: bool) -> anyhow::Result<(Store, OpenReport)> {
    let data = &config.server.data;
    // Nobody else on this machine may read mail.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.with_context(|| format!("cannot make the data directory {}", data.display()))?;
    Store::open(data, options(config, accept_truncation))
        .with_context(|| format!("cannot open the store in {}", data.display()))
}

/// Whether there is a store where the configuration says: whoever only looks makes none by it.
pub(crate) fn has_store(config: &Config) -> bool {
    config.server.data.join("format").exists()
}

/// What a configuration says about its store.
pub(crate) fn options(config: &Config, accept_truncation: bool) -> Options {
    let store = &config.store;
    Options {
        chunk_octets: store.chunk_size.as_usize(),
        compression: match store.compression_level {
            0 => Compression::None,
            level => Compression::Zstd(level),
        },
        cache_octets: store.cache.as_bytes(),
        max_group: store.max_group as usize,
        max_group_octets: store.max_group_size.as_usize(),
        max_queue: store.max_waiting as usize,
        max_queue_octets: store.max_waiting_size.as_usize(),
        reserve_octets: store.reserve.as_bytes(),
        reserve_file_octets: store.reserve_file.as_bytes(),
        keep_results: store.command_retention,
        keep_appended: store.idempotence_retention,
        keep_trail: store.trail_retention,
        max_feed: store.max_feed as usize,
        accept_truncation,
    }
}
