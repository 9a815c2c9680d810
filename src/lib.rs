//! Angarium, a self-hosted mail server. This is the front door: it puts the parts together and does nothing else.
//!
//! [`boot`] opens the store, binds the listeners and starts the supervision tree; [`cli`] has one file per subcommand.

pub mod activation;
pub mod bench;
pub mod boot;
pub mod certificate;
pub mod cli;
pub mod client;
pub mod limits;
pub mod loader;
pub mod log;
pub mod privileges;
pub mod reload;
pub mod signals;
pub mod systemd;

/// What is changed of accounts.
pub use actors::admin;
