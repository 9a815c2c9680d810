//! Timer: a message an actor sends to itself later. It ends with its holder, so a dead actor leaves none behind.

use tokio::task::AbortHandle;

/// A pending message. Dropping it takes the message back, if it has not been sent yet.
#[derive(Debug)]
#[must_use = "a timer that is dropped never fires"]
pub struct Timer(AbortHandle);

impl Timer {
    pub(crate) fn new(task: AbortHandle) -> Self {
        Self(task)
    }

    /// Whether it has fired, or was taken back.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_finished()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}
