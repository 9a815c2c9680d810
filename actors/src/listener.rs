//! Listeners: named addresses that we serve.

pub mod acceptor;
pub(crate) mod intake;
pub mod ports;
pub mod proxy;
pub mod refusal;
pub mod room;
pub mod socket;
