//! Keeper: the actor of a static supervisor. It starts, restarts and drains as `strategy`, `intensity` and `backoff` say;
//! if its children vary, it makes and removes them as `varying` says.
//!
//! Owner:    the supervisor above, or nobody at the root
//! Accepts:  Order
//! Calls:    nobody
//! Owns:     its children
//! On death: its children are killed; its supervisor starts it again, and it them, when all of them have ended.
//! Limits:   Plan::intensity, DRAIN_GRACE, Supervisor::removal_deadline

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actor::{Actor, Below, Broken, Calling, Drained, Inspection, Refusal};
use crate::address::FOREVER;
use crate::child::Restart;
use crate::context::Context;
use crate::intensity::{Verdict, Window};
use crate::life::{Above, Reign};
use crate::order::{Exit, Order};
use crate::running::names_are_unique;
use crate::settings::Settings;
use crate::slot::{AnySlot, Killing, Phase};
use crate::supervisor::Plan;
use crate::supervisor::strategy::{Stage, affected, fate, may_start};
use crate::supervisor::varying::{Present, arrange, objection};
use crate::supervisor::ward::Ward;

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
        let children = plan.children();
        let wards = children.iter().cloned().enumerate();
        let wards = wards.map(|(rank, child)| Ward::new(child, rank)).collect();
        let mut keeping = Keeping {
            plan,
            wards,
            window: Window::default(),
            opening: true,
            draining: None,
            reign,
        };
        keeping.conform(ctx, false)?;
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

    async fn prepare(
        _: &Context<Order>,
        settings: &Settings,
        keeping: &mut Keeping,
    ) -> Result<Result<(), Refusal>, Broken> {
        let varying = keeping.plan.varying.as_ref();
        let wrong = varying.and_then(|varying| objection(&(varying.wanted)(settings)));
        Ok(match wrong {
            None => Ok(()),
            Some(wrong) => Err(Refusal(wrong)),
        })
    }

    async fn configure(ctx: &Context<Order>, _: &Settings, keeping: &mut Keeping) -> Result<(), Broken> {
        keeping.conform(ctx, true)?;
        keeping.start_due();
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

    /// Those that leave are left alone: nothing is written for them any more. Those made just now have the settings; they
    /// answer when they are up.
    fn below(keeping: &mut Keeping, Calling(roll): &Calling) -> Below {
        let mut below = Vec::with_capacity(keeping.wards.len());
        for ward in &mut keeping.wards {
            if std::mem::take(&mut ward.fresh) {
                ward.token = Some(roll.enter(&ward.child.node.slot));
            } else if !ward.leaving {
                below.push(Arc::clone(&ward.child.node.slot));
            }
        }
        Below(below)
    }
}

impl Drop for Keeping {
    /// Whatever ends a supervisor ends what is below it. `Draining` actors too, which ractor's own links would leave.
    fn drop(&mut self) {
        self.reign.close();
        for ward in self.wards.iter().rev() {
            ward.spot().kill(Killing::Expected);
        }
    }
}

impl Keeping {
    fn place_of(&self, name: &str) -> Option<usize> {
        self.wards.iter().position(|ward| &**ward.child.name() == name)
    }

