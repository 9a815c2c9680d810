//! The whole supervision tree, in start order: what starts later depends on what started before, and ends before it.
//!
//! ```text
//! /                                     one for one; one restart too many ends the process
//! ├── process                           what the process owns, after the settings
//! ├── directory                         who is here
//! ├── authenticator                     whose password fits
//! ├── store                             one for one
//! │   ├── gate                          proposals in
//! │   ├── sweeper                       what is deleted or old, out
//! │   └── maintenance                   checks, backups, space given back
//! ├── limits                            who is sent away
//! ├── telemetry                         one for one
//! │   ├── sampler                       what is not counted where it happens
//! │   └── statsd                        what was recorded, out
//! ├── http                              one for one
//! │   ├── readiness                     whether the store commits
//! │   └── acceptor                      one request a connection
//! ├── tenants/default                   rest for one
//! │   ├── mailboxes/<account>.<mailbox> on demand
//! │   └── queues/local                  rest for one
//! │       ├── queue                     when
//! │       └── deliveries/<n>            one for one
//! ├── reloader                          another configuration
//! ├── feed                              changes out
//! ├── shell                             one for one
//! │   ├── sessions/<id>                 beside their I/O tasks
//! │   └── acceptor
//! └── listeners/<name>                  one for one
//!     ├── connections/<id>              beside their I/O tasks
//!     └── acceptor
//! ```

mod listeners;

use std::{sync::Arc, time::Duration};

use ::store::store::Store;
use config::Config;
use message::id::TenantId;
use supervision::{Address, Child, Dynamic, Intensity, Restart, Settings, Strategy, Supervisor, child};
use tokio::time::Instant;

use crate::{
    authenticator::{self, Authenticator},
    clock::Clock,
    connection::dialogue::Dialogues,
    directory::{self, Directory, DirectoryKeeper},
    http,
    limits::{
        Limits,
        keeper::{self, LimitsKeeper},
    },
    listener::{ports::Ports, room::Room},
    mailbox::{self, Mailbox},
    mint::Mint,
    process::{self, Belonging, Follows, ProcessKeeper},
    queue::{
        local::{self, LocalQueue},
        local_delivery::{self, LocalDelivery},
    },
    reads::Reads,
    reload::{
        book::Book,
        loader::Loader,
        reloader::{self, Course, Reloader},
    },
    shell::{
        self,
        desk::{Alive, Desk},
        socket::Socket as ShellSocket,
        thread::Thread as ShellThread,
    },
    store::{
        feed::{self, Feed},
        gate::{self, Gate},
        maintenance::{self, Maintenance},
        sweeper::{self, Sweeper},
    },
    telemetry,
};

/// The tenant that exists always.
pub const DEFAULT_TENANT: TenantId = TenantId::new(1);

/// The name of that tenant, in the store and in the tree.
pub const DEFAULT_TENANT_NAME: &str = "default";

/// Mailboxes that may be up at once; beyond it a log-in waits for another day. An actor that is up costs about 8 KiB.
const MAX_MAILBOXES_UP: usize = 100_000;

/// Deliveries die of messages, not of themselves: many may die before their supervisor gives up.
const DELIVERY_INTENSITY: Intensity = Intensity::new(200, Duration::from_secs(10));

/// A session that dies more often than this is parked, and its connection ends.
const SESSION_INTENSITY: Intensity = Intensity::new(10, Duration::from_secs(60));

/// What the tree is made of: what the process owns, and what boot has opened.
#[derive(Clone)]
pub struct Parts {
    /// The store of this process.
    pub store: Store,
    /// The clock of this process.
    pub clock: Clock,
    /// Makes ids.
    pub mint: Mint,
    /// The pool of readers.
    pub reads: Reads,
    /// The settings as they are at the start. Who lives gets those of its time from the tree.
    pub config: Arc<Config>,
    /// The sockets that are bound, and what is presented on them.
    pub ports: Ports,
    /// Connections that may be open at once over all listeners.
    pub room: Room,
    /// What else of the process follows the settings.
    pub belongings: Vec<Arc<dyn Belonging>>,
    /// Where other configurations come from.
    pub loader: Arc<dyn Loader>,
    /// Which configuration is in force.
    pub book: Book,
    /// Who listens to what is said on connections.
    pub dialogues: Dialogues,
    /// What verbs may touch.
    pub desk: Desk,
    /// Where operators ask for them.
    pub shell: ShellSocket,
    /// Where the shell lives.
    pub shell_thread: ShellThread,
    /// Where HTTP listens.
    pub http: http::sockets::Sockets,
}

/// The tree, and who is asked from outside.
pub struct Tree {
    /// Who stands above all.
    pub root: Supervisor,
    /// Who takes up another configuration.
    pub reloader: Address<reloader::Msg>,
}

