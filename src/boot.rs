//! Boot: the wiring list. Opens the store, binds the listeners, starts the tree, and ends it all in reverse.

use std::{
    collections::BTreeMap, fmt::Write as _, fs, net::SocketAddr, os::unix::fs::DirBuilderExt as _, sync::Arc,
    time::Duration,
};

use actors::{
    clock::Clock,
    connection::{Security, dialogue::Dialogues},
    listener::socket::{self, Socket},
    log_levels::LogLevels,
    mint::Mint,
    reads::Reads,
    shell::{
        desk::Desk,
        socket::{NAME as SHELL_NAME, Socket as ShellSocket},
    },
    tree::{Open, Parts, tree},
};
use anyhow::{Context, anyhow};
use config::{Config, Explained, TlsMode};
use store::{
    open::OpenReport,
    options::{Compression, Options},
    store::Store,
};
use supervision::{Running, Settings};
use tokio::time::Instant;

use crate::{admin::Admin, certificate, limits, log};

/// Who may connect to the shell: the user of the server.
const SHELL_MODE: u32 = 0o600;

/// A server that is up.
pub struct Server {
    /// Its supervision tree.
    pub tree: Running,
    /// Its store.
    pub store: Store,
    /// Where it listens, by the names of its listeners.
    pub addresses: BTreeMap<String, Vec<SocketAddr>>,
    sockets: Vec<Socket>,
    desk: Desk,
    shell: ShellSocket,
    drain_deadline: Duration,
}

impl Server {
    /// Brings a server up over an open store. It takes mail when this returns.
    ///
    /// # Errors
    /// When an address cannot be bound, TLS cannot be offered, or the tree does not come up.
    pub async fn start(config: Config, store: Store) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let admin = Admin::new(&store, &config)?;
        admin.ensure_tenant().await?;
        admin.ensure_decoy_key().await?;
        let listeners = bind(&config)?;
        let addresses = listeners
            .iter()
            .map(|(name, open)| (name.clone(), open.sockets.iter().map(Socket::address).collect()))
            .collect();
        let sockets = listeners
            .values()
            .flat_map(|open| open.sockets.iter().cloned())
            .collect();
        let drain_deadline = config.server.drain_deadline;
        let data = &config.server.data;
        let shell = ShellSocket::bind(data, SHELL_MODE)
            .with_context(|| format!("cannot listen on {}", data.join(SHELL_NAME).display()))?;
        let config = Arc::new(config);
        let mint = Mint::new(clock, config.server.node);
        let reads = Reads::new(config.store.readers as usize);
        let desk = Desk::new(
            store.clone(),
            Arc::clone(&config),
            clock,
            mint.clone(),
            reads.clone(),
        )
        .logging(log::levels().map(|levels| levels as Arc<dyn LogLevels>));
        let parts = Parts {
            store: store.clone(),
            clock,
            mint,
            reads,
            config: Arc::clone(&config),
            listeners,
            dialogues: Dialogues::default(),
            room: limits::connections(config.server.max_connections),
            desk: desk.clone(),
            shell: shell.clone(),
        };
        let tree = supervision::start(tree(&parts), Settings::shared(config))
            .await
            .context("the tree did not come up")?;
        desk.seat(tree.clone());
        Ok(Self {
            tree,
            store,
            addresses,
            sockets,
            desk,
            shell,
            drain_deadline,
        })
    }

    /// The line that says where it listens: `ready mx=127.0.0.1:2525 pop3=127.0.0.1:2110`. A listener with several
    /// addresses has commas between them.
    #[must_use]
    pub fn ready_line(&self) -> String {
        let mut line = "ready".to_owned();
        for (name, addresses) in &self.addresses {
            // Writing to a string cannot fail.
            let _ = write!(line, " {name}={}", socket::printed(addresses.iter().copied()));
        }
        line
    }

    /// Tells the shell where each value of the configuration comes from.
    pub fn explain(&self, values: Vec<Explained>) {
        self.desk.explain(values);
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
        self.sockets.iter().for_each(Socket::close);
        let drained = self.tree.drain(Instant::now() + self.drain_deadline).await;
        self.shell.remove();
        self.desk.unseat();
        let store = self.store.clone();
        let closed = tokio::task::spawn_blocking(move || store.close()).await?;
        drained.context("the supervision tree did not end in order")?;
        closed.context("the store did not close in order")
    }
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

fn options(config: &Config, accept_truncation: bool) -> Options {
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

fn bind(config: &Config) -> anyhow::Result<BTreeMap<String, Open>> {
    let certificates = certificate::certificates(config)?;
    let mut listeners = BTreeMap::new();
    for (name, listener) in &config.listeners {
        let security = match (listener.tls, &certificates) {
            (TlsMode::Starttls, Some(all)) => {
                Security::StartTls(certificate::offer(config, name, listener, all)?)
            }
            (TlsMode::Implicit, Some(all)) => {
                Security::Implicit(certificate::offer(config, name, listener, all)?)
            }
            _ => Security::Plain,
        };
        let sockets: anyhow::Result<Vec<Socket>> = listener
            .bind
            .iter()
            .map(|bind| {
                Socket::bind(*bind, listener.backlog)
                    .with_context(|| format!("cannot listen on {bind} (listeners.{name}.bind)"))
            })
            .collect();
        let sockets = sockets?;
        listeners.insert(name.clone(), Open { sockets, security });
    }
    Ok(listeners)
}
