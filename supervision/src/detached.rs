//! Addresses without a tree, for testing a sender or an actor alone.

use std::sync::Arc;

use ractor::Message;
use tokio::sync::mpsc;

use crate::actor::{Actor, Broken};
use crate::address::Address;
use crate::child::START_LIMIT;
use crate::commons::Commons;
use crate::context::Context;
use crate::life::{Above, launch};
use crate::settings::Settings;
use crate::slot::{Phase, Slot};

/// The receiving end of a detached address.
#[derive(Debug)]
pub struct Inbox<M>(mpsc::UnboundedReceiver<M>);

impl<M> Inbox<M> {
    /// The next message; `None` when its actor has been killed.
    pub async fn next(&mut self) -> Option<M> {
        self.0.recv().await
    }
}

impl<M: Message> Address<M> {
    /// An address whose messages arrive in an inbox. Needs a tokio runtime.
    #[must_use]
    pub fn detached() -> (Self, Inbox<M>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (
            alone::<Forwarder<M>>(Settings::default(), sender),
            Inbox(receiver),
        )
    }

    /// An address that answers [`crate::CallError::Unavailable`] at once and for ever.
    #[must_use]
    pub fn closed() -> Self {
        Self::new(Arc::new(Slot::new(
            Arc::from("closed"),
            "closed",
            Phase::Closed,
            None,
        )))
    }
}

/// Starts an actor without a supervisor: when it ends, its address is closed. Needs a tokio runtime.
#[must_use]
pub fn alone<A: Actor>(settings: Settings, args: A::Args) -> Address<A::Msg> {
    let slot = Arc::new(Slot::new(Arc::from("alone"), A::CLASS, Phase::Waiting, None));
    let above = Above::Nobody(Commons::new(settings, None));
    launch::<A>(&slot, &above, START_LIMIT, |_| args);
    Address::new(slot)
}

struct Forwarder<M>(std::marker::PhantomData<fn() -> M>);

impl<M: Message> Actor for Forwarder<M> {
    const CLASS: &'static str = "forwarder";
    type Msg = M;
    type Args = mpsc::UnboundedSender<M>;
    type State = mpsc::UnboundedSender<M>;

    async fn pre_start(_: &Context<M>, sender: Self::Args) -> Result<Self::State, Broken> {
        Ok(sender)
    }

    async fn handle(_: &Context<M>, msg: M, sender: &mut Self::State) -> Result<(), Broken> {
        // Without an inbox the message is dropped, and a caller learns that it was not answered.
        let _ = sender.send(msg);
        Ok(())
    }
}
