//! Keeper: the actor of a static supervisor. It starts, restarts and drains as `strategy`, `intensity` and `backoff` say.
//!
//! Owner:    the supervisor above, or nobody at the root
//! Accepts:  Order
//! Calls:    nobody
//! Owns:     its children
//! On death: its children are killed; its supervisor starts it again, and it them, when all of them have ended.
//! Limits:   Plan::intensity, DRAIN_GRACE

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actor::{Actor, Below, Broken, Drained, Inspection};
use crate::child::{Child, Restart};
use crate::context::Context;
use crate::intensity::{Verdict, Window};
use crate::life::{Above, Reign};
use crate::order::{Exit, Order};
use crate::slot::{Killing, Phase};
use crate::supervisor::Plan;
use crate::supervisor::strategy::{Stage, affected, fate, may_start};
use crate::timer::Timer;

/// What a child is given to drain when its turn comes after the deadline: those drained last, the store among them,
/// must not pay for the first.
pub const DRAIN_GRACE: Duration = Duration::from_millis(500);

pub(crate) struct Keeper;

pub(crate) struct Keeping {
    plan: Arc<Plan>,
    wards: Vec<Ward>,
    window: Window,
    /// Until all children have been up once.
    opening: bool,
    draining: Option<Drain>,
    /// Last: it holds this supervisor's own life.
    reign: Arc<Reign>,
}

/// What the keeper remembers of a child.
struct Ward {
    stage: Stage,
    /// To be started again whatever its restart rule says, and without being counted.
    forced: bool,
    /// Its own failures of the period, for its backoff.
    failures: Window,
    timer: Option<Timer>,
}

/// A drain under way: children at `turn` and above have been told.
struct Drain {
    deadline: Instant,
    turn: usize,
}

impl Actor for Keeper {
    const CLASS: &'static str = "supervisor";
    type Msg = Order;
    type Args = Arc<Plan>;
    type State = Keeping;

    async fn pre_start(ctx: &Context<Order>, plan: Arc<Plan>) -> Result<Keeping, Broken> {
        let life = ctx
            .life()
            .ok_or_else(|| Broken::because("a supervisor without a life"))?;
        let reign = Reign::new(Arc::clone(ctx.slot()), ctx.actor().clone(), life, true);
        let wards = plan
            .children
            .iter()
            .map(|_| Ward {
                stage: Stage::Due,
                forced: false,
                failures: Window::default(),
                timer: None,
            })
            .collect();
        let mut keeping = Keeping {
            plan,
            wards,
            window: Window::default(),
            opening: true,
            draining: None,
            reign,
        };
        keeping.start_due();
        Ok(keeping)
    }

    async fn handle(ctx: &Context<Order>, order: Order, keeping: &mut Keeping) -> Result<(), Broken> {
        let place = match &order {
            Order::Started { child, .. }
            | Order::Ready { child, .. }
            | Order::Ended { child, .. }
            | Order::Retry { child, .. }
            | Order::Overdue { child, .. }
            | Order::CompanionEnded { child }
            | Order::Restart { child } => keeping.place_of(child),
            Order::AllOverdue => None,
        };
        let Some(place) = place else { return Ok(()) };
        match order {
            Order::Started { incarnation, .. } => keeping.started(place, incarnation, false),
            Order::Ready { incarnation, .. } => keeping.started(place, incarnation, true),
            Order::Ended {
                incarnation, exit, ..
            } => keeping.ended(ctx, place, incarnation, &exit)?,
            Order::Retry { incarnation, .. } => keeping.retry(place, incarnation),
            Order::Overdue { incarnation, .. } => keeping.overdue(place, incarnation),
            Order::Restart { .. } => keeping.restart(place),
            Order::CompanionEnded { .. } | Order::AllOverdue => {}
        }
        keeping.start_due();
        keeping.advance_drain(ctx);
        Ok(())
    }

    async fn drain(
        ctx: &Context<Order>,
        deadline: Instant,
        keeping: &mut Keeping,
    ) -> Result<Drained, Broken> {
        if keeping.draining.is_none() {
            keeping.draining = Some(Drain {
                deadline,
                turn: keeping.wards.len(),
            });
            keeping.advance_drain(ctx);
        }
        // `advance_drain` ends it, now or later.
        Ok(Drained::Later)
    }

    fn inspect(keeping: &Keeping) -> Inspection {
        Inspection::default()
            .with("strategy", format!("{:?}", keeping.plan.strategy))
            .with("children", keeping.wards.len())
            .with("opening", keeping.opening)
            .with("draining", keeping.draining.is_some())
    }

