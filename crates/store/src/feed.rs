//! The change feed: what was committed, in commit order, for one reader or several that may fall behind.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::apply::Change;

/// One reader's place in the change feed.
///
/// Dropping a change is never an error: a reader that was told [`Feed::Lagged`] reads its state again.
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Arc<Vec<Committed>>>,
}

/// What the feed has for its reader.
#[derive(Clone, Debug)]
pub enum Feed {
    /// The commands of one group, in commit order, those without changes left out.
    Committed(Arc<Vec<Committed>>),
    /// The reader was too slow and this many groups are gone: read everything again.
    Lagged(u64),
}

/// The changes of one committed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of this command among all that this store ever committed, from 1.
    pub sequence: u64,
    /// What it changed, as the live actors need to know it.
    pub changes: Vec<Change>,
}

impl Changes {
    pub(crate) const fn new(receiver: broadcast::Receiver<Arc<Vec<Committed>>>) -> Self {
        Self { receiver }
    }

    /// Waits for the next group; `None` when the store has closed and everything was read.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Feed> {
        match self.receiver.recv().await {
            Ok(group) => Some(Feed::Committed(group)),
            Err(broadcast::error::RecvError::Lagged(groups)) => Some(Feed::Lagged(groups)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
