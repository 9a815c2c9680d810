//! The whole supervision tree, in start order: what starts later depends on what started before, and ends before it.
//!
//! ```text
//! /                                     one for one; one restart too many ends the process
//! ├── directory                         who is here
//! ├── authenticator                     whose password fits
//! ├── store                             one for one
//! │   ├── gate                          proposals in
//! │   └── sweeper                       what is deleted or old, out
//! ├── limits                            who is sent away
//! ├── telemetry                         one for one
//! │   ├── sampler                       what is not counted where it happens
//! │   └── statsd                        what was recorded, out
//! ├── tenants/default                   rest for one
//! │   ├── mailboxes/<account>.<mailbox> on demand
//! │   └── queues/local                  rest for one
//! │       ├── queue                     when
//! │       └── deliveries/<n>            one for one
//! ├── feed                              changes out
//! ├── shell                             one for one
//! │   ├── sessions/<id>                 beside their I/O tasks
//! │   └── acceptor
//! └── listeners/<name>                  one for one
//!     ├── connections/<id>              beside their I/O tasks
//!     └── acceptor
//! ```

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ::store::store::Store;
use config::{Config, Listener, Protocol};
use message::id::TenantId;
use supervision::{Address, Child, Dynamic, Intensity, Restart, Settings, Strategy, Supervisor, child};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    authenticator::{self, Authenticator},
    clock::Clock,
    connection::{Security, dialogue::Dialogues},
    directory::{self, Directory, DirectoryKeeper},
    limits::{
        Door, Limits,
        keeper::{self, LimitsKeeper},
    },
    listener::{
        acceptor::{self, Acceptor, Connect},
        proxy::Proxies,
        refusal::Refusals,
        socket::Socket,
    },
    mailbox::{self, Mailbox},
    mint::Mint,
    pop3::session as pop3_session,
    queue::{
        local::{self, LocalQueue},
        local_delivery::{self, LocalDelivery},
    },
    reads::Reads,
    sasl,
    shell::{
        desk::{Alive, Desk},
        listener::{self as shell_listener, MAX_SESSIONS},
        role::Policy,
        session::Session,
        socket::Socket as ShellSocket,
    },
    smtp::session as smtp_session,
    store::{
        feed::{self, Feed},
        gate::{self, Gate},
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
    /// The settings as they are at the start.
    pub config: Arc<Config>,
    /// The listeners that are open, by name.
    pub listeners: BTreeMap<String, Open>,
    /// Who listens to what is said on connections.
    pub dialogues: Dialogues,
    /// Connections that may be open at once over all listeners.
    pub room: usize,
    /// What verbs may touch.
    pub desk: Desk,
    /// Where operators ask for them.
    pub shell: ShellSocket,
}

/// A listener whose sockets are bound.
#[derive(Clone)]
pub struct Open {
    /// The sockets.
    pub sockets: Vec<Socket>,
    /// How it treats TLS.
    pub security: Security,
}

/// The whole tree. Nothing runs before it is started.
#[must_use]
pub fn tree(parts: &Parts) -> Supervisor {
    let who = Directory::new();
    let (directory, directory_address) = directory_keeper(parts, &who);
    let (authenticator, authenticator_address) = authenticator(parts, &who);
    let (gate, gate_address) = gate(parts);
    let mailboxes = mailboxes(parts);
    let (queue, queue_address) = local_queue(parts, &gate_address, &who);
    let (sweeper, sweeper_address) = sweeper(parts, &gate_address);
    let limits = Limits::new(&parts.config, parts.clock);
    let (keeper, keeper_address) = limits_keeper(parts, &limits, &gate_address);
    let feed = feed(feed::Args {
        store: parts.store.clone(),
        directory: directory_address,
        local_queue: queue_address,
        sweeper: sweeper_address,
        limits: keeper_address,
        mailboxes: mailboxes.clone(),
    });
    let tenant = Supervisor::new(DEFAULT_TENANT_NAME, Strategy::RestForOne)
        .child(&mailboxes)
        .child(Supervisor::new("queues", Strategy::OneForOne).child(queue));
    let room = Arc::new(Semaphore::new(parts.room));
    let shared = Shared {
        who,
        gate: gate_address,
        authenticator: authenticator_address,
        mailboxes,
        limits,
        room,
    };
    Supervisor::root(Strategy::OneForOne)
        .intensity(5, Duration::from_secs(30))
        .child(directory)
        .child(authenticator)
        .child(
            Supervisor::new("store", Strategy::OneForOne)
                .intensity(10, Duration::from_secs(10))
                .child(gate)
                .child(sweeper),
        )
        .child(keeper)
        .child(telemetry::branch(parts.sampled()))
        .child(Supervisor::new("tenants", Strategy::OneForOne).child(tenant))
        .child(feed)
        .child(shell(parts, &shared))
        .child(listeners(parts, &shared))
}

/// What sessions of all protocols share.
struct Shared {
    who: Directory,
    gate: Address<gate::Msg>,
    authenticator: Address<authenticator::Msg>,
    mailboxes: Dynamic<Mailbox>,
    limits: Limits,
    /// Room for connections over all listeners.
    room: Arc<Semaphore>,
}

impl Parts {
    fn sampled(&self) -> telemetry::sampler::Args {
        telemetry::sampler::Args {
            tenant: DEFAULT_TENANT,
            desk: self.desk.clone(),
            started: Instant::now(),
        }
    }

