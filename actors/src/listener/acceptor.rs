//! Acceptor: takes the sockets of one listener and has a connection started for each.
//!
//! Owner:    /listeners/<name> (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    the limits, the supervisor of its connections
//! Owns:     a task for each address that waits for sockets. The listening sockets belong to the process, so that a
//!           restarted acceptor serves the same ports and no peer is refused meanwhile. New settings begin and end
//!           tasks; connections that stand are not concerned.
//! On death: peers wait in the kernel's backlog until it is back; connections that stand are not concerned.
//! Limits:   config.listeners.<name>.{max_connections, backlog}, config.limits; of proxies, those in proxy.rs

use std::{net::SocketAddr, sync::Arc, task::Poll, time::Duration};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Drained, Inspection, Settings};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::Instant,
};

use super::{
    proxy::{self, Proxies},
    refusal::{Count, Refusals, Refused},
    socket::{self, Socket},
};
use crate::{
    limits::{Door, Permit},
    telemetry::SECURITY_PROXIES_CLOSED,
};

/// How long to wait when the system has no descriptor or memory left for another socket.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are taken from a socket that closes; those beyond are refused by the kernel.
const MAX_LATE: usize = 1024;

/// What an acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// A listening socket is broken.
    Failed(String),
}

/// Starts the connection of a socket; gives the socket back when there is no room for it.
pub type Connect = Arc<dyn Fn(TcpStream, SocketAddr, Permit) -> Result<(), TcpStream> + Send + Sync>;

/// How a listener serves.
pub struct Service {
    /// The listening sockets.
    pub sockets: Vec<Socket>,
    /// Starts a connection.
    pub connect: Connect,
    /// Who must say for whom it connects.
    pub proxies: Proxies,
    /// Who may come in at all.
    pub door: Door,
    /// What the others are told.
    pub refusals: Refusals,
}

/// How these settings want the listener to serve; `None` where they do not want it at all.
pub type Serve = Arc<dyn Fn(&Settings) -> Option<Service> + Send + Sync>;

/// What an acceptor needs.
#[derive(Clone)]
pub struct Args {
    /// How it serves.
    pub serve: Serve,
    /// The current settings.
    pub settings: Settings,
}

/// An acceptor.
pub struct Acceptor;

/// What an acceptor holds.
pub struct State {
    serve: Serve,
    refused: Arc<Count>,
    /// What each task takes.
    taken: Vec<Taken>,
    /// End with the actor, and with them the taking of sockets.
    tasks: JoinSet<()>,
}

/// A socket that a task takes connections from.
struct Taken {
    socket: Socket,
    /// How it serves them; closed when it is to stop.
    service: watch::Sender<Arc<Service>>,
}

impl Actor for Acceptor {
    const CLASS: &'static str = "acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let mut state = State {
            serve: args.serve,
            refused: Arc::new(Count::new()),
            taken: Vec::new(),
            tasks: JoinSet::new(),
        };
        state.follow(ctx, &args.settings)?;
        Ok(state)
    }

    async fn handle(_: &Context<Msg>, msg: Msg, _: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Failed(why) => Err(Broken(why)),
        }
    }

    async fn configure(ctx: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.follow(ctx, settings)
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.tasks.abort_all();
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        let addresses = state.taken.iter().map(|taken| taken.socket.address());
        Inspection::default()
            .with("addresses", socket::printed(addresses))
            .with("refused", state.refused.get())
    }
}

impl State {
    /// Serves as these settings want it: at the sockets that are new, and at none that is theirs no more.
    fn follow(&mut self, ctx: &Context<Msg>, settings: &Settings) -> Result<(), Broken> {
        while self.tasks.try_join_next().is_some() {}
        let Some(service) = (self.serve)(settings).map(Arc::new) else {
            self.taken.clear();
            return Ok(());
        };
        let is_wanted = |socket: &Socket| service.sockets.iter().any(|wanted| wanted.is(socket));
        self.taken.retain(|taken| is_wanted(&taken.socket));
        for taken in &self.taken {
            taken.service.send_replace(Arc::clone(&service));
        }
        for socket in &service.sockets {
            if self.taken.iter().any(|taken| taken.socket.is(socket)) {
                continue;
            }
            let listener = socket.listen().map_err(Broken::because)?;
            let (sender, receiver) = watch::channel(Arc::clone(&service));
            self.tasks.spawn(accept(
                listener,
                socket.clone(),
                receiver,
                Arc::clone(&self.refused),
                ctx.address(),
            ));
            self.taken.push(Taken {
                socket: socket.clone(),
                service: sender,
            });
        }
        Ok(())
    }
}

