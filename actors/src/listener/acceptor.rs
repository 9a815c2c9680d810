//! Acceptor: takes the sockets of one listener and has a connection started for each.
//!
//! Owner:    /listeners/<name> (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    the supervisor of its connections
//! Owns:     a task for each address that waits for sockets. The listening sockets belong to the process, so that a
//!           restarted acceptor serves the same ports and no peer is refused meanwhile.
//! On death: peers wait in the kernel's backlog until it is back; connections that stand are not concerned.
//! Limits:   config.listeners.<name>.{max_connections, backlog}, MAX_REFUSING; of proxies, those in proxy.rs

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Drained, Inspection};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::Instant,
};

use super::{
    proxy::{self, Proxies},
    socket::{self, Socket},
};

/// How long to wait when the system has no descriptor or memory left for another socket.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// How many peers may be told at once that there is no room; beyond that they are closed without a word.
const MAX_REFUSING: usize = 64;

/// How long a refused peer may take to read why.
const REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// What an acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// A listening socket is broken.
    Failed(String),
}

/// Starts the connection of a socket; gives the socket back when there is no room for it.
pub type Connect = Arc<dyn Fn(TcpStream, SocketAddr) -> Result<(), TcpStream> + Send + Sync>;

/// What an acceptor needs.
#[derive(Clone)]
pub struct Args {
    /// The listening sockets.
    pub sockets: Vec<Socket>,
    /// Starts a connection.
    pub connect: Connect,
    /// Who must say for whom it connects.
    pub proxies: Proxies,
    /// What a peer is told for whom there is no room; whole lines.
    pub refusal: &'static [u8],
}

/// An acceptor.
pub struct Acceptor;

/// What an acceptor holds.
pub struct State {
    addresses: String,
    /// End with the actor, and with them the taking of sockets.
    tasks: JoinSet<()>,
}

impl Actor for Acceptor {
    const CLASS: &'static str = "acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let refusing = Arc::new(Semaphore::new(MAX_REFUSING));
        let mut tasks = JoinSet::new();
        for socket in &args.sockets {
            let listener = socket.listen().map_err(Broken::because)?;
            tasks.spawn(accept(
                listener,
                args.clone(),
                Arc::clone(&refusing),
                ctx.address(),
            ));
        }
        let addresses = socket::printed(args.sockets.iter().map(Socket::address));
        Ok(State { addresses, tasks })
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
        Inspection::default().with("addresses", state.addresses.clone())
    }
}

async fn accept(listener: TcpListener, args: Args, refusing: Arc<Semaphore>, me: Address<Msg>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                // Replies are written whole: waiting for more to send with them only costs time.
                drop(socket.set_nodelay(true));
                if args.proxies.has(peer.ip()) {
                    introduce(socket, peer, &args, &refusing);
                } else {
                    admit(socket, peer, &args, &refusing);
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
fn introduce(mut socket: TcpStream, proxy: SocketAddr, args: &Args, refusing: &Arc<Semaphore>) {
    let place = args.proxies.place();
    let (args, refusing) = (args.clone(), Arc::clone(refusing));
    let introduced = async move {
        let _place = place?;
        let peer = proxy::peer(&mut socket, proxy).await?;
        admit(socket, peer, &args, &refusing);
        Ok(())
    };
    tokio::spawn(async move {
        let introduced: Result<(), proxy::ProxyError> = introduced.await;
        if let Err(why) = introduced {
            tracing::warn!(target: "angarium::security", peer = %proxy, reason = %why, "a proxy was closed");
        }
    });
}

/// Starts a connection, or says that there is no room.
fn admit(socket: TcpStream, peer: SocketAddr, args: &Args, refusing: &Arc<Semaphore>) {
    if let Err(socket) = (args.connect)(socket, peer) {
        refuse(socket, args.refusal, refusing);
    }
}

/// Says why and closes, without letting those who do not read take up memory.
fn refuse(mut socket: TcpStream, refusal: &'static [u8], refusing: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(refusing).try_acquire_owned() else {
        return;
    };
    tokio::spawn(async move {
        let said = async {
            socket.write_all(refusal).await?;
            socket.shutdown().await
        };
        // A peer that is refused and does not listen needs nothing more from us.
        drop(tokio::time::timeout(REFUSAL_LIMIT, said).await);
        drop(permit);
    });
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
