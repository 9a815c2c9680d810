//! Acceptor: takes the connections of the shell's socket and has a session started for each.
//!
//! Owner:    /shell (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    the supervisor of the sessions
//! Owns:     a task that waits for connections. The listening socket belongs to the process.
//! On death: clients wait in the kernel's backlog until it is back; sessions that stand are not concerned.
//! Limits:   MAX_SESSIONS, SEATS, silence::GIVE_WAY_LIMIT

use std::{sync::Arc, time::Duration};

use config::Config;
use ractor_cluster_derive::RactorMessage;
use shell::{
    Exit,
    frame::{End, Response},
};
use supervision::{Actor, Address, Broken, Context, Drained, Dynamic, Inspection, Refusal, Settings};
use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
    time::Instant,
};

use super::{
    desk::Desk,
    role::{self, Peer, Visitor},
    session::{self, Session},
    silence::Silence,
    socket::Socket,
};
use crate::listener::socket::{is_exhausted, is_passing};

/// Connections that may be open at once. Of more, the one that has been silent longest gives way; when all are at work, the
/// new one is told so.
pub const MAX_SESSIONS: usize = 64;

/// Seats for them: one that has ended keeps its own until its supervisor has heard of it.
pub const SEATS: usize = 2 * MAX_SESSIONS;

/// How long to wait when the system has no descriptor or memory left for another connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// What the acceptor is told by its own task.
#[derive(RactorMessage)]
pub enum Msg {
    /// The listening socket is broken.
    Failed(String),
}

/// What the acceptor needs.
#[derive(Clone)]
pub struct Args {
    /// The listening socket.
    pub socket: Socket,
    /// Where sessions live.
    pub sessions: Dynamic<Session>,
    /// What verbs may touch.
    pub desk: Arc<Desk>,
    /// Their places, and which of them wait for their clients.
    pub silence: Silence,
}

/// The acceptor.
pub struct Acceptor;

/// What the acceptor holds.
pub struct State {
    socket: Socket,
    /// Ends with the actor, and with it the taking of connections.
    tasks: JoinSet<()>,
}

impl Actor for Acceptor {
    const CLASS: &'static str = "shell_acceptor";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, args: Args) -> Result<State, Broken> {
        let listener = args.socket.listen().map_err(Broken::because)?;
        let socket = args.socket.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, args, ctx.address()));
        Ok(State { socket, tasks })
    }

    async fn handle(_: &Context<Msg>, msg: Msg, _: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Failed(why) => Err(Broken(why)),
        }
    }

    async fn prepare(
        _: &Context<Msg>,
        settings: &Settings,
        _: &mut State,
    ) -> Result<Result<(), Refusal>, Broken> {
        let readers = readers(settings).await?;
        Ok(readers.map(drop).map_err(Refusal))
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let permitted = match readers(settings).await? {
            Ok(readers) => state.socket.permit(readers).map_err(|why| why.to_string()),
            Err(why) => Err(why),
        };
        if let Err(why) = permitted {
            tracing::error!(target: "angarium::shell", why, "the socket keeps its mode");
        }
        Ok(())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.tasks.abort_all();
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        Inspection::default().with("path", state.socket.path().display().to_string())
    }
}

/// The group that is let in, looked up where it may block.
async fn readers(settings: &Settings) -> Result<Result<Option<u32>, String>, Broken> {
    let shell = settings.of::<Config>().shell.clone();
    let looked_up = tokio::task::spawn_blocking(move || role::readers(&shell)).await;
    looked_up.map_err(Broken::because)
}

async fn accept(listener: UnixListener, args: Args, me: Address<Msg>) {
    // Bounded, because who is only looked at has no seat yet; the others wait in the kernel's backlog meanwhile.
    let places = Arc::new(Semaphore::new(MAX_SESSIONS));
    let mut introductions = JoinSet::new();
    loop {
        while introductions.try_join_next().is_some() {}
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let args = args.clone();
                introductions.spawn(async move {
                    admit(stream, &args).await;
                    drop(place);
                });
            }
            Err(why) if is_passing(&why) => {}
            Err(why) if is_exhausted(&why) => {
                tracing::warn!(target: "angarium::shell", %why, "no connection can be taken");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            Err(why) => {
                let _ = me.cast(Msg::Failed(format!("cannot accept: {why}")));
                return;
            }
        }
    }
}

async fn admit(stream: UnixStream, args: &Args) {
    let config = args.desk.config();
    let Some(peer) = Peer::of(&stream) else {
        return;
    };
    let visitor = Visitor::new(peer, &config.shell).await;
    if visitor.caller().is_none() {
        // Nothing is said to strangers, not even that there is a shell.
        tracing::warn!(target: "angarium::security", uid = peer.uid, "a stranger came to the shell");
        return;
    }
    match (args.silence.place().await, args.sessions.reserve()) {
        (Some(place), Ok(seat)) => session::start(seat, place, stream, visitor, &args.desk, &args.silence),
        _ => refuse(&stream),
    }
}

/// Says that there is no room. Whoever does not read it at once does not read it.
fn refuse(stream: &UnixStream) {
    let why = format!("{MAX_SESSIONS} sessions of the shell are at work already, or the server is stopping");
    let end = End::refused("", Exit::FAILED, why);
    drop(stream.try_write(Response::End(end).to_line().as_bytes()));
}