async fn accept(
    listener: TcpListener,
    socket: Socket,
    mut service: watch::Receiver<Arc<Service>>,
    refused: Arc<Count>,
    me: Address<Msg>,
) {
    // They end with this task: whom no acceptor stands for is let in by nobody.
    let mut introductions = JoinSet::new();
    loop {
        while introductions.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = service.changed() => match changed {
                Ok(()) => continue,
                Err(_) => break,
            },
        };
        match accepted {
            Ok((socket, peer)) => take(socket, peer, &service, &refused, &mut introductions),
            Err(why) if socket::is_passing(&why) => {}
            Err(why) if socket::is_exhausted(&why) => {
                tracing::warn!(target: "angarium::listener", %why, "no socket can be taken");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            Err(why) => {
                let _ = me.cast(Msg::Failed(format!("cannot accept: {why}")));
                return;
            }
        }
    }
    // It serves here no more. If nobody does, those who have connected already are not sent away for it.
    if socket.is_closed() {
        for _ in 0..MAX_LATE {
            let Some((socket, peer)) = waiting(&listener).await else {
                break;
            };
            take(socket, peer, &service, &refused, &mut introductions);
        }
    }
    drop(listener);
    while introductions.join_next().await.is_some() {}
}

/// The next connection that the kernel holds, if there is one.
async fn waiting(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    let poll = |context: &mut std::task::Context<'_>| match listener.poll_accept(context) {
        Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
        Poll::Pending => Poll::Ready(None),
    };
    std::future::poll_fn(poll).await
}

/// Lets a connection in, of a proxy as soon as it has said for whom.
fn take(
    socket: TcpStream,
    peer: SocketAddr,
    service: &watch::Receiver<Arc<Service>>,
    refused: &Arc<Count>,
    introductions: &mut JoinSet<()>,
) {
    let service = Arc::clone(&service.borrow());
    if service.proxies.has(peer.ip()) {
        introductions.spawn(introduce(socket, peer, service, Arc::clone(refused)));
    } else {
        admit(socket, peer, &service, refused);
    }
}

/// Waits until a proxy has said for whom it connects, while others come in.
async fn introduce(mut socket: TcpStream, proxy: SocketAddr, service: Arc<Service>, refused: Arc<Count>) {
    let introduced = async {
        let _place = service.proxies.place()?;
        proxy::peer(&mut socket, proxy).await
    };
    match introduced.await {
        Ok(peer) => admit(socket, peer, &service, &refused),
        Err(why) => {
            SECURITY_PROXIES_CLOSED.count(1);
            tracing::warn!(target: "angarium::security", peer = %proxy, reason = %why, "a proxy was closed");
        }
    }
}

/// Lets a connection in, or says why not.
fn admit(socket: TcpStream, peer: SocketAddr, service: &Service, refused: &Count) {
    if let Err((socket, why)) = start(socket, peer, service) {
        service.refusals.refuse(socket, why);
        refused.one_more(peer.ip(), why);
    }
}

/// Starts a connection, or gives its socket back.
fn start(socket: TcpStream, peer: SocketAddr, service: &Service) -> Result<(), (TcpStream, Refused)> {
    let permit = match service.door.admit(peer.ip()) {
        Ok(permit) => permit,
        Err(why) => return Err((socket, Refused::Exceeded(why))),
    };
    // Replies are written whole: waiting for more to send with them only costs time.
    drop(socket.set_nodelay(true));
    (service.connect)(socket, peer, permit).map_err(|socket| (socket, Refused::NoRoom))
}
