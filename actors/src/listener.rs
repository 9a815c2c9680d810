//! Listeners: named addresses that we serve.

pub mod acceptor;
pub mod proxy;
pub mod refusal;
pub mod socket;
