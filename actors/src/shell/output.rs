//! Output: where a verb says things before it is done: progress, what it follows, rows by the thousand.

use shell::{Block, frame::Response};
use tokio::sync::mpsc;

/// Blocks that may wait for a reader before the verb does.
pub const WAITING_BLOCKS: usize = 16;

/// Where a verb says things as they come. It waits for a slow reader, and so does the verb.
#[derive(Clone, Debug)]
pub struct Output {
    sender: mpsc::Sender<Response>,
}

impl Output {
    /// An output and its other end.
    #[must_use]
    pub fn channel() -> (Self, mpsc::Receiver<Response>) {
        let (sender, receiver) = mpsc::channel(WAITING_BLOCKS);
        (Self { sender }, receiver)
    }

    /// Says something now.
    ///
    /// # Errors
    /// [`Gone`] when nobody listens any more: there is no use in going on.
    pub async fn say(&self, block: impl Into<Block>) -> Result<(), Gone> {
        self.send(Response::Block(block.into())).await
    }

    /// Says something now, from a thread that may block.
    ///
    /// # Errors
    /// As [`Self::say`].
    pub fn say_blocking(&self, block: impl Into<Block>) -> Result<(), Gone> {
        let block = Response::Block(block.into());
        self.sender.blocking_send(block).map_err(|_| Gone)
    }

    /// Waits until nobody listens any more: whoever follows something ends then.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    pub(super) async fn send(&self, response: Response) -> Result<(), Gone> {
        self.sender.send(response).await.map_err(|_| Gone)
    }
}

/// Nobody listens any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody listens any more")]
pub struct Gone;

impl From<Gone> for super::desk::Refused {
    fn from(why: Gone) -> Self {
        Self::failed(why.to_string())
    }
}
