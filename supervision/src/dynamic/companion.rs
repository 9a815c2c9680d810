//! A companion: the task beside a dynamic child. It keeps its supervisor's reign alive until it has ended, so that no
//! successor of the supervisor starts while it runs.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ractor::Message;

use crate::life::Reign;
use crate::order::Order;
use crate::panics::poll_caught;
use crate::slot::{AnySlot, Killing, Slot};

/// Runs a companion beside a slot.
pub(crate) fn accompany<M: Message>(
    slot: &Arc<Slot<M>>,
    reign: &Arc<Reign>,
    companion: impl Future<Output = ()> + Send + 'static,
) {
    let end = End {
        reign: Arc::clone(reign),
        child: Arc::clone(&slot.place().name),
    };
    let _there = reign.enter();
    let task = tokio::spawn(Accompanying {
        companion: Box::pin(companion),
        end,
    });
    // As in `launch`: whoever closes the reign finds the handle, or we find the reign closed.
    let mut control = slot.place().control();
    if reign.is_closed() {
        task.abort();
    }
    control.companion = Some(task.abort_handle());
}

/// Aborts the companion of a slot and kills its actor.
pub(crate) fn end_pair(slot: &dyn AnySlot, killing: Killing) {
    if let Some(companion) = &slot.place().control().companion {
        companion.abort();
    }
    slot.place().kill(killing);
}

/// A companion at work. In a box of its own: an async block around it would reserve its room twice.
struct Accompanying<F> {
    companion: Pin<Box<F>>,
    end: End,
}

impl<F: Future<Output = ()>> Future for Accompanying<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        poll_caught(self.companion.as_mut(), cx).map(|outcome| {
            if let Err(panic) = outcome {
                tracing::error!(child = %self.end.child, "the companion panicked: {panic}");
            }
        })
    }
}

/// Tells the supervisor when the task has been dropped.
struct End {
    reign: Arc<Reign>,
    child: Arc<str>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.reign.order(Order::CompanionEnded {
            child: Arc::clone(&self.child),
        });
    }
}