    fn below(keeping: &Keeping) -> Below {
        let children = keeping.plan.children.iter();
        Below(children.map(|child| Arc::clone(&child.node.slot)).collect())
    }
}

impl Drop for Keeping {
    /// Whatever ends a supervisor ends what is below it. `Draining` actors too, which ractor's own links would leave.
    fn drop(&mut self) {
        self.reign.close();
        for child in self.plan.children.iter().rev() {
            child.node.slot.place().kill(Killing::Expected);
        }
    }
}

impl Keeping {
    fn place_of(&self, name: &str) -> Option<usize> {
        self.plan
            .children
            .iter()
            .position(|child| &**child.name() == name)
    }

    fn started(&mut self, place: usize, incarnation: u64, ready: bool) {
        let Some((child, ward)) = self.current(place, incarnation) else {
            return;
        };
        if ward.stage == Stage::Starting && child.readies_itself() == ready {
            ward.stage = Stage::Up;
        }
    }

    fn ended(
        &mut self,
        ctx: &Context<Order>,
        place: usize,
        incarnation: u64,
        exit: &Exit,
    ) -> Result<(), Broken> {
        let told = self.is_told(place);
        let Some((child, ward)) = self.current(place, incarnation) else {
            return Ok(());
        };
        ward.timer = None;
        if told {
            ward.finish(child);
            return Ok(());
        }
        if ward.stage == Stage::Ending {
            match child.restart {
                Restart::Temporary => ward.finish(child),
                _ => ward.stage = Stage::Due,
            }
            return Ok(());
        }
        if std::mem::take(&mut ward.forced) {
            child.node.slot.place().count_restart();
            ward.stage = Stage::Due;
            return Ok(());
        }
        if !child.restart.wanted(exit) {
            ward.finish(child);
            return Ok(());
        }
        self.repair(ctx, place, exit)
    }

    /// Restarts a child and those that share its fate, unless that has happened too often.
    fn repair(&mut self, ctx: &Context<Order>, place: usize, exit: &Exit) -> Result<(), Broken> {
        let (intensity, now) = (self.plan.intensity, Instant::now());
        let Verdict::Restart(_) = self.window.record(intensity, now) else {
            return Err(self.exceeded(place, exit));
        };
        // All failures together decide whether to go on; for how long a child waits only its own do.
        let own = self
            .wards
            .get_mut(place)
            .map(|ward| ward.failures.record(intensity, now));
        let Some(Verdict::Restart(count)) = own else {
            return Err(self.exceeded(place, exit));
        };
        let wait = self.reign.commons().backoff(count);
        for sibling in affected(self.plan.strategy, place, self.wards.len()).rev() {
            if sibling == place || self.is_told(sibling) {
                continue;
            }
            let (Some(child), Some(ward)) = (self.plan.children.get(sibling), self.wards.get_mut(sibling))
            else {
                continue;
            };
            let (stop, stage) = fate(ward.stage, child.restart);
            ward.stage = stage;
            if stop {
                child.node.slot.place().kill(Killing::Expected);
            }
            if stage != Stage::Done {
                child.node.slot.place().count_restart();
            }
        }
        let (Some(child), Some(ward)) = (self.plan.children.get(place), self.wards.get_mut(place)) else {
            return Ok(());
        };
        let spot = child.node.slot.place();
        spot.count_restart();
        tracing::warn!(
            path = spot.path(),
            restart = count,
            wait_ms = wait.as_millis(),
            "restarting"
        );
        if wait.is_zero() {
            ward.stage = Stage::Due;
            return Ok(());
        }
        ward.stage = Stage::Waiting;
        let incarnation = spot.control().incarnation;
        ward.timer = Some(ctx.after(
            wait,
            Order::Retry {
                child: Arc::clone(child.name()),
                incarnation,
            },
        ));
        Ok(())
    }

    fn exceeded(&self, place: usize, exit: &Exit) -> Broken {
        let path = self
            .plan
            .children
            .get(place)
            .map(|child| child.node.slot.place().path())
            .unwrap_or_default();
        let intensity = self.plan.intensity;
        let last = match exit {
            Exit::Crashed(card) => card.to_string(),
            Exit::Stopped => "it stopped".to_owned(),
        };
        let allowed = format!("{} in {:?}", intensity.restarts, intensity.period);
        Broken(format!(
            "restart intensity exceeded ({allowed}) by {path}; last: {last}"
        ))
    }