/// The whole tree. Nothing runs before it is started.
#[must_use]
pub fn tree(parts: &Parts) -> Tree {
    let who = Directory::new();
    let (directory, directory_address) = directory_keeper(parts, &who);
    let (authenticator, authenticator_address) = authenticator(parts, &who);
    let (gate, gate_address) = gate(parts);
    let mailboxes = mailboxes(parts);
    let (queue, queue_address) = local_queue(parts, &gate_address, &who);
    let (sweeper, sweeper_address) = sweeper(parts, &gate_address);
    let (reloader, reloader_address) = reloader(parts, &gate_address);
    let (maintenance, maintenance_address) = maintenance(parts, &gate_address);
    let limits = Limits::new(&parts.config, parts.clock);
    let (keeper, keeper_address) = limits_keeper(parts, &limits, &gate_address);
    let feed = feed(feed::Args {
        store: parts.store.clone(),
        directory: directory_address.clone(),
        local_queue: queue_address,
        sweeper: sweeper_address,
        limits: keeper_address,
        mailboxes: mailboxes.clone(),
    });
    let tenant = Supervisor::new(DEFAULT_TENANT_NAME, Strategy::RestForOne)
        .child(&mailboxes)
        .child(Supervisor::new("queues", Strategy::OneForOne).child(queue));
    let shared = Shared {
        who,
        keeper: directory_address,
        gate: gate_address,
        authenticator: authenticator_address,
        mailboxes,
        limits,
        maintenance: maintenance_address,
    };
    let root = Supervisor::root(Strategy::OneForOne)
        .intensity(5, Duration::from_secs(30))
        .child(process(parts))
        .child(directory)
        .child(authenticator)
        .child(
            Supervisor::new("store", Strategy::OneForOne)
                .intensity(10, Duration::from_secs(10))
                .child(gate)
                .child(sweeper)
                .child(maintenance),
        )
        .child(keeper)
        .child(telemetry::branch(parts.sampled()))
        .child(reloader)
        .child(http::branch(
            DEFAULT_TENANT,
            &parts.desk,
            &shared.gate,
            &parts.http,
        ))
        .child(Supervisor::new("tenants", Strategy::OneForOne).child(tenant))
        .child(feed)
        .child(shell(parts, &shared, &reloader_address))
        .child(listeners::listeners(parts, &shared));
    Tree {
        root,
        reloader: reloader_address,
    }
}

/// What sessions of all protocols share.
#[derive(Clone)]
struct Shared {
    who: Directory,
    keeper: Address<directory::Msg>,
    gate: Address<gate::Msg>,
    authenticator: Address<authenticator::Msg>,
    mailboxes: Dynamic<Mailbox>,
    limits: Limits,
    maintenance: Address<maintenance::Msg>,
}

impl Parts {
    fn sampled(&self) -> telemetry::sampler::Args {
        telemetry::sampler::Args {
            tenant: DEFAULT_TENANT,
            desk: self.desk.clone(),
            started: Instant::now(),
        }
    }
}

fn process(parts: &Parts) -> Child {
    let mut belongings: Vec<Arc<dyn Belonging>> = vec![Arc::new(parts.ports.clone())];
    let reads = parts.reads.clone();
    belongings.push(Arc::new(Follows(move |config: &Config| {
        reads.resize(config.store.readers as usize);
    })));
    belongings.extend(parts.belongings.iter().cloned());
    let belongings: Arc<[Arc<dyn Belonging>]> = belongings.into();
    let (ports, room, reads) = (parts.ports.clone(), parts.room.clone(), parts.reads.clone());
    let (keeper, _) = child::<ProcessKeeper>("process", Restart::Permanent, move |settings| process::Args {
        belongings: Arc::clone(&belongings),
        ports: ports.clone(),
        room: room.clone(),
        reads: reads.clone(),
        config: settings.shared_of::<Config>(),
    });
    keeper
}

fn reloader(parts: &Parts, gate: &Address<gate::Msg>) -> (Child, Address<reloader::Msg>) {
    let course = Course {
        loader: Arc::clone(&parts.loader),
        book: parts.book.clone(),
        desk: parts.desk.clone(),
        ports: parts.ports.clone(),
        gate: gate.clone(),
    };
    child::<Reloader>("reloader", Restart::Permanent, move |_| course.clone())
}

fn directory_keeper(parts: &Parts, who: &Directory) -> (Child, Address<directory::Msg>) {
    let (store, reads, who) = (parts.store.clone(), parts.reads.clone(), who.clone());
    child::<DirectoryKeeper>("directory", Restart::Permanent, move |settings| directory::Args {
        tenant: DEFAULT_TENANT,
        directory: who.clone(),
        store: store.clone(),
        reads: reads.clone(),
        scope: directory::Scope::of(settings.of::<Config>()),
    })
}

fn authenticator(parts: &Parts, who: &Directory) -> (Child, Address<authenticator::Msg>) {
    let (clock, who) = (parts.clock, who.clone());
    child::<Authenticator>("authenticator", Restart::Permanent, move |settings| {
        authenticator::Args {
            clock,
            directory: who.clone(),
            config: settings.shared_of::<Config>(),
        }
    })
}