    fn started(&mut self, place: usize, incarnation: u64, ready: bool) {
        if let Some(ward) = self.current(place, incarnation)
            && ward.stage == Stage::Starting
            && ward.child.readies_itself() == ready
        {
            ward.up();
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
        let commons = Arc::clone(self.reign.commons());
        let Some(ward) = self.current(place, incarnation) else {
            return Ok(());
        };
        (ward.timer, ward.token) = (None, None);
        if told || ward.leaving {
            ward.finish();
            return self.conform(ctx, false);
        }
        if ward.stage == Stage::Ending {
            match ward.child.restart {
                Restart::Temporary => ward.finish(),
                _ => ward.stage = Stage::Due,
            }
            return Ok(());
        }
        if std::mem::take(&mut ward.forced) {
            ward.stage = Stage::Due;
            commons.count_restart(ward.spot());
            // Whoever depends on it was told of it by the one before, and would wait for that one for ever.
            self.share_fate(place);
            return Ok(());
        }
        if !ward.child.restart.wanted(exit) {
            ward.finish();
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
        self.share_fate(place);
        let Some(ward) = self.wards.get_mut(place) else {
            return Ok(());
        };
        let spot = ward.spot();
        self.reign.commons().count_restart(spot);
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
        let incarnation = spot.control().incarnation;
        let child = Arc::clone(ward.child.name());
        ward.stage = Stage::Waiting;
        ward.timer = Some(ctx.after(wait, Order::Retry { child, incarnation }));
        Ok(())
    }

    /// Ends those that may not outlive the child of a place, to be started again behind it.
    fn share_fate(&mut self, place: usize) {
        for sibling in affected(self.plan.strategy, place, self.wards.len()).rev() {
            if sibling == place || self.is_told(sibling) {
                continue;
            }
            let Some(ward) = self.wards.get_mut(sibling).filter(|ward| !ward.leaving) else {
                continue;
            };
            let (stop, stage) = fate(ward.stage, ward.child.restart);
            ward.stage = stage;
            if stop {
                ward.spot().kill(Killing::Expected);
            }
            if stage != Stage::Done {
                self.reign.commons().count_restart(ward.spot());
            }
        }
    }

    fn exceeded(&self, place: usize, exit: &Exit) -> Broken {
        let ward = self.wards.get(place);
        let path = ward.map(|ward| ward.spot().path()).unwrap_or_default();
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
        if let Some(ward) = self.current(place, incarnation)
            && ward.stage == Stage::Waiting
        {
            ward.stage = Stage::Due;
            ward.timer = None;
        }
    }

    fn overdue(&mut self, place: usize, incarnation: u64) {
        if let Some(ward) = self.current(place, incarnation) {
            ward.spot().kill(Killing::Overdue);
        }
    }

    /// An operator's wish: ends the child if it lives, and starts it at once.
    fn restart(&mut self, place: usize) {
        if self.is_told(place) {
            return;
        }
        let Some(ward) = self.wards.get_mut(place).filter(|ward| !ward.leaving) else {
            return;
        };
        match ward.stage {
            Stage::Up | Stage::Starting => {
                ward.forced = true;
                ward.spot().kill(Killing::Expected);
            }
            Stage::Waiting | Stage::Done => {
                ward.timer = None;
                ward.stage = Stage::Due;
            }
            Stage::Due | Stage::Ending => {}
        }
    }

    /// Brings children that vary in line with the settings as they are stored now. What is being drained as a whole is
    /// not changed any more.
    fn conform(&mut self, ctx: &Context<Order>, in_round: bool) -> Result<(), Broken> {
        let plan = Arc::clone(&self.plan);
        let Some(varying) = plan.varying.as_ref().filter(|_| self.draining.is_none()) else {
            return Ok(());
        };
        let settings = ctx.settings();
        let wanted = (varying.wanted)(&settings);
        let (now, patience) = (Instant::now(), (varying.removal_deadline)(&settings));
        let deadline = now.checked_add(patience).unwrap_or(now + FOREVER);
        loop {
            let present: Vec<Present<'_>> = self.wards.iter().map(Ward::present).collect();
            let arrangement = arrange(&present, &wanted);
            // First what is code of others and may fail, then the change.
            let mut made = Vec::new();
            for (rank, place) in arrangement.makes {
                let Some((name, nature)) = wanted.get(place) else {
                    continue;
                };
                let child = (varying.make)(&settings, name);
                if &**child.name() != name {
                    return Err(Broken(format!("a child {:?} made for {name:?}", child.name())));
                }
                names_are_unique(&child.node).map_err(Broken::because)?;
                child.node.seat(&ctx.slot().place().base_of_children());
                let mut ward = Ward::new(Arc::new(child.of_nature(nature)), rank);
                ward.fresh = in_round;
                made.push(ward);
            }
            for (ward, rank) in self.wards.iter_mut().zip(arrangement.ranks) {
                ward.rank = rank.unwrap_or(usize::MAX);
                if rank.is_none() {
                    ward.leave(ctx, deadline);
                }
            }
            self.wards.append(&mut made);
            self.wards.sort_by_key(|ward| ward.rank);
            let before = self.wards.len();
            self.wards.retain(|ward| {
                let gone = ward.leaving && ward.stage == Stage::Done;
                if gone {
                    ward.child.node.close();
                }
                !gone
            });
            let children = self.wards.iter().map(|ward| Arc::clone(&ward.child));
            plan.set_children(children.collect());
            // A name that became free just now may be wanted.
            if self.wards.len() == before {
                return Ok(());
            }
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
            let Some(ward) = self.wards.get_mut(place) else {
                continue;
            };
            ward.stage = Stage::Starting;
            ward.spot().set_phase(Phase::Waiting);
            ward.child.start(&Above::Supervisor(Arc::clone(&self.reign)));
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
            if let Some(ward) = self.wards.get_mut(next) {
                ward.drain(ctx, drain.deadline.max(now + DRAIN_GRACE));
            }
        }
        ctx.drained();
    }

    fn is_told(&self, place: usize) -> bool {
        self.draining.as_ref().is_some_and(|drain| place >= drain.turn)
    }

    /// The child at a place, if this incarnation of it is the latest.
    fn current(&mut self, place: usize, incarnation: u64) -> Option<&mut Ward> {
        let ward = self.wards.get_mut(place)?;
        let latest = ward.spot().control().incarnation;
        (latest == incarnation).then_some(ward)
    }
}
