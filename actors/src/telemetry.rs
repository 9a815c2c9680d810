//! Telemetry: what the server counts and measures of itself, for the dashboards of operators.
//!
//! [`names`] is the one table of everything that is recorded; code records through its constants, so that no input ever
//! becomes a name. What is recorded goes through the `metrics` facade to two readers: a registry that Prometheus asks
//! ([`recorder`]), and the unsent counts that the sender gives to StatsD (`unsent`). Recording never waits.

mod classes;
pub mod metric;
pub mod names;
pub mod page;
mod percentile;
mod process;
pub mod recorder;
mod resolution;
pub mod sampler;
pub mod sender;
mod target;
mod unsent;

use std::time::Duration;

use supervision::{Restart, Strategy, Supervisor, child};

pub use names::*;

/// The branch of the tree that reads and sends. It dies often before it concerns anybody else: nobody needs it.
#[must_use]
pub fn branch(args: sampler::Args) -> Supervisor {
    let (sampler, _) = child::<sampler::Sampler>("sampler", Restart::Permanent, move |_| args.clone());
    let (sender, _) = child::<sender::StatsdSender>("statsd", Restart::Permanent, |_| ());
    Supervisor::new("telemetry", Strategy::OneForOne)
        .intensity(1_000, Duration::from_secs(60))
        .child(sampler)
        .child(sender)
}
