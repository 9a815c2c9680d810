//! Envelope: what travels through ractor's mailbox: a message with what its sender knew, or an order of the house.

use ractor_cluster_derive::RactorMessage;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tracing::Span;

use crate::actor::Inspection;
use crate::gauges::Moment;
use crate::round::Notice;
use crate::subject::Subject;

/// What an actor's mailbox holds.
#[derive(RactorMessage)]
pub(crate) enum Envelope<M: Send + 'static> {
    Work(Work<M>),
    Notice(Notice),
    Drain(Instant),
    Inspect(oneshot::Sender<Inspection>),
    /// What was set aside is handled now.
    Resume,
}

/// One message with its postmarks. Moved several times on its way, so the rare marks are in a box of their own.
pub(crate) struct Work<M> {
    pub(crate) msg: M,
    pub(crate) sent: Moment,
    /// Set when it is sent.
    pub(crate) sequence: u64,
    pub(crate) subject: Option<Subject>,
    pub(crate) extras: Option<Box<Extras>>,
}

/// What few messages carry.
pub(crate) struct Extras {
    /// Given back when the message has been handled or lost.
    pub(crate) _permit: Option<OwnedSemaphorePermit>,
    /// The span in which it was sent.
    pub(crate) span: Span,
}

impl<M> Work<M> {
    pub(crate) fn new(msg: M, sent: Moment) -> Self {
        Self {
            msg,
            sent,
            sequence: 0,
            subject: None,
            extras: None,
        }
    }

    /// A message with all that its sender knows.
    pub(crate) fn marked(
        msg: M,
        sent: Moment,
        subject: Option<Subject>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let span = Span::current();
        let extras = (permit.is_some() || !span.is_none()).then(|| {
            Box::new(Extras {
                _permit: permit,
                span,
            })
        });
        Self {
            msg,
            sent,
            sequence: 0,
            subject,
            extras,
        }
    }
}
