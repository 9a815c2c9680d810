//! Runner: makes a ractor actor of one of ours. It opens envelopes, keeps the gauges, catches panics, and holds the
//! life of the incarnation until the state has been dropped.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ractor::{ActorProcessingErr, ActorRef, ActorStatus, Message, SupervisionEvent};

use crate::actor::{Actor, Below, Broken, Calling, Drained};
use crate::context::Context;
use crate::envelope::{Envelope, Work};
use crate::gauges::Moment;
use crate::ledger::CrashKind;
use crate::life::Life;
use crate::panics::Caught;
use crate::round::{Notice, Roll, Word};
use crate::settings::Settings;
use crate::slot::{AnySlot, Phase, Slot};
use crate::subject::Subject;
use crate::tally::Class;

/// A word is passed on to so many before others may run: a supervisor of thousands holds its thread for microseconds.
const PASSED_ON_AT_ONCE: usize = 256;

pub(crate) struct Runner<A>(PhantomData<fn() -> A>);

/// What an incarnation is started with.
pub(crate) struct Startup<A: Actor> {
    pub(crate) life: Arc<Life>,
    pub(crate) slot: Arc<Slot<A::Msg>>,
    pub(crate) settings: Settings,
    pub(crate) limit: Duration,
    pub(crate) class: Arc<Class>,
    pub(crate) args: A::Args,
}

/// A running incarnation. The order of the fields is the order of their end: the state, then the way to it, then the
/// life, whose end lets the supervisor start the next.
pub(crate) struct Running<A: Actor> {
    state: Option<A::State>,
    /// Messages that came while it was suspended, in order. Whatever comes after them waits behind them.
    aside: Option<Box<Aside<A::Msg>>>,
    class: Arc<Class>,
    _vacancy: Vacancy<A::Msg>,
    ctx: Context<A::Msg>,
    generation: u64,
    /// When the last message was finished.
    last: Moment,
    life: Arc<Life>,
}

/// In a box of its own: hardly an actor has any.
struct Aside<M>(VecDeque<Work<M>>);

/// Empties the slot when the state has been dropped.
struct Vacancy<M: Message>(Arc<Slot<M>>);

impl<M: Message> Drop for Vacancy<M> {
    fn drop(&mut self) {
        self.0.vacate();
    }
}

impl<A> Runner<A> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<A: Actor> ractor::Actor for Runner<A> {
    type Msg = Envelope<A::Msg>;
    type State = Running<A>;
    type Arguments = Startup<A>;

    async fn pre_start(
        &self,
        actor: ActorRef<Self::Msg>,
        startup: Startup<A>,
    ) -> Result<Running<A>, ActorProcessingErr> {
        let Startup {
            life,
            slot,
            settings,
            limit,
            class,
            args,
        } = startup;
        let ctx = Context::new(Arc::clone(&slot), actor, &life);
        let generation = settings.generation();
        let started = {
            let mut start = Box::pin(A::pre_start(&ctx, args));
            let caught = Caught {
                future: start.as_mut(),
                span: None,
            };
            tokio::time::timeout(limit, caught).await
        };
        let text = match started {
            Ok(Ok(Ok(state))) => {
                return Ok(Running {
                    state: Some(state),
                    aside: None,
                    class,
                    _vacancy: Vacancy(slot),
                    ctx,
                    generation,
                    last: Moment::now(),
                    life,
                });
            }
            Ok(Ok(Err(Broken(text)))) => text,
            Ok(Err(panic)) => format!("panicked: {panic}"),
            Err(_elapsed) => format!("not started within {limit:?}"),
        };
        life.crash(CrashKind::Start, text.clone(), None);
        Err(text.into())
    }

    async fn post_start(
        &self,
        actor: ActorRef<Self::Msg>,
        running: &mut Running<A>,
    ) -> Result<(), ActorProcessingErr> {
        running.ctx.slot().publish(actor);
        running.life.started();
        // Settings stored since the arguments were made were forwarded while nobody could be reached here.
        let settings = running.ctx.settings();
        if settings.generation() != running.generation {
            // Nobody waits for this round: whoever committed waits for those that could be told.
            let slot = Arc::clone(running.ctx.slot()) as Arc<dyn AnySlot>;
            let token = Roll::new().enter(&slot);
            let word = Word::Commit(settings);
            Box::pin(running.notice(Notice { word, token })).await?;
        }
        Ok(())
    }

    /// One box for the handler's future and all that goes with it: ractor would reserve room for it twice in the task
    /// of every idle actor.
    fn handle(
        &self,
        _actor: ActorRef<Self::Msg>,
        envelope: Envelope<A::Msg>,
        running: &mut Running<A>,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        Box::pin(running.receive(envelope))
    }

    /// Nobody is linked to a [`Runner`]: the end of a life is told by [`Life`].
    fn handle_supervisor_evt(
        &self,
        _actor: ActorRef<Self::Msg>,
        _event: SupervisionEvent,
        _running: &mut Running<A>,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        std::future::ready(Ok(()))
    }

    async fn post_stop(
        &self,
        _actor: ActorRef<Self::Msg>,
        running: &mut Running<A>,
    ) -> Result<(), ActorProcessingErr> {
        running.life.stopped();
        running.state = None;
        Ok(())
    }
}

