//! DynamicKeeper: the actor of a dynamic supervisor. It mends what the handle has started.
//!
//! Owner:    the supervisor above
//! Accepts:  Order
//! Calls:    nobody
//! Owns:     its children and their companions
//! On death: children are killed and companions aborted. On-demand children come back with the next message, the others
//!           do not: whoever started them learns from their address that they are gone.
//! Limits:   the ceiling, the intensity of each child, PARKED_CHILDREN, STOP_LIMIT

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::actor::{Actor, Below, Broken, Calling, Drained, Inspection};
use crate::context::Context;
use crate::dynamic::Members;
use crate::dynamic::companion::end_pair;
use crate::dynamic::mend::{Mend, mend};
use crate::dynamic::table::{Entry, Pool, Standing, Table};
use crate::intensity::Verdict;
use crate::life::Reign;
use crate::order::{Exit, Order};
use crate::slot::{AnySlot, Killing, Phase, Slot};
use crate::timer::Timer;

/// What an actor in the middle of a message is given to finish it when its companion has ended.
pub const STOP_LIMIT: Duration = Duration::from_secs(10);

pub(crate) struct DynamicKeeper<A>(std::marker::PhantomData<fn() -> A>);

pub(crate) struct Keeping<A: Actor> {
    pool: Arc<Pool<A>>,
    overdue: Option<Timer>,
    /// Last: it holds this supervisor's own life.
    reign: Arc<Reign>,
}

/// What is to be done outside the lock.
enum Next<A: Actor> {
    Nothing,
    Launch(Arc<Slot<A::Msg>>),
    Retry(Duration),
}

impl<A: Actor> Actor for DynamicKeeper<A> {
    const CLASS: &'static str = "dynamic_supervisor";
    type Msg = Order;
    type Args = Arc<Pool<A>>;
    type State = Keeping<A>;

    async fn pre_start(ctx: &Context<Order>, pool: Arc<Pool<A>>) -> Result<Keeping<A>, Broken> {
        let life = ctx
            .life()
            .ok_or_else(|| Broken::because("a supervisor without a life"))?;
        let reign = Reign::new(Arc::clone(ctx.slot()), ctx.actor().clone(), life, false);
        pool.table().open(&reign);
        Ok(Keeping {
            pool,
            overdue: None,
            reign,
        })
    }

    async fn handle(ctx: &Context<Order>, order: Order, keeping: &mut Keeping<A>) -> Result<(), Broken> {
        match order {
            Order::Ended {
                child,
                incarnation,
                exit,
            } => keeping.ended(ctx, &child, incarnation, &exit),
            Order::Retry { child, incarnation } => keeping.retry(&child, incarnation),
            Order::CompanionEnded { child } => keeping.companion_ended(ctx, &child),
            Order::Overdue { child, incarnation } => keeping.overdue(&child, incarnation),
            Order::AllOverdue => keeping.all_overdue(),
            Order::Restart { child } => keeping.restart(&child),
            Order::Started { .. } | Order::Ready { .. } => {}
        }
        let table = keeping.pool.table();
        if matches!(table.standing, Standing::Draining) && table.live == 0 {
            ctx.drained();
        }
        Ok(())
    }

    async fn drain(
        ctx: &Context<Order>,
        deadline: Instant,
        keeping: &mut Keeping<A>,
    ) -> Result<Drained, Broken> {
        let none = keeping.drain(deadline);
        if none {
            return Ok(Drained::Now);
        }
        let patience = deadline.saturating_duration_since(Instant::now());
        keeping.overdue = Some(ctx.after(patience, Order::AllOverdue));
        Ok(Drained::Later)
    }

    fn inspect(keeping: &Keeping<A>) -> Inspection {
        let table = keeping.pool.table();
        Inspection::default()
            .with("live", table.live)
            .with("known", table.entries.len())
            .with("ceiling", keeping.pool.ceiling())
            .with("draining", matches!(table.standing, Standing::Draining))
    }

