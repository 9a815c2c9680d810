//! Address: the only way to send to an actor. It points to a place in the tree, not to an incarnation: whoever lives
//! there when the message arrives gets it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ractor::Message;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::actor::Inspection;
use crate::envelope::Work;
use crate::gauges::{Moment, Ticket};
use crate::reply::Reply;
use crate::slot::{AnySlot, Demand, Phase, Slot};
use crate::subject::Subject;

/// Where messages of type `M` are sent. Cheap to clone; outlives every incarnation.
pub struct Address<M: Message> {
    slot: Arc<Slot<M>>,
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The message was certainly not begun: nobody was there before the deadline, or nobody will ever be. It may be
    /// sent again.
    #[error("unavailable")]
    Unavailable,
    /// The message was delivered and not answered: it may have been handled, or may yet be. Only what carries an id
    /// that makes it safe may be sent again.
    #[error("delivered but not answered")]
    Unknown,
}

/// A cast that reached nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unavailable")]
pub struct Unavailable;

/// A deadline no caller lives to see, for durations that overflow the clock.
pub(crate) const FOREVER: Duration = Duration::from_secs(86_400 * 365);

impl<M: Message> Address<M> {
    pub(crate) fn new(slot: Arc<Slot<M>>) -> Self {
        Self { slot }
    }

    /// Where in the tree it points to.
    #[must_use]
    pub fn path(&self) -> String {
        self.slot.place().path()
    }

    /// Messages sent and not handled yet.
    #[must_use]
    pub fn depth(&self) -> u64 {
        self.slot.place().gauges.depth()
    }

    /// What the actor says of itself; `None` when nobody is there.
    pub async fn inspect(&self) -> Option<Inspection> {
        let (reply, answer) = oneshot::channel();
        if !self.slot.inspect(reply) {
            return None;
        }
        answer.await.ok()
    }

    /// Sends under a subject.
    pub fn subject(&self, subject: Subject) -> Sending<'_, M> {
        Sending {
            address: self,
            subject: Some(subject),
            permit: None,
        }
    }

    /// Sends with a permit, which is given back when the message has been handled or lost.
    pub fn permit(&self, permit: OwnedSemaphorePermit) -> Sending<'_, M> {
        Sending {
            address: self,
            subject: None,
            permit: Some(permit),
        }
    }

    /// Sends a fact that may be dropped: at once, to whoever is there. An idle on-demand child is not started, and
    /// nothing waits for a restart.
    ///
    /// # Errors
    /// [`Unavailable`] if nobody was there.
    pub fn cast(&self, msg: M) -> Result<(), Unavailable> {
        self.cast_with(msg, None, None)
    }

    /// Asks and waits for the answer, at most until `deadline` from now. Waits through a restart or a passivation and
    /// starts an on-demand child.
    ///
    /// # Errors
    /// [`CallError`] says whether the message can have been handled.
    pub async fn call<R: Send>(
        &self,
        deadline: Duration,
        msg: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        self.call_with(deadline, msg, None, None).await
    }

    fn cast_with(
        &self,
        msg: M,
        subject: Option<Subject>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<(), Unavailable> {
        let work = Work::marked(msg, Moment::now(), subject, permit);
        self.slot.send(work).map(|_| ()).map_err(|_| Unavailable)
    }

    async fn call_with<R: Send>(
        &self,
        deadline: Duration,
        msg: impl FnOnce(Reply<R>) -> M,
        subject: Option<Subject>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<R, CallError> {
        let now = Instant::now();
        let deadline = now.checked_add(deadline).unwrap_or(now + FOREVER);
        let (reply, answer) = Reply::pair();
        let work = Work::marked(msg(reply), Moment::at(now), subject, permit);
        let ticket = match self.slot.send(work) {
            Ok(ticket) => ticket,
            Err(None) => return Err(CallError::Unavailable),
            // Boxed: the rare path must not weigh on the future of every caller.
            Err(Some(work)) => Box::pin(self.send_late(work, deadline)).await?,
        };
        self.answer(answer, ticket, deadline).await
    }

    /// Waits for an incarnation that takes the message.
    async fn send_late(&self, mut work: Work<M>, deadline: Instant) -> Result<Ticket, CallError> {
        let place = self.slot.place();
        loop {
            let mut changed = std::pin::pin!(place.changed.notified());
            // Before the phase is read, so that no change is missed in between.
            changed.as_mut().enable();
            match place.phase() {
                Phase::Parked | Phase::Closed => return Err(CallError::Unavailable),
                Phase::Idle => {
                    if self.slot.demand() == Demand::Refused {
                        return Err(CallError::Unavailable);
                    }
                }
                Phase::Waiting | Phase::Starting | Phase::Up | Phase::Draining | Phase::Passivating => {}
            }
            work = match self.slot.send(work) {
                Ok(ticket) => return Ok(ticket),
                Err(None) => return Err(CallError::Unavailable),
                Err(Some(work)) => work,
            };
            if timeout_at(deadline, changed).await.is_err() {
                return Err(CallError::Unavailable);
            }
        }
    }

    async fn answer<R>(
        &self,
        answer: oneshot::Receiver<R>,
        ticket: Ticket,
        deadline: Instant,
    ) -> Result<R, CallError> {
        match timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The mailbox was lost with this message in it: the actor died before its turn came.
            Ok(Err(_dropped)) if !self.slot.place().gauges.may_have_begun(ticket) => {
                Err(CallError::Unavailable)
            }
            Ok(Err(_dropped)) => Err(CallError::Unknown),
            Err(_elapsed) => Err(CallError::Unknown),
        }
    }
}

impl<M: Message> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self {
            slot: Arc::clone(&self.slot),
        }
    }
}

impl<M: Message> PartialEq for Address<M> {
    /// Whether both point to the same place.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }
}

impl<M: Message> Eq for Address<M> {}

impl<M: Message> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.path()).finish()
    }
}

/// A message about to be sent, with what the sender adds to it.
#[derive(Debug)]
#[must_use = "nothing is sent until `cast` or `call`"]
pub struct Sending<'a, M: Message> {
    address: &'a Address<M>,
    subject: Option<Subject>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<M: Message> Sending<'_, M> {
    /// Sends under a subject.
    pub fn subject(self, subject: Subject) -> Self {
        Self {
            subject: Some(subject),
            ..self
        }
    }

    /// Sends with a permit, which is given back when the message has been handled or lost.
    pub fn permit(self, permit: OwnedSemaphorePermit) -> Self {
        Self {
            permit: Some(permit),
            ..self
        }
    }

    /// As [`Address::cast`].
    ///
    /// # Errors
    /// As [`Address::cast`].
    pub fn cast(self, msg: M) -> Result<(), Unavailable> {
        self.address.cast_with(msg, self.subject, self.permit)
    }

    /// As [`Address::call`].
    ///
    /// # Errors
    /// As [`Address::call`].
    pub async fn call<R: Send>(
        self,
        deadline: Duration,
        msg: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        self.address
            .call_with(deadline, msg, self.subject, self.permit)
            .await
    }
}
