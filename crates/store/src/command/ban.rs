//! Commands on bans: who is sent away, over all tenants.

use std::time::Duration;

use message::time::Timestamp;

use crate::record::ban::Network;

/// A network is sent away from now on.
#[derive(Clone, Debug)]
pub struct Ban {
    /// Which.
    pub network: Network,
    /// Why, for people; at most [`MAX_REASON_OCTETS`](crate::record::ban::MAX_REASON_OCTETS).
    pub reason: String,
    /// For how long.
    pub term: Term,
}

/// How long a ban lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// As an operator says; it replaces whatever ban there is. Without a time until it is taken back.
    Operator(Option<Timestamp>),
    /// So long for offences, and twice as long with each ban that is still remembered. `Exists` while any ban of
    /// the network holds.
    Growing {
        /// How long the first lasts.
        first: Duration,
        /// How long any lasts at most.
        longest: Duration,
    },
}

/// A ban is taken back, and forgotten.
#[derive(Clone, Debug)]
pub struct Unban {
    /// Whose.
    pub network: Network,
}