    fn below(keeping: &mut Keeping<A>, _: &Calling) -> Below {
        Below(keeping.pool.all())
    }
}

impl<A: Actor> Drop for Keeping<A> {
    fn drop(&mut self) {
        self.reign.close();
        let fallen = self.pool.table().fall();
        fallen
            .iter()
            .for_each(|slot| end_pair(&**slot, Killing::Expected));
    }
}

impl<A: Actor> Keeping<A> {
    fn ended(&mut self, ctx: &Context<Order>, key: &Arc<str>, incarnation: u64, exit: &Exit) {
        let next = {
            let mut table = self.pool.table();
            let Some(entry) = current(&mut table, key, incarnation) else {
                return;
            };
            entry.running = false;
            entry.timer = None;
            let draining = matches!(table.standing, Standing::Draining);
            self.settle(&mut table, key, exit, draining)
        };
        match next {
            Next::Nothing => {}
            Next::Launch(slot) => self.pool.launch(&slot, &self.reign),
            Next::Retry(wait) => {
                let timer = ctx.after(
                    wait,
                    Order::Retry {
                        child: Arc::clone(key),
                        incarnation,
                    },
                );
                if let Some(entry) = current(&mut self.pool.table(), key, incarnation) {
                    entry.timer = Some(timer);
                }
            }
        }
    }

    /// What becomes of a child whose incarnation has ended.
    fn settle(&self, table: &mut Table<A>, key: &str, exit: &Exit, draining: bool) -> Next<A> {
        let Some(entry) = table.entries.get_mut(key) else {
            return Next::Nothing;
        };
        let slot = Arc::clone(&entry.slot);
        if draining {
            self.rest(table, key);
            return Next::Nothing;
        }
        if std::mem::take(&mut entry.forced) {
            return self.again(entry);
        }
        let on_demand = entry.has_factory() && self.pool.is_on_demand();
        let mend = mend(self.pool.restart, on_demand, matches!(exit, Exit::Crashed(_)));
        // A child whose companion has gone was asked to end: it is not mended, whatever happened on the way.
        if mend == Mend::Rest || slot.place().phase() == Phase::Closed {
            self.rest(table, key);
            return Next::Nothing;
        }
        match entry.window().record(self.pool.intensity, Instant::now()) {
            Verdict::Exceeded => {
                tracing::error!(path = slot.place().path(), "parked: it crashed too often");
                table.park(key);
                Next::Nothing
            }
            Verdict::Restart(_) if mend == Mend::CountAndRest => {
                self.rest(table, key);
                Next::Nothing
            }
            Verdict::Restart(count) => {
                let wait = self.reign.commons().backoff(count);
                tracing::warn!(
                    path = slot.place().path(),
                    restart = count,
                    wait_ms = wait.as_millis(),
                    "restarting"
                );
                if wait.is_zero() {
                    self.again(entry)
                } else {
                    Next::Retry(wait)
                }
            }
        }
    }

    /// Leaves a child at rest: idle if it can be started on demand; closed beside its companion; else forgotten.
    fn rest(&self, table: &mut Table<A>, key: &str) {
        let open = matches!(table.standing, Standing::Open(_));
        let Some(entry) = table.entries.get_mut(key) else {
            return;
        };
        if entry.companion {
            entry.slot.place().set_phase(Phase::Closed);
            return;
        }
        if !(entry.has_factory() && self.pool.is_on_demand()) {
            table.remove(key);
            return;
        }
        let phase = if open { Phase::Idle } else { Phase::Closed };
        let slot = Arc::clone(&entry.slot);
        table.discount(key);
        slot.place().set_phase(phase);
    }

    fn again(&self, entry: &mut Entry<A>) -> Next<A> {
        entry.running = true;
        entry.timer = None;
        self.reign.commons().count_restart(entry.slot.place());
        Next::Launch(Arc::clone(&entry.slot))
    }

