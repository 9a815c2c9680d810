//! Session: does what one client of the shell asks, one thing after the other.
//!
//! Owner:    /shell/sessions (dynamic, transient, beside its I/O task)
//! Accepts:  Msg::{Ask, Died}
//! Calls:    whatever its verb calls
//! Owns:     the task that does what was asked last
//! On death: the I/O task keeps the connection and says that the answer is cut short; what was begun of a change is
//!           brought to its end by a task of its own.
//! Limits:   MAX_SESSIONS, IDLE_LIMIT, WRITE_LIMIT, frame::MAX_REQUEST, output::WAITING_BLOCKS

mod carry;

use std::sync::Arc;

use config::Config;
use message::id::ConnectionId;
use ractor_cluster_derive::RactorMessage;
use shell::{
    Call, Exit, Role,
    frame::{self, End, Response},
};
use supervision::{Actor, Address, Broken, Context, Drained, Inspection, Reply, Seat, Settings};
use tokio::{
    net::UnixStream,
    sync::Notify,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

use super::{
    desk::{Caller, Desk, Request},
    output::Output,
    role::Visitor,
    silence::{Place, Silence},
    verb,
};
use crate::telemetry;
pub use carry::{IDLE_LIMIT, WRITE_LIMIT};

/// What a session is asked.
#[derive(RactorMessage)]
pub enum Msg {
    /// The client asks for something.
    Ask(Ask),
    /// What was asked broke, with this text.
    Died(String),
}

/// What a client asks.
pub struct Ask {
    /// The line and its secret.
    pub request: frame::Request,
    /// Where the answer goes.
    pub out: Output,
    /// Answered when the work has begun.
    pub begun: Reply<()>,
}

/// What a session needs.
pub struct Args {
    desk: Arc<Desk>,
    visitor: Visitor,
    /// Told when the session is to end.
    closing: Arc<Notify>,
}

/// A session of the shell.
pub struct Session;

/// What a session holds.
pub struct State {
    args: Args,
    asked: u64,
    /// The line that is being done, or was last.
    line: String,
    /// Whether that takes up another configuration.
    is_reload: bool,
    /// Ends with the actor.
    work: JoinSet<()>,
    /// What is being done of it now.
    current: Option<AbortHandle>,
}

/// Starts a session, and beside it the task that owns the socket and the place.
pub(super) fn start(
    seat: Seat<Session>,
    place: Place,
    stream: UnixStream,
    visitor: Visitor,
    desk: &Arc<Desk>,
    silence: &Silence,
) {
    let connection: ConnectionId = desk.mint.id();
    let closing = Arc::new(Notify::new());
    let (desk, closes, silence) = (Arc::clone(desk), Arc::clone(&closing), silence.clone());
    let make_args = move |_: &supervision::Settings| Args {
        desk: Arc::clone(&desk),
        visitor: visitor.clone(),
        closing: Arc::clone(&closes),
    };
    let carry = |session| async move {
        carry::carry(stream, session, closing, silence).await;
        drop(place);
    };
    // What stands against a start now also ends the task that holds the socket.
    drop(seat.start_with(connection.to_string(), make_args, carry));
}

impl Actor for Session {
    const CLASS: &'static str = "shell_session";
    type Msg = Msg;
    type Args = Args;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, mut args: Args) -> Result<State, Broken> {
        // Between the connection and this, or a crash and this, the settings may have become others.
        args.visitor.follow(&ctx.settings().of::<Config>().shell).await;
        Ok(State {
            args,
            asked: 0,
            line: String::new(),
            is_reload: false,
            work: JoinSet::new(),
            current: None,
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Ask(ask) => begin(ctx, ask, state),
            Msg::Died(why) => return Err(Broken(why)),
        }
        Ok(())
    }

    async fn configure(_: &Context<Msg>, settings: &Settings, state: &mut State) -> Result<(), Broken> {
        let may_less = state.args.visitor.follow(&settings.of::<Config>().shell).await;
        // Who asked for these settings is told what came of that.
        if may_less && !state.is_reload {
            state.work.abort_all();
        }
        Ok(())
    }

    async fn drain(_: &Context<Msg>, _: Instant, state: &mut State) -> Result<Drained, Broken> {
        state.work.abort_all();
        state.args.closing.notify_one();
        Ok(Drained::Now)
    }

    fn inspect(state: &State) -> Inspection {
        let caller = state.args.visitor.caller();
        let role = match caller.map(|caller| caller.role) {
            Some(Role::Administrator) => "administrator",
            Some(Role::Reader) => "reader",
            None => "none",
        };
        Inspection::default()
            .with("uid", state.args.visitor.uid())
            .with("name", caller.map_or("", |caller| &caller.name))
            .with("role", role)
            .with("asked", state.asked)
            .with("line", state.line.clone())
            .with(
                "busy",
                state.current.as_ref().is_some_and(|work| !work.is_finished()),
            )
    }
}

/// Has something done beside the actor, which answers for itself meanwhile.
fn begin(ctx: &Context<Msg>, ask: Ask, state: &mut State) {
    // A client asks one thing at a time; who asks anew does not wait for the old.
    state.work.abort_all();
    while state.work.try_join_next().is_some() {}
    state.asked += 1;
    state.is_reload = is_reload(&ask.request.line);
    state.line = ask.request.line.chars().take(200).collect();
    let (desk, caller) = (Arc::clone(&state.args.desk), state.args.visitor.caller().cloned());
    let watch = Watch(ctx.address(), state.line.clone());
    let work = async move {
        let _watch = watch;
        let started = Instant::now();
        let end = match caller {
            Some(caller) => work(&desk, caller, ask.request, &ask.out).await,
            None => End::refused("", Exit::NOT_ALLOWED, "you may not ask this server any more"),
        };
        telemetry::SHELL_REQUESTS_TIME.took(started.elapsed());
        // Whoever asked may have gone.
        let _ = ask.out.send(Response::End(end)).await;
    };
    state.current = Some(state.work.spawn(work));
    ask.begun.send(());
}

/// Whether a line takes up another configuration.
fn is_reload(line: &str) -> bool {
    Call::parse(line).is_ok_and(|call| call.verb().words() == "reload")
}

/// Does it, and says how it ended.
async fn work(desk: &Desk, caller: Caller, asked: frame::Request, out: &Output) -> End {
    let call = match Call::parse(&asked.line) {
        Ok(call) => call,
        Err(why) => {
            telemetry::SHELL_REQUESTS_FAILED.count(1);
            return End::refused("", Exit::USAGE, why.0);
        }
    };
    let verb = call.verb().words();
    let request = Request {
        call,
        caller,
        secret: asked.secret.map(auth::Secret::new),
    };
    let (blocks, end) = match verb::run(desk, &request, out).await {
        Ok(answer) => answer.into_frames(),
        Err(refused) => {
            telemetry::SHELL_REQUESTS_FAILED.count(1);
            return refused.end(&verb);
        }
    };
    telemetry::SHELL_REQUESTS_DONE.count(1);
    for block in blocks {
        if out.say(block).await.is_err() {
            break;
        }
    }
    end
}

/// Tells the session when its work panics: a bug crashes, and is counted.
struct Watch(Address<Msg>, String);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.cast(Msg::Died(format!("a verb died: {}", self.1)));
        }
    }
}
