//! Acceptor: takes the connections of the shell's socket and has a session started for each.
//!
//! Owner:    /shell (static, permanent)
//! Accepts:  Msg::Failed
//! Calls:    the supervisor of the sessions
//! Owns:     a task that waits for connections. The listening socket belongs to the process.
//! On death: clients wait in the kernel's backlog until it is back; sessions that stand are not concerned.
//! Limits:   MAX_SESSIONS

use std::{io, sync::Arc, time::Duration};

use ractor_cluster_derive::RactorMessage;
use shell::{
    Exit,
    frame::{End, Response},
};
use supervision::{Actor, Address, Broken, Context, Drained, Dynamic, Inspection};
use tokio::{
    net::{UnixListener, UnixStream},
    task::JoinSet,
    time::Instant,
};

use super::{
    desk::Desk,
    role::Policy,
    session::{self, Session},
    socket::Socket,
};

/// Connections that may be open at once. An operator has one; whoever has a hundred is told that it is too many.
pub const MAX_SESSIONS: usize = 64;

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
    /// Who may what.
    pub policy: Policy,
}

/// The acceptor.
pub struct Acceptor;

/// What the acceptor holds.
pub struct State {
    path: String,
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
        let path = args.socket.path().display().to_string();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, args, ctx.address()));
        Ok(State { path, tasks })
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
        Inspection::default().with("path", state.path.clone())
    }
}

async fn accept(listener: UnixListener, args: Args, me: Address<Msg>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => admit(stream, &args),
            Err(why) if why.kind() == io::ErrorKind::ConnectionAborted => {}
            // EMFILE, ENFILE, ENOBUFS, ENOMEM.
            Err(why) if matches!(why.raw_os_error(), Some(24 | 23 | 105 | 12)) => {
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

fn admit(stream: UnixStream, args: &Args) {
    let Some(caller) = args.policy.caller(&stream) else {
        // Nothing is said to strangers, not even that there is a shell.
        let uid = stream.peer_cred().map(|peer| peer.uid()).ok();
        tracing::warn!(target: "angarium::security", uid, "a stranger came to the shell");
        return;
    };
    let Ok(seat) = args.sessions.reserve() else {
        let why =
            format!("there are {MAX_SESSIONS} sessions of the shell already, or the server is stopping");
        let end = End::refused("", Exit::FAILED, why);
        // Whoever does not read it at once does not read it.
        drop(stream.try_write(Response::End(end).to_line().as_bytes()));
        return;
    };
    session::start(seat, stream, caller, &args.desk);
}
