//! Slot: the lasting place of a child in the tree. Incarnations come and go in it; addresses point to it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use ractor::{ActorCell, ActorRef, Message, MessagingErr};
use serde::Serialize;
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::actor::Inspection;
use crate::envelope::{Envelope, Work};
use crate::gauges::{Gauges, Ticket};
use crate::ledger::CrashCard;
use crate::round::Notice;

/// Where a child stands, as the tree shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Phase {
    /// On demand and not running: the first message starts it.
    Idle,
    /// Not running, to be started: its turn has not come, its backoff is not over, or its predecessor has not ended.
    Waiting,
    /// In `pre_start`.
    Starting,
    /// Running.
    Up,
    /// Told to drain; still handling.
    Draining,
    /// On demand and about to end; messages wait for its successor.
    Passivating,
    /// Ended for good after too many crashes.
    Parked,
    /// Ended for good.
    Closed,
}

impl Phase {
    fn from_u8(raw: u8) -> Self {
        match raw {
            0 => Self::Idle,
            1 => Self::Waiting,
            2 => Self::Starting,
            3 => Self::Up,
            4 => Self::Draining,
            5 => Self::Passivating,
            6 => Self::Parked,
            _ => Self::Closed,
        }
    }
}

/// Why a child is killed; what its crash card says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killing {
    /// Its supervisor ends it as a matter of course: no crash.
    Expected,
    /// An operator or chaos.
    Ordered,
    /// It did not drain in time.
    Overdue,
}

/// What a slot of any message type can do: enough for supervisors, the tree and operators.
pub(crate) trait AnySlot: Send + Sync {
    fn place(&self) -> &Place;
    fn drain(&self, deadline: Instant) -> bool;
    /// Puts a notice into the mailbox; it comes back when nobody is there.
    fn notify(&self, notice: Notice) -> Result<(), Option<Notice>>;
    fn inspect(&self, reply: oneshot::Sender<Inspection>) -> bool;
    /// Lets the incarnation handle nothing, unless it is about to end; tells whether it is so.
    fn suspend(&self) -> bool;
    /// Lets a suspended actor go on.
    fn resume(&self);
    fn forget_incarnation(&self);
}

/// Starts an on-demand child.
pub(crate) trait Starter: Send + Sync {
    fn start(&self, key: &str) -> Demand;
}

/// What became of a demand for a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// It is coming, or its supervisor is.
    Coming,
    /// It is not: ceiling, draining, parked.
    Refused,
}

/// The place of a child that accepts `M`.
pub(crate) struct Slot<M: Send + 'static> {
    place: Place,
    current: ArcSwapOption<ActorRef<Envelope<M>>>,
    starter: Option<Weak<dyn Starter>>,
}

/// What a slot is whatever it accepts.
pub(crate) struct Place {
    pub(crate) name: Arc<str>,
    pub(crate) class: &'static str,
    base: OnceLock<Arc<str>>,
    phase: AtomicU8,
    suspended: AtomicBool,
    restarts: AtomicU32,
    /// When the current incarnation was started, in milliseconds since 1970; zero before the first.
    pub(crate) started: AtomicU64,
    pub(crate) gauges: Gauges,
    pub(crate) changed: Notify,
    control: Mutex<Control>,
}

/// What only starting and ending touch.
#[derive(Default)]
pub(crate) struct Control {
    pub(crate) cell: Option<ActorCell>,
    pub(crate) killing: Option<Killing>,
    pub(crate) companion: Option<AbortHandle>,
    pub(crate) failure: Option<Arc<CrashCard>>,
    pub(crate) incarnation: u64,
}

impl<M: Message> Slot<M> {
    pub(crate) fn new(
        name: Arc<str>,
        class: &'static str,
        phase: Phase,
        starter: Option<Weak<dyn Starter>>,
    ) -> Self {
        Self {
            place: Place {
                name,
                class,
                base: OnceLock::new(),
                phase: AtomicU8::new(phase as u8),
                suspended: AtomicBool::new(false),
                restarts: AtomicU32::new(0),
                started: AtomicU64::new(0),
                gauges: Gauges::default(),
                changed: Notify::new(),
                control: Mutex::default(),
            },
            current: ArcSwapOption::const_empty(),
            starter,
        }
    }

    /// The fast path: counts the message and puts it into the mailbox of the running incarnation. If there is none, or
    /// it is ending, the message comes back.
    pub(crate) fn send(&self, work: Work<M>) -> Result<Ticket, Option<Work<M>>> {
        let current = self.current.load();
        match current.as_deref() {
            Some(actor) => self.send_to(actor, work),
            None => Err(Some(work)),
        }
    }

