//! Ward: what a static supervisor's actor remembers of one child.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::child::Child;
use crate::context::Context;
use crate::intensity::Window;
use crate::order::Order;
use crate::round::Token;
use crate::slot::{Killing, Phase, Place};
use crate::supervisor::keeper::DRAIN_GRACE;
use crate::supervisor::strategy::Stage;
use crate::supervisor::varying::Present;
use crate::timer::Timer;

/// One child in the care of a supervisor.
pub(crate) struct Ward {
    pub(crate) child: Arc<Child>,
    pub(crate) stage: Stage,
    /// To be started again whatever its restart rule says, and without being counted.
    pub(crate) forced: bool,
    /// Its own failures of the period, for its backoff.
    pub(crate) failures: Window,
    pub(crate) timer: Option<Timer>,
    /// It is no longer wanted: it has been told, and is removed when it has ended.
    pub(crate) leaving: bool,
    /// Where it stands in the start order.
    pub(crate) rank: usize,
    /// Made for the commit that is being handled: the round waits until it is up.
    pub(crate) fresh: bool,
    pub(crate) token: Option<Token>,
    /// By when it must have drained.
    deadline: Option<Instant>,
}

impl Ward {
    pub(crate) fn new(child: Arc<Child>, rank: usize) -> Self {
        Self {
            child,
            stage: Stage::Due,
            forced: false,
            failures: Window::default(),
            timer: None,
            leaving: false,
            rank,
            fresh: false,
            token: None,
            deadline: None,
        }
    }

    pub(crate) fn spot(&self) -> &Place {
        self.child.node.slot.place()
    }

    pub(crate) fn present(&self) -> Present<'_> {
        Present {
            name: self.child.name(),
            nature: self.child.nature(),
            leaving: self.leaving,
        }
    }

    /// It is up.
    pub(crate) fn up(&mut self) {
        self.stage = Stage::Up;
        if let Some(token) = self.token.take() {
            token.answer(Ok(()));
        }
    }

    /// It is no longer wanted.
    pub(crate) fn leave(&mut self, ctx: &Context<Order>, deadline: Instant) {
        if !std::mem::replace(&mut self.leaving, true) {
            self.token = None;
            self.drain(ctx, deadline);
        }
    }

    /// Tells it to end before `deadline`. Who has been told is only given less time.
    pub(crate) fn drain(&mut self, ctx: &Context<Order>, deadline: Instant) {
        match self.stage {
            Stage::Up if self.deadline.is_some_and(|told| told <= deadline) => {}
            Stage::Up if self.deadline.is_some() || self.child.node.slot.drain(deadline) => {
                self.expect(ctx, deadline);
            }
            Stage::Up | Stage::Starting => self.spot().kill(Killing::Expected),
            Stage::Ending => {}
            Stage::Due | Stage::Waiting | Stage::Done => self.finish(),
        }
    }

    /// It will be killed if it has not ended by then.
    fn expect(&mut self, ctx: &Context<Order>, deadline: Instant) {
        self.deadline = Some(deadline);
        // A supervisor kills its own in time; it is given what its children may need after the deadline.
        let grace = match self.child.node.turns() {
            1 => Duration::ZERO,
            turns => DRAIN_GRACE.saturating_mul(turns),
        };
        let incarnation = self.spot().control().incarnation;
        let overdue = Order::Overdue {
            child: Arc::clone(self.child.name()),
            incarnation,
        };
        let patience = deadline.saturating_duration_since(Instant::now()) + grace;
        self.timer = Some(ctx.after(patience, overdue));
    }

    /// This child will not be started again.
    pub(crate) fn finish(&mut self) {
        self.stage = Stage::Done;
        self.timer = None;
        self.token = None;
        self.spot().set_phase(Phase::Closed);
    }
}
