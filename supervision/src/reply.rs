//! Reply: where the answer to a call goes. It may be moved anywhere; dropping it unanswered tells the caller so.

use std::fmt;

use tokio::sync::oneshot;

/// The right to answer one call. The answer may come from another task or thread, long after `handle` has returned.
#[must_use = "a reply that is dropped tells the caller that the outcome is unknown"]
pub struct Reply<R>(oneshot::Sender<R>);

impl<R> Reply<R> {
    /// A reply and its other end, for testing what answers without an actor.
    pub fn pair() -> (Self, oneshot::Receiver<R>) {
        let (sender, receiver) = oneshot::channel();
        (Self(sender), receiver)
    }

    /// Answers. A caller that has gone away does not matter.
    pub fn send(self, answer: R) {
        let _ = self.0.send(answer);
    }

    /// Answers; if the caller has gone away, gives the answer back to be undone.
    ///
    /// # Errors
    /// The answer, when nobody waits for it any more.
    pub fn deliver(self, answer: R) -> Result<(), R> {
        self.0.send(answer)
    }

    /// The channel behind it, for what completes channels and knows nothing of calls. Dropping it tells the caller that
    /// the outcome is unknown, as dropping the reply does.
    #[must_use]
    pub fn into_sender(self) -> oneshot::Sender<R> {
        self.0
    }
}

impl<R> fmt::Debug for Reply<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}