fn gate(parts: &Parts) -> (Child, Address<gate::Msg>) {
    let store = parts.store.clone();
    child::<Gate>("gate", Restart::Permanent, move |_| gate::Args {
        store: store.clone(),
    })
}

fn sweeper(parts: &Parts, gate: &Address<gate::Msg>) -> (Child, Address<sweeper::Msg>) {
    let (parts, gate) = (parts.clone(), gate.clone());
    child::<Sweeper>("sweeper", Restart::Permanent, move |settings| sweeper::Args {
        tenant: DEFAULT_TENANT,
        store: parts.store.clone(),
        reads: parts.reads.clone(),
        gate: gate.clone(),
        clock: parts.clock,
        mint: parts.mint.clone(),
        config: settings.shared_of::<Config>(),
    })
}

fn maintenance(parts: &Parts, gate: &Address<gate::Msg>) -> (Child, Address<maintenance::Msg>) {
    let (parts, gate) = (parts.clone(), gate.clone());
    child::<Maintenance>("maintenance", Restart::Permanent, move |settings| {
        maintenance::Args {
            store: parts.store.clone(),
            gate: gate.clone(),
            clock: parts.clock,
            mint: parts.mint.clone(),
            config: settings.shared_of::<Config>(),
        }
    })
}

fn limits_keeper(parts: &Parts, limits: &Limits, gate: &Address<gate::Msg>) -> (Child, Address<keeper::Msg>) {
    let (parts, limits, gate) = (parts.clone(), limits.clone(), gate.clone());
    child::<LimitsKeeper>("limits", Restart::Permanent, move |settings| keeper::Args {
        limits: limits.clone(),
        store: parts.store.clone(),
        reads: parts.reads.clone(),
        gate: gate.clone(),
        clock: parts.clock,
        mint: parts.mint.clone(),
        config: settings.shared_of::<Config>(),
    })
}

fn feed(args: feed::Args) -> Child {
    child::<Feed>("feed", Restart::Permanent, move |_| args.clone()).0
}

fn mailboxes(parts: &Parts) -> Dynamic<Mailbox> {
    let (store, reads) = (parts.store.clone(), parts.reads.clone());
    Dynamic::on_demand(
        "mailboxes",
        MAX_MAILBOXES_UP,
        Restart::Transient,
        Intensity::default(),
        move |_: &Settings, name: &str| mailbox::Args {
            tenant: DEFAULT_TENANT,
            name: name.to_owned(),
            store: store.clone(),
            reads: reads.clone(),
        },
    )
}

fn local_queue(parts: &Parts, gate: &Address<gate::Msg>, who: &Directory) -> (Child, Address<local::Msg>) {
    let (store, clock, reads) = (parts.store.clone(), parts.clock, parts.reads.clone());
    let (queue, address) = child::<LocalQueue>("queue", Restart::Permanent, move |settings| local::Args {
        tenant: DEFAULT_TENANT,
        clock,
        store: store.clone(),
        reads: reads.clone(),
        config: settings.shared_of::<Config>(),
    });
    let wanted = |settings: &Settings| {
        let workers = 1..=settings.of::<Config>().queue.workers;
        workers
            .map(|worker| (worker.to_string(), String::new()))
            .collect()
    };
    let (parts, gate, who, to_queue) = (parts.clone(), gate.clone(), who.clone(), address.clone());
    let make = move |_: &Settings, name: &str| {
        let (parts, gate, who, queue) = (parts.clone(), gate.clone(), who.clone(), to_queue.clone());
        // Its name is the number that it was wanted by.
        let worker = name.parse().unwrap_or_default();
        let (delivery, _) =
            child::<LocalDelivery>(name, Restart::Permanent, move |settings| local_delivery::Args {
                worker,
                tenant: DEFAULT_TENANT,
                queue: queue.clone(),
                gate: gate.clone(),
                directory: who.clone(),
                store: parts.store.clone(),
                reads: parts.reads.clone(),
                clock: parts.clock,
                mint: parts.mint.clone(),
                config: settings.shared_of::<Config>(),
            });
        delivery
    };
    let deliveries = Supervisor::varying("deliveries", Strategy::OneForOne, wanted, make)
        .intensity(DELIVERY_INTENSITY.restarts, DELIVERY_INTENSITY.period);
    let local = Supervisor::new("local", Strategy::RestForOne)
        .child(queue)
        .child(deliveries);
    (local.into(), address)
}

/// It starts before the listeners and outlives them, so that an operator sees a server come up and drain.
fn shell(parts: &Parts, shared: &Shared, reloader: &Address<reloader::Msg>) -> Child {
    let alive = Alive {
        directory: shared.who.clone(),
        keeper: shared.keeper.clone(),
        limits: shared.limits.clone(),
        dialogues: parts.dialogues.clone(),
        reloader: reloader.clone(),
        maintenance: shared.maintenance.clone(),
    };
    shell::branch(parts.desk.clone().with(alive), &parts.shell, &parts.shell_thread)
}
