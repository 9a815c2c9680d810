//! Limits of the process that the system sets and the server raises or keeps clear of.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are never given to connections: files of the store, listeners, and sockets that are being refused.
/// Without them a flood of connections would keep the store from opening its next file, which ends the process.
const RESERVED_DESCRIPTORS: u64 = 384;

/// Raises the number of descriptors to the most that the system allows, and says how many that are.
pub fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(why) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(target: "angarium", %why, "the number of descriptors cannot be raised");
    }
    descriptors()
}

/// How many connections there may be: as many as are configured, as far as descriptors reach.
#[must_use]
pub fn connections(configured: u32) -> usize {
    let room = descriptors().saturating_sub(RESERVED_DESCRIPTORS).max(1);
    if room < u64::from(configured) {
        tracing::warn!(
            target: "angarium",
            configured,
            room,
            "there are too few descriptors for server.max_connections: raise the limit of open files",
        );
    }
    usize::try_from(room.min(u64::from(configured))).unwrap_or(usize::MAX)
}

/// The number of descriptors that this process may have. No limit at all is said as the largest number.
fn descriptors() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
