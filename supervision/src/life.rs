//! Life: one incarnation of a child, as a token. The actor holds it, and so does everything below the actor; when the
//! last holder lets go, the incarnation and all its descendants have ended, and only then is the supervisor told.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ractor::{ActorRef, ActorRuntime};
use tokio::runtime::{EnterGuard, Handle};
use tokio::time::Instant;

use crate::actor::Actor;
use crate::commons::Commons;
use crate::envelope::{Envelope, Work};
use crate::gauges::Moment;
use crate::ledger::{CrashCard, CrashKind, cut};
use crate::order::{Exit, Order};
use crate::panics::panic_text;
use crate::runner::{Runner, Startup};
use crate::settings::Settings;
use crate::slot::{AnySlot, Killing, Phase, Slot};
use crate::subject::Subject;

/// Numbers incarnations over all slots: a key may be used again while an order about its last owner is still on its way.
static INCARNATIONS: AtomicU64 = AtomicU64::new(1);

/// One incarnation. Made by [`launch`], ended by being dropped.
pub(crate) struct Life {
    slot: Arc<dyn AnySlot>,
    incarnation: u64,
    began: Instant,
    /// Unset: killed. `None`: it stopped of its own will. Else: what broke.
    ending: OnceLock<Option<Box<Crash>>>,
    above: Above,
}

struct Crash {
    kind: CrashKind,
    text: String,
    subject: Option<Subject>,
}

/// Who is told when a life ends.
#[derive(Clone)]
pub(crate) enum Above {
    Supervisor(Arc<Reign>),
    /// The whole tree.
    Root(Arc<Commons>),
    /// Nobody: an actor alone, for tests.
    Nobody(Arc<Commons>),
}

/// One incarnation of a supervisor, as its children know it. They hold it, and with it the supervisor's own life.
pub(crate) struct Reign {
    slot: Arc<Slot<Order>>,
    actor: ActorRef<Envelope<Order>>,
    commons: Arc<Commons>,
    /// Where it lives, and so do they, whoever asks for their start.
    runtime: Handle,
    closed: AtomicBool,
    /// Whether it wants to know of each child that has started.
    wants_starts: bool,
    /// Last: what is above learns of the end when everything else here is gone.
    life: Arc<Life>,
}

/// Starts an incarnation in a slot, without waiting for its `pre_start`. Whatever goes wrong ends the life, and so
/// reaches the supervisor as an order.
pub(crate) fn launch<A: Actor>(
    slot: &Arc<Slot<A::Msg>>,
    above: &Above,
    limit: Duration,
    make_args: impl FnOnce(&Settings) -> A::Args,
) {
    let place = slot.place();
    let settings = above.commons().settings();
    let incarnation = {
        let mut control = place.control();
        control.incarnation = INCARNATIONS.fetch_add(1, Ordering::Relaxed);
        control.killing = None;
        control.incarnation
    };
    let life = Arc::new(Life {
        slot: Arc::clone(slot) as Arc<dyn AnySlot>,
        incarnation,
        began: Instant::now(),
        ending: OnceLock::new(),
        above: above.clone(),
    });
    let args = match catch_unwind(AssertUnwindSafe(|| make_args(&settings))) {
        Ok(args) => args,
        Err(panic) => {
            life.crash(CrashKind::Start, panic_text(panic), None);
            return;
        }
    };
    let startup = Startup {
        life: Arc::clone(&life),
        slot: Arc::clone(slot),
        settings,
        limit,
        class: above.commons().class(A::CLASS),
        args,
    };
    // Under the lock, so that whoever closes the reign finds either no incarnation here or its cell. `life` outlives
    // the lock: the end of a life takes it too.
    let mut control = place.control();
    if above.is_closed() || place.phase() == Phase::Closed {
        drop(control);
        life.stopped();
        return;
    }
    place.started.store(unix_millis(), Ordering::Relaxed);
    startup.class.started.fetch_add(1, Ordering::Relaxed);
    place.shift(Phase::Starting, |phase| phase != Phase::Closed);
    match ActorRuntime::spawn_instant(None, Runner::<A>::new(), startup) {
        Ok((actor, _starting)) => control.cell = Some(actor.get_cell()),
        Err(error) => life.crash(CrashKind::Start, error.to_string(), None),
    }
}

fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Life {
    /// The actor stopped of its own will. What broke before that counts more.
    pub(crate) fn stopped(&self) {
        let _ = self.ending.set(None);
    }

    /// Something broke.
    pub(crate) fn crash(&self, kind: CrashKind, text: String, subject: Option<Subject>) {
        let _ = self.ending.set(Some(Box::new(Crash {
            kind,
            text: cut(text),
            subject,
        })));
    }

    /// The incarnation is up.
    pub(crate) fn started(&self) {
        if let Above::Supervisor(reign) = &self.above
            && reign.wants_starts
        {
            reign.order(Order::Started {
                child: self.child(),
                incarnation: self.incarnation,
            });
        }
    }

    /// For a supervisor: all its children have been up.
    pub(crate) fn ready(&self) {
        match &self.above {
            Above::Supervisor(reign) => {
                reign.order(Order::Ready {
                    child: self.child(),
                    incarnation: self.incarnation,
                });
            }
            Above::Root(commons) => commons.ready(),
            Above::Nobody(_) => {}
        }
    }

    pub(crate) fn above(&self) -> &Above {
        &self.above
    }

    fn child(&self) -> Arc<str> {
        Arc::clone(&self.slot.place().name)
    }

    /// How it ended, with a card filed if that was a crash.
    fn exit(&mut self, killing: Option<Killing>) -> Exit {
        let crash = match (self.ending.take(), killing) {
            (Some(None), _) => return Exit::Stopped,
            (Some(Some(crash)), _) => *crash,
            (None, Some(Killing::Expected)) => return Exit::Stopped,
            (None, killing) => {
                let text = match killing {
                    Some(Killing::Overdue) => "killed: not drained by the deadline",
                    _ => "killed",
                };
                Crash {
                    kind: CrashKind::Killed,
                    text: text.to_owned(),
                    subject: None,
                }
            }
        };
        let place = self.slot.place();
        let card = Arc::new(CrashCard {
            path: place.path(),
            class: place.class,
            kind: crash.kind,
            text: crash.text,
            subject: crash.subject,
            alive: self.began.elapsed(),
            at: SystemTime::now(),
        });
        tracing::error!(
            path = %card.path,
            class = card.class,
            kind = ?card.kind,
            subject = card.subject.map(tracing::field::display),
            alive_ms = card.alive.as_millis(),
            "crashed: {}",
            card.text,
        );
        place.control().failure = Some(Arc::clone(&card));
        let commons = self.above.commons();
        commons.class(place.class).crashed.fetch_add(1, Ordering::Relaxed);
        commons.ledger.file(Arc::clone(&card));
        Exit::Crashed(card)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.slot.forget_incarnation();
        let killing = {
            let mut control = self.slot.place().control();
            control.cell = None;
            self.slot.place().set_suspended(false);
            control.killing.take()
        };
        let exit = self.exit(killing);
        match &self.above {
            Above::Supervisor(reign) => {
                reign.order(Order::Ended {
                    child: self.child(),
                    incarnation: self.incarnation,
                    exit,
                });
            }
            Above::Root(commons) => commons.ended(exit),
            Above::Nobody(_) => self.slot.place().set_phase(Phase::Closed),
        }
    }
}

impl Above {
    pub(crate) fn commons(&self) -> &Arc<Commons> {
        match self {
            Self::Supervisor(reign) => &reign.commons,
            Self::Root(commons) | Self::Nobody(commons) => commons,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self, Self::Supervisor(reign) if reign.is_closed())
    }
}

impl Reign {
    pub(crate) fn new(
        slot: Arc<Slot<Order>>,
        actor: ActorRef<Envelope<Order>>,
        life: Arc<Life>,
        wants_starts: bool,
    ) -> Arc<Self> {
        let commons = Arc::clone(life.above.commons());
        Arc::new(Self {
            slot,
            actor,
            commons,
            runtime: Handle::current(),
            closed: AtomicBool::new(false),
            wants_starts,
            life,
        })
    }

    /// Tells the supervisor. A supervisor that has ended need not know.
    pub(crate) fn order(&self, order: Order) {
        let work = Work::new(order, Moment::now());
        let _ = self.slot.send_to(&self.actor, work);
    }

    /// From here on nothing is started below.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn life(&self) -> &Life {
        &self.life
    }

    /// What is spawned as long as this is held lives where it lives.
    pub(crate) fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    pub(crate) fn commons(&self) -> &Arc<Commons> {
        &self.commons
    }
}
