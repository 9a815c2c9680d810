//! Listeners: named addresses that we serve.

pub mod acceptor;
pub mod socket;
