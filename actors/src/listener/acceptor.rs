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

use std::{net::SocketAddr, sync::Arc};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Drained, Inspection, Settings};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::Instant,
};

use super::{
    intake,
    proxy::{self, Proxies},
    refusal::{Count, Refusals, Refused},
    socket::{self, Socket},
};
use crate::{
    limits::{Door, Permit},
    telemetry::SECURITY_PROXIES_CLOSED,
};

/// What an acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// A listening socket is broken.
    Failed(String),
}

/// Starts the connection of a socket; gives the socket back when there is no room for it.
pub type Connect = Arc<dyn Fn(TcpStream, SocketAddr, Permit) -> Result<(), TcpStream> + Send + Sync>;

/// How a listener serves.
pub struct Serving {
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
pub type Serve = Arc<dyn Fn(&Settings) -> Option<Serving> + Send + Sync>;

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
    listener: Arc<TcpListener>,
    /// How it serves them; closed when it is to stop.
    serving: watch::Sender<Arc<Serving>>,
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

    async fn drain(ctx: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.tasks.abort_all();
        state.dismiss(&ctx.settings());
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
        let Some(serving) = (self.serve)(settings).map(Arc::new) else {
            self.taken.clear();
            return Ok(());
        };
        let is_wanted = |socket: &Socket| serving.sockets.iter().any(|wanted| wanted.is(socket));
        self.taken.retain(|taken| is_wanted(&taken.socket));
        for taken in &self.taken {
            taken.serving.send_replace(Arc::clone(&serving));
        }
        for socket in &serving.sockets {
            if self.taken.iter().any(|taken| taken.socket.is(socket)) {
                continue;
            }
            let listener = Arc::new(socket.listen().map_err(Broken::because)?);
            let (sender, receiver) = watch::channel(Arc::clone(&serving));
            self.tasks.spawn(accept(
                Arc::clone(&listener),
                socket.clone(),
                receiver,
                Arc::clone(&self.refused),
                ctx.address(),
            ));
            self.taken.push(Taken {
                socket: socket.clone(),
                listener,
                serving: sender,
            });
        }
        Ok(())
    }

    /// Those who have connected already to sockets that close now are told so; nobody is left who could serve them.
    fn dismiss(&mut self, settings: &Settings) {
        // Asked for the settings that end it, the table of sockets closes those that nobody wants any more.
        drop((self.serve)(settings));
        for taken in self.taken.drain(..) {
            if taken.socket.is_closed() {
                let refusals = taken.serving.borrow().refusals;
                let dismiss = |socket, _| refusals.refuse(socket, Refused::Closing);
                intake::take_waiting(&taken.listener, dismiss);
            }
        }
    }
}

async fn accept(
    listener: Arc<TcpListener>,
    socket: Socket,
    serving: watch::Receiver<Arc<Serving>>,
    refused: Arc<Count>,
    me: Address<Msg>,
) {
    // They end with this task: whom no acceptor stands for is let in by nobody.
    let mut introductions = JoinSet::new();
    let mut watched = serving.clone();
    let unwanted = async { while watched.changed().await.is_ok() {} };
    let taken = intake::take(&listener, &socket, unwanted, |socket, peer| {
        while introductions.try_join_next().is_some() {}
        take(socket, peer, &serving, &refused, &mut introductions);
    });
    if let Err(why) = taken.await {
        let _ = me.cast(Msg::Failed(format!("cannot accept: {why}")));
        return;
    }
    drop(listener);
    while introductions.join_next().await.is_some() {}
}

/// Lets a connection in, of a proxy as soon as it has said for whom.
fn take(
    socket: TcpStream,
    peer: SocketAddr,
    serving: &watch::Receiver<Arc<Serving>>,
    refused: &Arc<Count>,
    introductions: &mut JoinSet<()>,
) {
    let serving = Arc::clone(&serving.borrow());
    if serving.proxies.has(peer.ip()) {
        introductions.spawn(introduce(socket, peer, serving, Arc::clone(refused)));
    } else {
        admit(socket, peer, &serving, refused);
    }
}