    fn retry(&mut self, key: &str, incarnation: u64) {
        let next = {
            let mut table = self.pool.table();
            if !matches!(table.standing, Standing::Open(_)) {
                return;
            }
            match current(&mut table, key, incarnation) {
                Some(entry) if !entry.running && entry.timer.is_some() => self.again(entry),
                _ => Next::Nothing,
            }
        };
        if let Next::Launch(slot) = next {
            self.pool.launch(&slot, &self.reign);
        }
    }

    /// The task is gone, and with it the reason for the actor.
    fn companion_ended(&mut self, ctx: &Context<Order>, key: &Arc<str>) {
        let slot = {
            let mut table = self.pool.table();
            let Some(entry) = table.entries.get_mut(key) else {
                return;
            };
            entry.companion = false;
            if !entry.running {
                table.remove(key);
                return;
            }
            Arc::clone(&entry.slot)
        };
        let place = slot.place();
        let starting = place.phase() == Phase::Starting;
        place.set_phase(Phase::Closed);
        let incarnation = {
            let control = place.control();
            if let Some(cell) = &control.cell {
                cell.stop(None);
            }
            control.incarnation
        };
        if starting {
            place.kill(Killing::Expected);
        } else if place.gauges.depth() > 0 {
            let timer = ctx.after(
                STOP_LIMIT,
                Order::Overdue {
                    child: Arc::clone(key),
                    incarnation,
                },
            );
            if let Some(entry) = current(&mut self.pool.table(), key, incarnation) {
                entry.timer = Some(timer);
            }
        }
    }

    fn overdue(&mut self, key: &str, incarnation: u64) {
        if let Some(entry) = current(&mut self.pool.table(), key, incarnation) {
            entry.slot.place().kill(Killing::Overdue);
        }
    }

    /// Tells all children; tells whether there is none.
    fn drain(&mut self, deadline: Instant) -> bool {
        let mut table = self.pool.table();
        table.standing = Standing::Draining;
        let keys: Vec<Arc<str>> = table.entries.keys().cloned().collect();
        for key in keys {
            let Some(entry) = table.entries.get_mut(&key) else {
                continue;
            };
            if !entry.running {
                entry.timer = None;
                self.rest(&mut table, &key);
            } else if !entry.slot.drain(deadline) {
                entry.slot.place().kill(Killing::Expected);
            }
        }
        table.live == 0
    }

    fn all_overdue(&mut self) {
        let left = self.pool.all();
        let path = self.pool.orders().place().path();
        tracing::warn!(path, children = left.len(), "not drained by the deadline: killed");
        // One line for all: ten thousand crash cards would tell no more, and push out what does.
        left.iter().for_each(|slot| end_pair(&**slot, Killing::Expected));
    }

    /// An operator's wish: ends the child if it lives, and starts it at once.
    fn restart(&mut self, key: &str) {
        let next = {
            let mut table = self.pool.table();
            if !matches!(table.standing, Standing::Open(_)) {
                return;
            }
            table.unpark(key);
            match table.entries.get_mut(key) {
                Some(entry) if entry.running => {
                    entry.forced = true;
                    entry.slot.place().kill(Killing::Expected);
                    Next::Nothing
                }
                Some(entry) if entry.counted => self.again(entry),
                _ => Next::Nothing,
            }
        };
        if let Next::Launch(slot) = next {
            slot.place().set_phase(Phase::Starting);
            self.pool.launch(&slot, &self.reign);
        }
    }
}

/// The entry of a key, if this incarnation of it is the latest.
fn current<'a, A: Actor>(table: &'a mut Table<A>, key: &str, incarnation: u64) -> Option<&'a mut Entry<A>> {
    let entry = table.entries.get_mut(key)?;
    let latest = entry.slot.place().control().incarnation;
    (latest == incarnation).then_some(entry)
}
