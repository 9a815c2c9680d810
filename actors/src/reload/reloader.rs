//! Reloader: takes up another configuration, one at a time.
//!
//! Owner:    / (static, permanent)
//! Accepts:  Msg::{Reload, Finished}
//! Calls:    the loader, every actor of the tree by way of the supervisors, the store gate
//! Owns:     a task for the reload that is under way; it must not wait itself, for it is told like everybody else
//! On death: a reload that was under way is ended by the next reloader: in force if the tree has it, else abandoned by
//!           all who had made ready. Who asked for it, and those that waited behind it, learn that nobody knows.
//! Limits:   MAX_WAITING, the limits of the phases in course.rs

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ractor_cluster_derive::RactorMessage;
use supervision::{Actor, Address, Broken, Context, Inspection, Reply, Timer};
use tokio::task::JoinSet;

use super::receipt::{Outcome, Receipt};
use crate::telemetry::{
    RELOAD_ACTORS_LOST, RELOAD_REQUESTS_DONE, RELOAD_REQUESTS_FAILED, RELOAD_REQUESTS_PLANNED,
    RELOAD_REQUESTS_TIME,
};

pub use super::course::{Course, Request};

/// Requests that may wait for the one that is under way: so few that the last is over within `PATIENCE`, even if both
/// phases of each last as long as they may.
const MAX_WAITING: usize = 6;

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
    Finished(Turn),
}

/// One thing that was under way, told from every other: a task of a reloader that died may end while its successor is at
/// work.
#[derive(Clone, Debug, Default)]
pub struct Turn(Arc<()>);

impl PartialEq for Turn {
    /// Whether both are the same one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The reloader.
pub struct Reloader;

/// What a reloader holds.
pub struct State {
    course: Course,
    /// What is under way.
    turn: Option<Turn>,
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
        let start = Turn::default();
        Ok(State {
            course,
            // Until it has looked for what its predecessor left.
            turn: Some(start.clone()),
            waiting: VecDeque::new(),
            done: 0,
            tasks: JoinSet::new(),
            _start: ctx.after(Duration::ZERO, Msg::Finished(start)),
        })
    }

    async fn handle(ctx: &Context<Msg>, msg: Msg, state: &mut State) -> Result<(), Broken> {
        match msg {
            Msg::Reload { request, reply } => state.reload(ctx, request, reply),
            Msg::Finished(turn) => state.finished(ctx, &turn),
        }
        Ok(())
    }

    fn inspect(state: &State) -> Inspection {
        let kept = state.course.book.kept();
        Inspection::default()
            .with("busy", state.turn.is_some())
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

    fn finished(&mut self, ctx: &Context<Msg>, turn: &Turn) {
        if self.turn.as_ref() == Some(turn) {
            self.turn = None;
            self.next(ctx);
        }
    }

    /// Begins with what waits, unless something is under way.
    fn next(&mut self, ctx: &Context<Msg>) {
        while self.tasks.try_join_next().is_some() {}
        if self.turn.is_some() {
            return;
        }
        let course = self.course.clone();
        // Of a predecessor that died, or of a task that panicked.
        if course.book.underway().is_some() {
            self.begin(ctx, async move { course.mend().await });
        } else if let Some((request, reply)) = self.waiting.pop_front() {
            self.done += 1;
            self.begin(ctx, async move {
                course.keep_first().await;
                let receipt = course.run(request).await;
                count(&receipt);
                reply.send(Some(receipt));
            });
        } else if course.book.kept().is_none() && self.done == 0 {
            self.done += 1;
            self.begin(ctx, async move { course.keep_first().await });
        }
    }

    fn begin(&mut self, ctx: &Context<Msg>, work: impl Future<Output = ()> + Send + 'static) {
        let turn = Turn::default();
        let finished = Finished(ctx.address(), turn.clone());
        self.turn = Some(turn);
        self.tasks.spawn(async move {
            let _finished = finished;
            work.await;
        });
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
struct Finished(Address<Msg>, Turn);

impl Drop for Finished {
    fn drop(&mut self) {
        // Without an actor there is nobody who waits for it.
        let _ = self.0.cast(Msg::Finished(self.1.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use config::{Profile, parse_sourced};
    use store::record::configuration::KeptDocument;
    use supervision::{Settings, Value, alone};

    use super::*;
    use crate::{
        fixture::Fixture,
        listener::ports::{Ports, Presented},
        reads::Reads,
        reload::{
            book::{Book, InForce},
            loader::{Loaded, Loader},
        },
        shell::desk::Desk,
    };

    struct Nothing;

    impl Loader for Nothing {
        fn load(&self) -> Result<Loaded, Vec<String>> {
            Err(Vec::new())
        }

        fn reread(&self, _: &[KeptDocument]) -> Result<Loaded, Vec<String>> {
            self.load()
        }
    }

    fn course(fixture: &Fixture, gate: Address<crate::store::gate::Msg>) -> Course {
        let (config, clock) = (Arc::clone(&fixture.config), fixture.clock);
        let in_force = InForce {
            loaded: Loaded {
                sourced: parse_sourced(&[], Profile::Development).unwrap(),
                documents: Vec::new(),
                contents: Default::default(),
                warnings: Vec::new(),
            },
            config: Arc::clone(&config),
        };
        Course {
            loader: Arc::new(Nothing),
            book: Book::new(in_force),
            desk: Desk::new(
                fixture.store.clone(),
                config,
                clock,
                fixture.mint.clone(),
                Reads::new(1),
            ),
            ports: Ports::new(Arc::new(|_| Ok(Presented::default()))),
            gate,
        }
    }

    #[tokio::test]
    async fn a_task_of_the_reloader_before_ends_nothing_of_this_one() {
        let fixture = Fixture::new().await;
        let (gate, mut inbox) = Address::detached();
        let reloader = alone::<Reloader>(Settings::default(), course(&fixture, gate));
        // The configuration of the start is to be kept; nobody says yet that it is.
        let kept = inbox.next().await;
        let request = Request {
            who: "a test".to_owned(),
            line: "reload".to_owned(),
            reason: None,
            is_plan: false,
            to: None,
        };
        let asked = reloader.clone();
        let asked = tokio::spawn(async move {
            let reload = |reply| Msg::Reload { request, reply };
            asked.call(PATIENCE, reload).await
        });
        let waiting = async || reloader.inspect().await.unwrap().value("waiting").cloned();
        while waiting().await != Some(Value::Number(1)) {
            tokio::task::yield_now().await;
        }
        reloader.cast(Msg::Finished(Turn::default())).unwrap();
        assert_eq!(waiting().await, Some(Value::Number(1)));
        drop((kept, inbox));
        let receipt = asked.await.unwrap().unwrap().unwrap();
        assert!(matches!(receipt.outcome, Outcome::Failed(_)), "{receipt:?}");
    }
}
