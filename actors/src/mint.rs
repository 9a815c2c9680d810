//! Mint: makes ids. The only source of randomness that ends in the store.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use message::{
    id::{Id, NodeId},
    time::Timestamp,
};

use crate::clock::Clock;

/// Makes ids that no other mint makes and that sort by the time of their making. Copies share one counter.
#[derive(Clone, Debug)]
pub struct Mint {
    clock: Clock,
    node: NodeId,
    last: Arc<Last>,
}

impl Mint {
    /// A mint of this node.
    #[must_use]
    pub fn new(clock: Clock, node: NodeId) -> Self {
        let last = Last {
            millis: AtomicU64::new(0),
            counter: AtomicU64::new(0),
        };
        Self {
            clock,
            node,
            last: Arc::new(last),
        }
    }

    /// A new id of any kind.
    #[must_use]
    pub fn id<T: From<Id>>(&self) -> T {
        // The time never runs backwards within a process, whatever the operator does to the system's clock.
        let now = self.clock.timestamp().as_millis();
        let millis = self.last.millis.fetch_max(now, Ordering::Relaxed).max(now);
        // The counter orders ids of one millisecond; the random half keeps apart two processes of one node.
        let counter = self.last.counter.fetch_add(1, Ordering::Relaxed) << 32;
        let tail = counter | u64::from(rand::random::<u32>());
        T::from(Id::compose(Timestamp::from_millis(millis), self.node, tail))
    }
}

#[derive(Debug)]
struct Last {
    millis: AtomicU64,
    counter: AtomicU64,
}

#[cfg(test)]
mod tests {
    use message::id::MessageId;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ids_of_one_millisecond_are_distinct_and_ordered() {
        let mint = Mint::new(Clock::starting(Timestamp::from_millis(7)), NodeId::new(3));
        let ids: Vec<MessageId> = (0..1_000).map(|_| mint.id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids.iter().all(|id| id.id().node() == NodeId::new(3)));
        assert!(
            ids.iter()
                .all(|id| id.id().timestamp() == Timestamp::from_millis(7))
        );
    }
}