    pub(crate) fn send_to(
        &self,
        actor: &ActorRef<Envelope<M>>,
        mut work: Work<M>,
    ) -> Result<Ticket, Option<Work<M>>> {
        let ticket = self.place.gauges.sending(work.sent);
        work.sequence = ticket.sequence;
        match actor.send_message(Envelope::Work(work)) {
            Ok(()) => Ok(ticket),
            Err(failure) => {
                self.place.gauges.unsent(ticket);
                match failure {
                    MessagingErr::SendErr(Envelope::Work(work)) => Err(Some(work)),
                    _ => Err(None),
                }
            }
        }
    }

    /// Makes a started incarnation reachable.
    pub(crate) fn publish(&self, actor: ActorRef<Envelope<M>>) {
        self.current.store(Some(Arc::new(actor)));
        self.place.shift(Phase::Up, |phase| phase == Phase::Starting);
        self.place.changed.notify_waiters();
    }

    /// The incarnation's mailbox is gone and its state has been dropped.
    pub(crate) fn vacate(&self) {
        self.current.store(None);
        self.place.gauges.vacate();
        self.place.shift(Phase::Waiting, |phase| {
            matches!(
                phase,
                Phase::Starting | Phase::Up | Phase::Draining | Phase::Passivating
            )
        });
    }

    /// Asks for an incarnation, if it is the sort of child that starts on demand.
    pub(crate) fn demand(&self) -> Demand {
        match &self.starter {
            None => Demand::Coming,
            Some(starter) => starter
                .upgrade()
                .map_or(Demand::Refused, |starter| starter.start(&self.place.name)),
        }
    }

    pub(crate) fn on_demand(&self) -> bool {
        self.starter.is_some()
    }

    fn post(&self, envelope: Envelope<M>) -> bool {
        self.current
            .load()
            .as_deref()
            .is_some_and(|actor| actor.send_message(envelope).is_ok())
    }
}

impl<M: Message> AnySlot for Slot<M> {
    fn place(&self) -> &Place {
        &self.place
    }

    fn drain(&self, deadline: Instant) -> bool {
        self.place.shift(Phase::Draining, |phase| phase == Phase::Up);
        self.post(Envelope::Drain(deadline))
    }

    fn notify(&self, notice: Notice) -> Result<(), Option<Notice>> {
        let current = self.current.load();
        let Some(actor) = current.as_deref() else {
            return Err(Some(notice));
        };
        match actor.send_message(Envelope::Notice(notice)) {
            Ok(()) => Ok(()),
            Err(MessagingErr::SendErr(Envelope::Notice(notice))) => Err(Some(notice)),
            Err(_) => Err(None),
        }
    }

    fn inspect(&self, reply: oneshot::Sender<Inspection>) -> bool {
        self.post(Envelope::Inspect(reply))
    }

    fn suspend(&self) -> bool {
        let goes_on = || matches!(self.place.phase(), Phase::Starting | Phase::Up);
        {
            // Under the lock of its end and of its successor's start.
            let control = self.place.control();
            if control.cell.is_none() || !goes_on() {
                return false;
            }
            self.place.set_suspended(true);
        }
        // Whoever drains it sets the phase first, and it resumes when it hears of that: one of the two comes later.
        if goes_on() {
            return true;
        }
        self.resume();
        false
    }

    fn resume(&self) {
        self.place.set_suspended(false);
        self.post(Envelope::Resume);
    }

    fn forget_incarnation(&self) {
        self.vacate();
    }
}

impl Place {
    pub(crate) fn phase(&self) -> Phase {
        Phase::from_u8(self.phase.load(Ordering::Acquire))
    }

    /// Changes the phase and wakes those who wait for it.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Changes the phase if it is one of those; tells whether it did. Wakes nobody.
    pub(crate) fn shift(&self, to: Phase, from: impl Fn(Phase) -> bool) -> bool {
        let shift = |raw| from(Phase::from_u8(raw)).then_some(to as u8);
        self.phase
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, shift)
            .is_ok()
    }

    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Kills the incarnation, if there is one, whatever it is doing.
    pub(crate) fn kill(&self, killing: Killing) {
        let mut control = self.control();
        if let Some(cell) = &control.cell {
            cell.kill();
            control.killing.get_or_insert(killing);
        }
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::SeqCst)
    }

    pub(crate) fn set_suspended(&self, suspended: bool) {
        self.suspended.store(suspended, Ordering::SeqCst);
    }

    /// Tells where in the tree it stands. The first telling counts.
    pub(crate) fn seat(&self, base: Arc<str>) {
        let _ = self.base.set(base);
    }

    pub(crate) fn path(&self) -> String {
        let base = self.base.get().map_or("", |base| base);
        format!("{base}/{}", self.name)
    }

    /// What the paths of those below begin with.
    pub(crate) fn base_of_children(&self) -> Arc<str> {
        let path = self.path();
        Arc::from(if path == "/" { "" } else { path.as_str() })
    }

    pub(crate) fn restarts(&self) -> u32 {
        self.restarts.load(Ordering::Relaxed)
    }

    pub(crate) fn count_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("path", &self.path())
            .field("phase", &self.phase())
            .finish_non_exhaustive()
    }
}
