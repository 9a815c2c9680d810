//! HttpAcceptor: takes the sockets of HTTP and answers one request on each.
//!
//! Owner:    /http (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    readiness
//! Owns:     a task for each address, and one for each connection. The listening sockets belong to the process. New
//!           settings begin and end those of addresses; connections that stand are answered.
//! On death: open connections end unanswered; who connects waits in the kernel's backlog until it is back
//! Limits:   config.http.{bind, max_connections, timeout}, config.server.drain_deadline, MAX_HEAD

use std::time::Duration;

use axum::Router;
use config::{Config, Http};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Drained, Inspection, Refusal, Settings};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    answer, readiness,
    sockets::{Bound, Sockets},
};
use crate::{
    listener::{
        intake,
        room::Room,
        socket::{self, Socket},
    },
    shell::desk::Desk,
    telemetry::{HTTP_CONNECTIONS_CUT, HTTP_CONNECTIONS_REFUSED},
};

/// Octets of a request's head; hyper takes no less than this. It allows a hundred fields.
const MAX_HEAD: usize = 8_192;

/// What an acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// A listening socket is broken.
    Failed(String),
}

/// What an acceptor needs.
pub struct Args {
    /// Where it listens.
    pub sockets: Sockets,
    /// What it tells of.
    pub desk: Desk,
    /// Who says whether the store commits.
    pub readiness: Address<readiness::Msg>,
}

/// An acceptor.
pub struct HttpAcceptor;

/// What an acceptor holds.
pub struct State {
    sockets: Sockets,
    router: Router,
    /// Those that a change of the settings will need.
    prepared: Option<Vec<Bound>>,
    http: Http,
    /// For connections, over all addresses.
    room: Room,
    /// What each task takes.
    taken: Vec<Taken>,
    /// End with the actor, and with them the connections.
    tasks: JoinSet<()>,
}

/// A socket that a task takes connections from.
struct Taken {
    socket: Socket,
    /// How long they may take; closed when the task is to stop.
    patience: watch::Sender<Patience>,
}

/// How long connections may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Patience {
    /// One, from its first octet on.
    connection: Duration,
    /// All that are open when nobody listens at their address any more.
    drain: Duration,
}

impl Actor for HttpAcceptor {
    const CLASS: &'static str = "http_acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let settings = ctx.settings();
        let mut state = State {
            router: answer::router(args.desk, args.readiness),
            sockets: args.sockets,
            prepared: None,
            http: settings.of::<Config>().http.clone(),
            room: Room::of(0),
            taken: Vec::new(),
            tasks: JoinSet::new(),
        };
        state.follow(ctx, settings.of::<Config>())?;
        Ok(state)
    }

    async fn handle(_: &Context<Msg>, msg: Msg, _: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Failed(why) => Err(Broken(why)),
        }
    }

    async fn prepare(
        _: &Context<Msg>,
        settings: &Settings,
        state: &mut State,
    ) -> Result<Result<(), Refusal>, Broken> {
        let prepared = state.sockets.fitting(&settings.of::<Config>().http.bind);
        Ok(match prepared {
            Ok(sockets) => {
                state.prepared = Some(sockets);
                Ok(())
            }
            Err(why) => Err(Refusal(why)),
        })
    }

    async fn abandon(_: &Context<Msg>, state: &mut State) {
        state.prepared = None;
    }

    async fn configure(ctx: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        state.http = settings.of::<Config>().http.clone();
        state.follow(ctx, settings.of::<Config>())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.tasks.abort_all();
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default().with("addresses", socket::printed(state.sockets.addresses()))
    }
}

impl State {
    /// Sees to it that the sockets are those of the settings. What cannot be bound leaves them as they are.
    fn fit(&mut self) {
        let bind = &self.http.bind;
        if self.sockets.fits(bind) {
            self.prepared = None;
            return;
        }
        let fitting = match self.prepared.take() {
            Some(prepared) => Ok(prepared),
            None => self.sockets.fitting(bind),
        };
        match fitting {
            Ok(sockets) => self.sockets.put(sockets),
            Err(why) => tracing::error!(target: "angarium::http", why, "the sockets stay as they are"),
        }
    }

    /// Listens where the settings say, and nowhere else any more. Connections that stand are not concerned.
    fn follow(&mut self, ctx: &Context<Msg>, config: &Config) -> Result<(), Broken> {
        self.fit();
        self.room.resize(self.http.max_connections as usize);
        let patience = Patience {
            connection: self.http.timeout,
            drain: config.server.drain_deadline,
        };
        while self.tasks.try_join_next().is_some() {}
        let open = self.sockets.open();
        self.taken
            .retain(|taken| open.iter().any(|socket| socket.is(&taken.socket)));
        for taken in &self.taken {
            taken.patience.send_replace(patience);
        }
        for socket in open {
            if self.taken.iter().any(|taken| taken.socket.is(&socket)) {
                continue;
            }
            let listener = socket.listen().map_err(Broken::because)?;
            let (sender, receiver) = watch::channel(patience);
            let task = Task {
                socket: socket.clone(),
                router: self.router.clone(),
                room: self.room.clone(),
                patience: receiver,
                me: ctx.address(),
            };
            self.tasks.spawn(task.accept(listener));
            self.taken.push(Taken {
                socket,
                patience: sender,
            });
        }
        Ok(())
    }
}

/// What takes the connections of one address.
struct Task {
    socket: Socket,
    router: Router,
    room: Room,
    patience: watch::Receiver<Patience>,
    me: Address<Msg>,
}

impl Task {
    async fn accept(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut watched = self.patience.clone();
        let unwanted = async { while watched.changed().await.is_ok() {} };
        let taken = intake::take(&listener, &self.socket, unwanted, |socket, _| {
            while connections.try_join_next().is_some() {}
            // Who is too many is closed; a word to it would cost a task.
            let Some(place) = self.room.take() else {
                return HTTP_CONNECTIONS_REFUSED.count(1);
            };
            let (router, limit) = (self.router.clone(), self.patience.borrow().connection);
            connections.spawn(async move {
                serve(socket, router, limit).await;
                drop(place);
            });
        });
        if let Err(why) = taken.await {
            let _ = self.me.cast(Msg::Failed(format!("cannot accept: {why}")));
            return;
        }
        drop(listener);
        // They were taken here and are answered: each has one request, and says that it is its last.
        let limit = self.patience.borrow().drain;
        let answered = async { while connections.join_next().await.is_some() {} };
        if timeout(limit, answered).await.is_err() {
            HTTP_CONNECTIONS_CUT.count(connections.len() as u64);
        }
    }
}

/// Answers one request, if it comes and its answer is taken in time.
async fn serve(socket: TcpStream, router: Router, limit: Duration) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limit)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false)
        .half_close(false)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(router));
    match timeout(limit, connection).await {
        // What was no HTTP was told so where that is possible.
        Ok(Ok(())) => {}
        Ok(Err(_)) | Err(_) => HTTP_CONNECTIONS_CUT.count(1),
    }
}