    fn smtp(&self, shared: &Shared, open: &Open, listener: &Listener) -> smtp_session::Parts {
        let settings = |loopback| smtp_session::settings(&self.config, listener, &open.security, loopback);
        smtp_session::Parts {
            proxy_settings: Arc::new(::smtp::Settings {
                xclient: true,
                ..settings(false)
            }),
            settings: Arc::new(settings(false)),
            loopback_settings: Arc::new(settings(true)),
            proxies: listener.xclient_from.clone(),
            authenticator: shared.authenticator.clone(),
            default_domain: sasl::default_domain(&self.config),
            header: smtp_session::header_limits(&self.config),
            home: self.config.server.hostname.clone(),
            tenant: DEFAULT_TENANT,
            clock: self.clock,
            mint: self.mint.clone(),
            store: self.store.clone(),
            gate: shared.gate.clone(),
            directory: shared.who.clone(),
            limits: shared.limits.clone(),
            dialogues: self.dialogues.clone(),
        }
    }

    fn pop3(&self, shared: &Shared, open: &Open, listener: &Listener) -> pop3_session::Parts {
        pop3_session::Parts {
            settings: Arc::new(pop3_session::settings(
                &self.config,
                listener,
                &open.security,
                false,
            )),
            loopback_settings: Arc::new(pop3_session::settings(
                &self.config,
                listener,
                &open.security,
                true,
            )),
            tenant: DEFAULT_TENANT,
            clock: self.clock,
            mint: self.mint.clone(),
            store: self.store.clone(),
            reads: self.reads.clone(),
            gate: shared.gate.clone(),
            directory: shared.who.clone(),
            authenticator: shared.authenticator.clone(),
            default_domain: sasl::default_domain(&self.config),
            limits: shared.limits.clone(),
            dialogues: self.dialogues.clone(),
            mailboxes: shared.mailboxes.clone(),
        }
    }
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
        active_window: settings.of::<Config>().queue.active_window as usize,
    });
    let mut deliveries = Supervisor::new("deliveries", Strategy::OneForOne)
        .intensity(DELIVERY_INTENSITY.restarts, DELIVERY_INTENSITY.period);
    for worker in 1..=parts.config.queue.workers {
        let (parts, gate, who, queue) = (parts.clone(), gate.clone(), who.clone(), address.clone());
        let (delivery, _) =
            child::<LocalDelivery>(&worker.to_string(), Restart::Permanent, move |settings| {
                local_delivery::Args {
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
                }
            });
        deliveries = deliveries.child(delivery);
    }
    let local = Supervisor::new("local", Strategy::RestForOne)
        .child(queue)
        .child(deliveries);
    (local.into(), address)
}

/// It starts before the listeners and outlives them, so that an operator sees a server come up and drain.
fn shell(parts: &Parts, shared: &Shared) -> Supervisor {
    let sessions: Dynamic<Session> =
        Dynamic::new("sessions", MAX_SESSIONS, Restart::Transient, SESSION_INTENSITY);
    let alive = Alive {
        directory: shared.who.clone(),
        limits: shared.limits.clone(),
        dialogues: parts.dialogues.clone(),
    };
    let args = shell_listener::Args {
        socket: parts.shell.clone(),
        sessions: sessions.clone(),
        desk: Arc::new(parts.desk.clone().with(alive)),
        policy: Policy::default(),
    };
    Supervisor::new("shell", Strategy::OneForOne)
        .intensity(10, Duration::from_secs(10))
        .child(&sessions)
        .child(child::<shell_listener::Acceptor>("acceptor", Restart::Permanent, move |_| args.clone()).0)
}

fn listeners(parts: &Parts, shared: &Shared) -> Supervisor {
    parts.listeners.iter().fold(
        Supervisor::new("listeners", Strategy::OneForOne),
        |listeners, (name, open)| {
            let Some(settings) = parts.config.listeners.get(name) else {
                return listeners;
            };
            let ceiling = settings.max_connections as usize;
            let door = shared.limits.door(name);
            let listener = Supervisor::new(name, Strategy::OneForOne).intensity(10, Duration::from_secs(10));
            let listener = match settings.protocol {
                Protocol::Smtp | Protocol::Submission | Protocol::Lmtp => {
                    let connections =
                        Dynamic::new("connections", ceiling, Restart::Transient, SESSION_INTENSITY);
                    let connect = parts.smtp(shared, open, settings).connect(
                        &connections,
                        &open.security,
                        &shared.room,
                    );
                    listener.child(&connections).child(acceptor(
                        open,
                        settings,
                        connect,
                        door,
                        smtp_session::REFUSALS,
                    ))
                }
                Protocol::Pop3 => {
                    let connections =
                        Dynamic::new("connections", ceiling, Restart::Transient, SESSION_INTENSITY);
                    let connect = parts.pop3(shared, open, settings).connect(
                        &connections,
                        &open.security,
                        &shared.room,
                    );
                    listener.child(&connections).child(acceptor(
                        open,
                        settings,
                        connect,
                        door,
                        pop3_session::REFUSALS,
                    ))
                }
            };
            listeners.child(listener)
        },
    )
}

fn acceptor(open: &Open, settings: &Listener, connect: Connect, door: Door, refusals: Refusals) -> Child {
    let args = acceptor::Args {
        sockets: open.sockets.clone(),
        connect,
        proxies: Proxies::in_networks(&settings.proxy_from),
        door,
        refusals,
    };
    child::<Acceptor>("acceptor", Restart::Permanent, move |_| args.clone()).0
}