    fn retry(&mut self, place: usize, incarnation: u64) {
        let Some((_, ward)) = self.current(place, incarnation) else {
            return;
        };
        if ward.stage == Stage::Waiting {
            ward.stage = Stage::Due;
            ward.timer = None;
        }
    }

    fn overdue(&mut self, place: usize, incarnation: u64) {
        if let Some((child, _)) = self.current(place, incarnation) {
            child.node.slot.place().kill(Killing::Overdue);
        }
    }

    /// An operator's wish: ends the child if it lives, and starts it at once.
    fn restart(&mut self, place: usize) {
        if self.is_told(place) {
            return;
        }
        let (Some(child), Some(ward)) = (self.plan.children.get(place), self.wards.get_mut(place)) else {
            return;
        };
        match ward.stage {
            Stage::Up | Stage::Starting => {
                ward.forced = true;
                child.node.slot.place().kill(Killing::Expected);
            }
            Stage::Waiting | Stage::Done => {
                ward.timer = None;
                ward.stage = Stage::Due;
            }
            Stage::Due | Stage::Ending => {}
        }
    }

    /// Starts whoever may be started, and tells the supervisor above when all have been up.
    fn start_due(&mut self) {
        let stages: Vec<Stage> = self.wards.iter().map(|ward| ward.stage).collect();
        let due =
            (0..stages.len()).filter(|place| may_start(self.plan.strategy, self.opening, *place, &stages));
        for place in due.collect::<Vec<_>>() {
            if self.is_told(place) {
                continue;
            }
            let (Some(child), Some(ward)) = (self.plan.children.get(place), self.wards.get_mut(place)) else {
                continue;
            };
            ward.stage = Stage::Starting;
            child.node.slot.place().set_phase(Phase::Waiting);
            child.start(&Above::Supervisor(Arc::clone(&self.reign)));
        }
        if self.opening
            && stages
                .iter()
                .all(|stage| matches!(stage, Stage::Up | Stage::Done))
        {
            self.opening = false;
            self.reign.life().ready();
        }
    }

    /// Drains the children from the last to the first: the next is told when the one after it has ended.
    fn advance_drain(&mut self, ctx: &Context<Order>) {
        let Some(drain) = &mut self.draining else { return };
        let now = Instant::now();
        loop {
            if self
                .wards
                .get(drain.turn)
                .is_some_and(|ward| ward.stage != Stage::Done)
            {
                return;
            }
            let Some(next) = drain.turn.checked_sub(1) else {
                break;
            };
            drain.turn = next;
            let (Some(child), Some(ward)) = (self.plan.children.get(next), self.wards.get_mut(next)) else {
                continue;
            };
            ward.drain(ctx, child, drain.deadline.max(now + DRAIN_GRACE));
        }
        ctx.drained();
    }

    fn is_told(&self, place: usize) -> bool {
        self.draining.as_ref().is_some_and(|drain| place >= drain.turn)
    }

    /// The child at a place, if this incarnation of it is the latest.
    fn current(&mut self, place: usize, incarnation: u64) -> Option<(&Child, &mut Ward)> {
        let child = self.plan.children.get(place)?;
        let latest = child.node.slot.place().control().incarnation;
        (latest == incarnation).then_some(())?;
        Some((child, self.wards.get_mut(place)?))
    }
}

impl Ward {
    fn drain(&mut self, ctx: &Context<Order>, child: &Child, deadline: Instant) {
        let spot = child.node.slot.place();
        match self.stage {
            Stage::Up if child.node.slot.drain(deadline) => {
                // A supervisor kills its own in time; it is given what its children may need after the deadline.
                let grace = match child.node.turns() {
                    1 => Duration::ZERO,
                    turns => DRAIN_GRACE.saturating_mul(turns),
                };
                let incarnation = spot.control().incarnation;
                let overdue = Order::Overdue {
                    child: Arc::clone(child.name()),
                    incarnation,
                };
                let patience = deadline.saturating_duration_since(Instant::now()) + grace;
                self.timer = Some(ctx.after(patience, overdue));
            }
            Stage::Up | Stage::Starting => spot.kill(Killing::Expected),
            Stage::Ending => {}
            Stage::Due | Stage::Waiting | Stage::Done => self.finish(child),
        }
    }

    /// This child will not be started again.
    fn finish(&mut self, child: &Child) {
        self.stage = Stage::Done;
        self.timer = None;
        child.node.slot.place().set_phase(Phase::Closed);
    }
}
