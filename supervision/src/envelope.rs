//! Envelope: what travels through ractor's mailbox: a message with what its sender knew, or an order of the house.

use ractor_cluster_derive::RactorMessage;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;
use tracing::Span;

use crate::actor::Inspection;
use crate::gauges::{Moment, Ticket};
use crate::settings::Settings;
use crate::subject::Subject;

/// What an actor's mailbox holds.
#[derive(RactorMessage)]
pub(crate) enum Envelope<M: Send + 'static> {
    Work(Work<M>),
    Configure(Settings),
    Drain(Instant),
    Inspect(oneshot::Sender<Inspection>),
}

/// One message with its postmarks.
pub(crate) struct Work<M> {
    pub(crate) msg: M,
    pub(crate) sent: Moment,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) marks: Marks,
}

/// What a sender adds to a message.
pub(crate) struct Marks {
    pub(crate) subject: Option<Subject>,
    /// Given back when the message has been handled or lost.
    pub(crate) permit: Option<OwnedSemaphorePermit>,
    /// The span in which it was sent; disabled where nobody listens.
    pub(crate) span: Span,
}

impl<M> Work<M> {
    pub(crate) fn new(msg: M, marks: Marks, sent: Moment) -> Self {
        Self {
            msg,
            sent,
            ticket: None,
            marks,
        }
    }
}

impl Marks {
    pub(crate) fn new(subject: Option<Subject>, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            subject,
            permit,
            span: Span::current(),
        }
    }
}
