//! Order: what a supervisor is told. By children that started or ended, by its own timers, by an operator.

use std::sync::Arc;

use ractor_cluster_derive::RactorMessage;

use crate::ledger::CrashCard;

/// A message to a supervisor. `incarnation` tells a late order from one of now.
#[derive(Debug, RactorMessage)]
pub(crate) enum Order {
    /// A child is up.
    Started { child: Arc<str>, incarnation: u64 },
    /// A child that is a supervisor has all its children up.
    Ready { child: Arc<str>, incarnation: u64 },
    /// A child and all its descendants have ended.
    Ended {
        child: Arc<str>,
        incarnation: u64,
        exit: Exit,
    },
    /// A backoff is over.
    Retry { child: Arc<str>, incarnation: u64 },
    /// A child should have ended by now.
    Overdue { child: Arc<str>, incarnation: u64 },
    /// All children should have ended by now.
    AllOverdue,
    /// The companion of a child has ended.
    CompanionEnded { child: Arc<str> },
    /// An operator wants a child started afresh.
    Restart { child: Arc<str> },
}

/// How a child ended.
#[derive(Clone, Debug)]
pub(crate) enum Exit {
    /// Of its own will, or because its supervisor wanted it so.
    Stopped,
    /// Otherwise.
    Crashed(Arc<CrashCard>),
}
