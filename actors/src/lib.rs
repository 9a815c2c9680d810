//! Who does what, when: the living parts of the server.
//!
//! [`tree`] is the whole supervision tree on one screen. What a protocol means is in the crates below; here is when it
//! happens, how many at once, and with whom.

pub mod admin;
pub mod authenticator;
pub mod clock;
pub mod connection;
pub mod directory;
#[cfg(test)]
mod fixture;
pub mod http;
pub mod limits;
pub mod listener;
pub mod log_levels;
pub mod mailbox;
pub mod mint;
pub mod pop3;
pub mod process;
pub mod queue;
pub mod reads;
pub mod reload;
pub mod sasl;
pub mod shell;
pub mod smtp;
pub mod store;
pub mod structure;
pub mod subject;
pub mod telemetry;
pub mod tls;
pub mod tree;
pub mod unfinished;
