//! Chaos, the storm cellar: kills actors and processes under load and checks promises.
//!
//! A [`scenario::Scenario`] brings up a server, lets a crowd send and read mail, and breaks something again and again.
//! Whatever was answered 250 stands in a ledger; the promises compare that with what the mailboxes hold in the end.
//! This is no benchmark and no test of a protocol: it asks only whether a promise survives.

mod console;
mod crowd;
mod home;
mod ledger;
mod letter;
mod liveness;
mod promise;
pub mod runner;
pub mod scenario;
mod server;
mod storm;
mod times;
mod wait;

pub use server::child::serve_as_child;
