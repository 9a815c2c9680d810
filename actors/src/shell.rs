//! The shell: a Unix socket on which operators ask for verbs. What verbs there are is in the crate `shell`.

pub mod change;
pub mod desk;
pub mod listener;
pub mod output;
pub mod role;
pub mod session;
pub mod silence;
pub mod socket;
mod values;
pub mod verb;
mod verbs;
