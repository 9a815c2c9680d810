//! HttpAcceptor: takes the sockets of HTTP and answers one request on each.
//!
//! Owner:    /http (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    readiness
//! Owns:     a task for each address, and one for each connection. The listening sockets belong to the process.
//! On death: open connections end unanswered; who connects waits in the kernel's backlog until it is back
//! Limits:   config.http.{bind, max_connections, timeout}, MAX_HEAD

use std::{sync::Arc, time::Duration};

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
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{
    answer, readiness,
    sockets::{Bound, Sockets},
};
use crate::{
    listener::socket,
    shell::desk::Desk,
    telemetry::{HTTP_CONNECTIONS_CUT, HTTP_CONNECTIONS_REFUSED},
};

/// Octets of a request's head; hyper takes no less than this. It allows a hundred fields.
const MAX_HEAD: usize = 8_192;

/// How long to wait when the system has no descriptor or memory left for another socket.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

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
    /// End with the actor, and with them the connections.
    tasks: JoinSet<()>,
}

impl Actor for HttpAcceptor {
    const CLASS: &'static str = "http_acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let mut state = State {
            router: answer::router(args.desk, args.readiness),
            sockets: args.sockets,
            prepared: None,
            http: ctx.settings().of::<Config>().http.clone(),
            tasks: JoinSet::new(),
        };
        state.fit();
        state.listen(ctx)?;
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
        let http = &settings.of::<Config>().http;
        if state.http == *http {
            state.prepared = None;
            return Ok(());
        }
        state.http = http.clone();
        state.fit();
        // Connections end with their listeners: each has one request and some seconds.
        state.tasks = JoinSet::new();
        state.listen(ctx)
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

    fn listen(&mut self, ctx: &Context<Msg>) -> Result<(), Broken> {
        let room = Arc::new(Semaphore::new(self.http.max_connections as usize));
        for socket in self.sockets.open() {
            let listener = socket.listen().map_err(Broken::because)?;
            let (router, room, limit) = (self.router.clone(), Arc::clone(&room), self.http.timeout);
            self.tasks
                .spawn(accept(listener, router, room, limit, ctx.address()));
        }
        Ok(())
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    room: Arc<Semaphore>,
    limit: Duration,
    me: Address<Msg>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((socket, _)) => match Arc::clone(&room).try_acquire_owned() {
                Ok(place) => {
                    let router = router.clone();
                    connections.spawn(async move {
                        serve(socket, router, limit).await;
                        drop(place);
                    });
                }
                // Who is too many is closed; a word to it would cost a task.
                Err(_) => HTTP_CONNECTIONS_REFUSED.count(1),
            },
            Err(why) if socket::is_passing(&why) => {}
            Err(why) if socket::is_exhausted(&why) => tokio::time::sleep(EXHAUSTED_PAUSE).await,
            Err(why) => {
                let _ = me.cast(Msg::Failed(format!("cannot accept: {why}")));
                return;
            }
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