/// Waits until a proxy has said for whom it connects, while others come in.
async fn introduce(mut socket: TcpStream, proxy: SocketAddr, serving: Arc<Serving>, refused: Arc<Count>) {
    let introduced = async {
        let _place = serving.proxies.place()?;
        proxy::peer(&mut socket, proxy).await
    };
    match introduced.await {
        Ok(peer) => admit(socket, peer, &serving, &refused),
        Err(why) => {
            SECURITY_PROXIES_CLOSED.count(1);
            tracing::warn!(target: "angarium::security", peer = %proxy, reason = %why, "a proxy was closed");
        }
    }
}

/// Lets a connection in, or says why not.
fn admit(socket: TcpStream, peer: SocketAddr, serving: &Serving, refused: &Count) {
    if let Err((socket, why)) = start(socket, peer, serving) {
        serving.refusals.refuse(socket, why);
        refused.one_more(peer.ip(), why);
    }
}

/// Starts a connection, or gives its socket back.
fn start(socket: TcpStream, peer: SocketAddr, serving: &Serving) -> Result<(), (TcpStream, Refused)> {
    let permit = match serving.door.admit(peer.ip()) {
        Ok(permit) => permit,
        Err(why) => return Err((socket, Refused::Exceeded(why))),
    };
    // Replies are written whole: waiting for more to send with them only costs time.
    drop(socket.set_nodelay(true));
    (serving.connect)(socket, peer, permit).map_err(|socket| (socket, Refused::NoRoom))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        time::Duration,
    };

    use config::Config;
    use supervision::{Restart, Strategy, Supervisor, child};

    use super::*;
    use crate::{clock::Clock, connection::Protocol as _, limits::Limits, smtp::session::Smtp};

    /// It stands for a session, which would have its own words.
    fn greet(socket: TcpStream) {
        let mut socket = socket.into_std().unwrap();
        socket.write_all(b"220 here\r\n").unwrap();
    }

    #[tokio::test]
    async fn who_has_connected_to_a_listener_that_goes_is_not_reset() {
        let config = Config::of(config::Profile::Testing);
        let socket = Socket::bind("127.0.0.1:0".parse().unwrap(), 128).unwrap();
        let (limits, sockets) = (Limits::new(&config, Clock::system()), vec![socket.clone()]);
        let serve: Serve = Arc::new(move |_| {
            Some(Serving {
                sockets: sockets.clone(),
                connect: Arc::new(|socket, _, _| {
                    greet(socket);
                    Ok(())
                }),
                proxies: Proxies::in_networks(&[]),
                door: limits.door("mx"),
                refusals: Smtp::REFUSALS,
            })
        });
        let settings = Settings::shared(Arc::new(config));
        let (acceptor, _) = child::<Acceptor>("acceptor", Restart::Permanent, move |settings| Args {
            serve: Arc::clone(&serve),
            settings: settings.clone(),
        });
        let tree = Supervisor::root(Strategy::OneForOne).child(acceptor);
        let running = supervision::start(tree, settings).await.unwrap();
        // Nothing else runs on this thread until somebody awaits, so that the kernel has them all.
        let connect = |_| std::net::TcpStream::connect(socket.address()).unwrap();
        let clients: Vec<std::net::TcpStream> = (0..50).map(connect).collect();
        socket.close();
        running
            .drain(Instant::now() + Duration::from_secs(60))
            .await
            .unwrap();
        for mut client in clients {
            let mut heard = String::new();
            client.read_to_string(&mut heard).unwrap();
            assert!(
                ["220 here\r\n", "421 4.3.2 Shutting down\r\n"].contains(&&*heard),
                "{heard:?}"
            );
        }
        assert!(std::net::TcpStream::connect(socket.address()).is_err());
    }
}