impl<A: Actor> Running<A> {
    async fn receive(&mut self, envelope: Envelope<A::Msg>) -> Result<(), ActorProcessingErr> {
        let outcome = match envelope {
            Envelope::Work(work) => {
                if self.aside.is_some() || self.ctx.slot().place().is_suspended() {
                    return Box::pin(self.set_aside(work)).await;
                }
                return self.work(work).await;
            }
            // Boxed: the rare path must not weigh on the box of every message.
            Envelope::Notice(notice) => return Box::pin(self.notice(notice)).await,
            Envelope::Resume => return Box::pin(self.catch_up()).await,
            Envelope::Drain(deadline) => {
                // Whoever is to end finishes what it was sent before.
                self.ctx.slot().place().set_suspended(false);
                Box::pin(self.catch_up()).await?;
                let Some(state) = &mut self.state else {
                    return Ok(());
                };
                let outcome = caught(A::drain(&self.ctx, deadline, state)).await;
                if let Ok(Ok(Drained::Now)) = outcome {
                    self.ctx.drained();
                }
                outcome.map(|answer| answer.map(|_| ()))
            }
            Envelope::Inspect(reply) => {
                let Some(state) = &self.state else { return Ok(()) };
                let _ = reply.send(A::inspect(state));
                Ok(Ok(()))
            }
        };
        self.answer(outcome, None)
    }

    /// A message to one that is suspended, or was and has not caught up.
    async fn set_aside(&mut self, work: Work<A::Msg>) -> Result<(), ActorProcessingErr> {
        let Aside(aside) = &mut **self.aside.get_or_insert_with(|| Box::new(Aside(VecDeque::new())));
        if aside.is_empty() {
            self.ctx.slot().place().gauges.set_aside(work.sent);
        }
        aside.push_back(work);
        // What is handled next does not begin where the last ended.
        self.last = Moment::NEVER;
        self.catch_up().await
    }

    /// Handles what was set aside, until there is nothing left or it is suspended again. One whose mailbox has been
    /// closed handles it whatever was wished: it would be lost. One that was stopped leaves it, as it leaves its mailbox.
    async fn catch_up(&mut self) -> Result<(), ActorProcessingErr> {
        while let Some(Aside(aside)) = self.aside.as_deref_mut() {
            let place = self.ctx.slot().place();
            let ending = self.ctx.actor().get_status() >= ActorStatus::Draining;
            if place.phase() == Phase::Closed || (place.is_suspended() && !ending) {
                return Ok(());
            }
            match aside.pop_front() {
                Some(work) => self.work(work).await?,
                None => self.aside = None,
            }
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    async fn work(&mut self, work: Work<A::Msg>) -> Result<(), ActorProcessingErr> {
        let Work {
            msg,
            sent,
            sequence,
            subject,
            extras,
        } = work;
        let Some(state) = &mut self.state else {
            return Ok(());
        };
        let gauges = &self.ctx.slot().place().gauges;
        // A message that was waiting is begun when the one before it was finished: no clock is read for it.
        let begun = if sent <= self.last {
            self.last
        } else {
            Moment::now()
        };
        gauges.begin(sequence, sent, subject);
        let outcome = {
            let handle = pin!(A::handle(&self.ctx, msg, state));
            let span = extras.as_ref().map(|extras| &extras.span);
            Caught { future: handle, span }.await
        };
        self.last = Moment::now();
        let took = self.last.nanos_since(begun);
        gauges.finish(took, subject.is_some());
        self.class.record(begun.nanos_since(sent), took);
        drop(extras);
        self.answer(outcome, subject)
    }

    /// A word that goes down the tree: first heard here, then passed on, then answered.
    async fn notice(&mut self, notice: Notice) -> Result<(), ActorProcessingErr> {
        let Notice { word, token } = notice;
        let Some(state) = &mut self.state else {
            return Ok(());
        };
        let ctx = &self.ctx;
        let outcome = match &word {
            Word::Prepare(settings) => caught(A::prepare(ctx, settings, state)).await,
            Word::Abandon => caught(A::abandon(ctx, state)).await.map(|()| Ok(Ok(()))),
            // Of two commits the one stored last counts, in whatever order they arrive.
            Word::Commit(settings) if settings.generation() <= self.generation => Ok(Ok(Ok(()))),
            Word::Commit(settings) => {
                self.generation = settings.generation();
                let configured = caught(A::configure(ctx, settings, state)).await;
                configured.map(|outcome| outcome.map(Ok))
            }
        };
        let answer = match outcome {
            Ok(Ok(answer)) => answer,
            Ok(Err(broken)) => return self.answer(Ok(Err(broken)), None),
            Err(panic) => return self.answer(Err(panic), None),
        };
        let Below(below) = A::below(state, &Calling(Arc::clone(token.roll())));
        for told in below.chunks(PASSED_ON_AT_ONCE) {
            told.iter().for_each(|slot| token.roll().tell(slot, &word));
            tokio::task::yield_now().await;
        }
        token.answer(answer);
        // Should it end now of its own will, what was set aside would be lost.
        self.catch_up().await
    }

    fn answer(
        &self,
        outcome: Result<Result<(), Broken>, String>,
        subject: Option<Subject>,
    ) -> Result<(), ActorProcessingErr> {
        let (kind, text) = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(Broken(text))) => (CrashKind::Error, text),
            Err(panic) => (CrashKind::Panic, panic),
        };
        self.life.crash(kind, text.clone(), subject);
        Err(text.into())
    }
}

/// A future of an actor's, whose panic is its error.
async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    Caught {
        future: pin!(future),
        span: None,
    }
    .await
}
