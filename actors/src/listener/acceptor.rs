//! Acceptor: takes the sockets of one listener and has a connection started for each.
//!
//! Owner:    /listeners/<name> (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    the limits, the supervisor of its connections
//! Owns:     a task for each address that waits for sockets. The listening sockets belong to the process, so that a
//!           restarted acceptor serves the same ports and no peer is refused meanwhile.
//! On death: peers wait in the kernel's backlog until it is back; connections that stand are not concerned.
//! Limits:   config.listeners.<name>.{max_connections, backlog}, config.limits; of proxies, those in proxy.rs

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Drained, Inspection};
use tokio::{
    net::{TcpListener, TcpStream},
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

/// What an acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// A listening socket is broken.
    Failed(String),
}

/// Starts the connection of a socket; gives the socket back when there is no room for it.
pub type Connect = Arc<dyn Fn(TcpStream, SocketAddr, Permit) -> Result<(), TcpStream> + Send + Sync>;

/// What an acceptor needs.
#[derive(Clone)]
pub struct Args {
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

/// An acceptor.
pub struct Acceptor;

/// What an acceptor holds.
pub struct State {
    addresses: String,
    refused: Arc<Count>,
    /// End with the actor, and with them the taking of sockets.
    tasks: JoinSet<()>,
}

impl Actor for Acceptor {
    const CLASS: &'static str = "acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let refused = Arc::new(Count::new());
        let mut tasks = JoinSet::new();
        for socket in &args.sockets {
            let listener = socket.listen().map_err(Broken::because)?;
            tasks.spawn(accept(
                listener,
                args.clone(),
                Arc::clone(&refused),
                ctx.address(),
            ));
        }
        let addresses = socket::printed(args.sockets.iter().map(Socket::address));
        Ok(State {
            addresses,
            refused,
            tasks,
        })
    }

    async fn handle(_: &Context<Msg>, msg: Msg, _: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Failed(why) => Err(Broken(why)),
        }
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.tasks.abort_all();
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default()
            .with("addresses", state.addresses.clone())
            .with("refused", state.refused.get())
    }
}

async fn accept(listener: TcpListener, args: Args, refused: Arc<Count>, me: Address<Msg>) {
    // They end with this task: whom no acceptor stands for is let in by nobody.
    let mut introductions = JoinSet::new();
    loop {
        while introductions.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((socket, peer)) => {
                if args.proxies.has(peer.ip()) {
                    introductions.spawn(introduce(socket, peer, args.clone(), Arc::clone(&refused)));
                } else {
                    admit(socket, peer, &args, &refused);
                }
            }
            Err(why) if is_passing(&why) => {}
            Err(why) if is_exhausted(&why) => {
                tracing::warn!(target: "angarium::listener", %why, "no socket can be taken");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            Err(why) => {
                let _ = me.cast(Msg::Failed(format!("cannot accept: {why}")));
                return;
            }
        }
    }
}

/// Waits until a proxy has said for whom it connects, while others come in.
async fn introduce(mut socket: TcpStream, proxy: SocketAddr, args: Args, refused: Arc<Count>) {
    let introduced = async {
        let _place = args.proxies.place()?;
        proxy::peer(&mut socket, proxy).await
    };
    match introduced.await {
        Ok(peer) => admit(socket, peer, &args, &refused),
        Err(why) => {
            SECURITY_PROXIES_CLOSED.count(1);
            tracing::warn!(target: "angarium::security", peer = %proxy, reason = %why, "a proxy was closed");
        }
    }
}

/// Lets a connection in, or says why not.
fn admit(socket: TcpStream, peer: SocketAddr, args: &Args, refused: &Count) {
    if let Err((socket, why)) = start(socket, peer, args) {
        args.refusals.refuse(socket, why);
        refused.one_more(peer.ip(), why);
    }
}

/// Starts a connection, or gives its socket back.
fn start(socket: TcpStream, peer: SocketAddr, args: &Args) -> Result<(), (TcpStream, Refused)> {
    let permit = match args.door.admit(peer.ip()) {
        Ok(permit) => permit,
        Err(why) => return Err((socket, Refused::Exceeded(why))),
    };
    // Replies are written whole: waiting for more to send with them only costs time.
    drop(socket.set_nodelay(true));
    (args.connect)(socket, peer, permit).map_err(|socket| (socket, Refused::NoRoom))
}

/// The peer went before it was taken, or its network did: nothing is wrong here. accept(2) asks for all of these to be
/// treated as if nobody had come: ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH.
fn is_passing(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || matches!(
        why.raw_os_error(),
        Some(64 | 71 | 92 | 95 | 100 | 101 | 112 | 113)
    )
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM.
fn is_exhausted(why: &io::Error) -> bool {
    matches!(why.raw_os_error(), Some(24 | 23 | 105 | 12))
}
