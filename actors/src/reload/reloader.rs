//! Reloader: takes up another configuration, one at a time.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Reload, Finished}
//! Calls:    the loader, every actor of the tree by way of the supervisors, the store gate
//! Owns:     a task for the reload that is under way; it must not wait itself, for it is told like everybody else
//! On death: a reload that was under way is ended by the next reloader: in force if the tree has it, else abandoned by
//!           all who had made ready. Who asked for it, and those that waited behind it, learn that nobody knows.
//! Limits:   MAX_WAITING, the limits of the phases in course.rs

use std::{collections::VecDeque, time::Duration};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Inspection, Reply, Timer};
use tokio::task::JoinSet;

use super::receipt::{Outcome, Receipt};
use crate::telemetry::{
    RELOAD_ACTORS_LOST, RELOAD_REQUESTS_DONE, RELOAD_REQUESTS_FAILED, RELOAD_REQUESTS_PLANNED,
    RELOAD_REQUESTS_TIME,
};

pub use super::course::{Course, Request};

/// Requests that may wait for the one that is under way.
const MAX_WAITING: usize = 16;

/// How long somebody who asks may wait: for those before it, and for the phases of its own.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What the reloader is asked.
#[derive(RactorMessage)]
pub enum Msg {
    /// Take up another configuration, or say what that would be.
    Reload {
        /// Who asks for what.
        request: Request,
        /// Where the receipt goes; `None` says that too many wait already.
        reply: Reply<Option<Receipt>>,
    },
    /// What was under way is over.
    Finished,
}

/// The reloader.
pub struct Reloader;

/// What a reloader holds.
pub struct State {
    course: Course,
    is_busy: bool,
    waiting: VecDeque<(Request, Reply<Option<Receipt>>)>,
    done: u64,
    tasks: JoinSet<()>,
    _start: Timer,
}

impl Actor for Reloader {
    const CLASS: &'static str = "reloader";
    type Msg = Msg;
    type Args = Course;
    type State = State;

    async fn pre_start(ctx: &Context<Msg>, course: Course) -> Result<State, Broken> {
        Ok(State {
            course,
            // Until the end of whatever its predecessor left.
            is_busy: true,
            waiting: VecDeque::new(),
            done: 0,
            tasks: JoinSet::new(),
            _start: ctx.after(Duration::ZERO, Msg::Finished),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Reload { request, reply } => state.reload(ctx, request, reply),
            Msg::Finished => state.finished(ctx),
        }
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let kept = state.course.book.kept();
        Inspection::default()
            .with("busy", state.is_busy)
            .with("waiting", state.waiting.len())
            .with("done", state.done)
            .with(
                "configuration",
                kept.map_or_else(String::new, |kept| kept.to_string()),
            )
    }
}

impl State {
    fn reload(&mut self, ctx: &Context<Msg>, request: Request, reply: Reply<Option<Receipt>>) {
        if self.waiting.len() >= MAX_WAITING {
            return reply.send(None);
        }
        self.waiting.push_back((request, reply));
        self.next(ctx);
    }

    fn finished(&mut self, ctx: &Context<Msg>) {
        self.is_busy = false;
        self.next(ctx);
    }

    /// Begins with what waits, unless something is under way.
    fn next(&mut self, ctx: &Context<Msg>) {
        while self.tasks.try_join_next().is_some() {}
        if self.is_busy {
            return;
        }
        let (course, me) = (self.course.clone(), ctx.address());
        // Of a predecessor that died, or of a task that panicked.
        if course.book.underway().is_some() {
            self.is_busy = true;
            self.tasks.spawn(async move {
                let _finished = Finished(me);
                course.mend().await;
            });
        } else if let Some((request, reply)) = self.waiting.pop_front() {
            self.is_busy = true;
            self.done += 1;
            self.tasks.spawn(async move {
                let _finished = Finished(me);
                course.keep_first().await;
                let receipt = course.run(request).await;
                count(&receipt);
                reply.send(Some(receipt));
            });
        } else if course.book.kept().is_none() && self.done == 0 {
            self.is_busy = true;
            self.done += 1;
            self.tasks.spawn(async move {
                let _finished = Finished(me);
                course.keep_first().await;
            });
        }
    }
}

fn count(receipt: &Receipt) {
    let counter = match receipt.outcome {
        Outcome::Done => &RELOAD_REQUESTS_DONE,
        Outcome::Begun | Outcome::Planned => &RELOAD_REQUESTS_PLANNED,
        Outcome::Invalid(_) | Outcome::Refused(_) | Outcome::Failed(_) => &RELOAD_REQUESTS_FAILED,
    };
    counter.count(1);
    RELOAD_REQUESTS_TIME.took(receipt.took);
    RELOAD_ACTORS_LOST.count(receipt.lost);
}

/// Says that a task is over, also when it panics.
struct Finished(Address<Msg>);

impl Drop for Finished {
    fn drop(&mut self) {
        // Without an actor there is nobody who waits for it.
        let _ = self.0.cast(Msg::Finished);
    }
}
