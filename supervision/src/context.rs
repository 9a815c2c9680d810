//! Context: what an actor knows of itself while it handles something. It reaches nobody else.

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use ractor::{ActorRef, Message};

use crate::address::Address;
use crate::commons::Commons;
use crate::envelope::{Envelope, Work};
use crate::gauges::Moment;
use crate::life::Life;
use crate::settings::Settings;
use crate::slot::{AnySlot, Phase, Slot};
use crate::subject::Subject;
use crate::timer::Timer;

/// One incarnation as seen from inside.
pub struct Context<M: Message> {
    slot: Arc<Slot<M>>,
    actor: ActorRef<Envelope<M>>,
    commons: Arc<Commons>,
    life: Weak<Life>,
}

impl<M: Message> Context<M> {
    pub(crate) fn new(slot: Arc<Slot<M>>, actor: ActorRef<Envelope<M>>, life: &Arc<Life>) -> Self {
        Self {
            slot,
            actor,
            commons: Arc::clone(life.above().commons()),
            life: Arc::downgrade(life),
        }
    }

    /// The lasting address of this actor, to be given to others.
    #[must_use]
    pub fn address(&self) -> Address<M> {
        Address::new(Arc::clone(&self.slot))
    }

    /// Where in the tree it stands: `/store/gate`.
    #[must_use]
    pub fn path(&self) -> String {
        self.slot.place().path()
    }

    /// The last part of the path; the key of a dynamic child.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.slot.place().name
    }

    /// The settings of the tree as they are now.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.commons.settings()
    }

    /// Messages sent to this actor and not handled yet, the current one included.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.slot.place().gauges.depth()
    }

    /// How often any actor of the tree crashed on this subject lately; see [`crate::CRASH_SUBJECTS`].
    #[must_use]
    pub fn crashes(&self, subject: Subject) -> u32 {
        self.commons.ledger.crashes(subject)
    }

    /// Forgets the crashes on a subject: it has been dealt with.
    pub fn forgive(&self, subject: Subject) {
        self.commons.ledger.forgive(subject);
    }

    /// Ends this actor of its own will, after what is queued has been handled. A permanent child comes back.
    pub fn stop(&self) {
        let _ = self.actor.drain();
    }

    /// Ends a drain that was answered with [`crate::Drained::Later`], after what is queued has been handled.
    pub fn drained(&self) {
        self.stop();
    }

    /// Ends an idle on-demand child. Its slot is closed first, then what was sent until then is handled, then the slot
    /// is open again: the next message starts a successor, and none is lost between them. Anything but an on-demand
    /// child ignores this.
    pub fn passivate(&self) {
        if !self.slot.on_demand() {
            tracing::debug!(path = self.path(), "only an on-demand child can be passivated");
            return;
        }
        if self
            .slot
            .place()
            .shift(Phase::Passivating, |phase| phase == Phase::Up)
        {
            self.stop();
        }
    }

    /// Sends a message to this incarnation later, unless the timer is dropped before.
    pub fn after(&self, delay: Duration, msg: M) -> Timer {
        let (slot, actor) = (Arc::clone(&self.slot), self.actor.clone());
        let task = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let work = Work::new(msg, Moment::now());
            let _ = slot.send_to(&actor, work);
        });
        Timer::new(task.abort_handle())
    }

    pub(crate) fn slot(&self) -> &Arc<Slot<M>> {
        &self.slot
    }

    pub(crate) fn actor(&self) -> &ActorRef<Envelope<M>> {
        &self.actor
    }

    pub(crate) fn life(&self) -> Option<Arc<Life>> {
        self.life.upgrade()
    }
}

impl<M: Message> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
