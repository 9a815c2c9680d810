//! Supervision: OTP for ractor. Actors, the addresses that reach them, and the supervisors that keep them alive.
//!
//! It knows nothing of mail. What becomes of whom when something dies is decided by pure functions ([`Strategy`],
//! [`Intensity`], the backoff); supervisors merely obey them. `docs/supervision.md` tells the rules.

mod actor;
mod address;
mod backoff;
mod child;
mod commons;
mod context;
mod detached;
mod dynamic;
mod envelope;
mod gauges;
mod intensity;
mod ledger;
mod life;
mod order;
mod panics;
mod reply;
mod round;
mod runner;
mod running;
mod settings;
mod slot;
mod subject;
mod supervisor;
mod tally;
mod timer;
mod tree;

pub use actor::{Actor, Broken, Drained, Inspection, Refusal, Value};
pub use address::{Address, CallError, Sending, Unavailable};
pub use child::{Child, Restart, START_LIMIT, child};
pub use commons::Collapsed;
pub use context::Context;
pub use detached::{Inbox, alone};
pub use dynamic::keeper::STOP_LIMIT;
pub use dynamic::table::PARKED_CHILDREN;
pub use dynamic::{Dynamic, Seat, StartError};
pub use intensity::Intensity;
pub use ledger::{CRASH_CARDS, CRASH_SUBJECTS, CRASH_TEXT, CrashCard, CrashKind};
pub use reply::Reply;
pub use round::{ROUND_NAMES, Round};
pub use running::{ControlError, INSPECT_LIMIT, Running, start, start_seeded};
pub use settings::Settings;
pub use slot::Phase;
pub use subject::Subject;
pub use supervisor::Supervisor;
pub use supervisor::keeper::DRAIN_GRACE;
pub use supervisor::strategy::Strategy;
pub use supervisor::varying::REMOVAL_DEADLINE;
pub use tally::{BUCKETS, ClassTally, Histogram};
pub use timer::Timer;
pub use tree::{Row, Summary};
