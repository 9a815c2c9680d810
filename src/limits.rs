//! Limits of the process that the system sets and the server raises.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
    // No limit at all is said as the largest number.
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}
