//! The server under test: inside this process, where its actors can be killed, or in a child, which is killed whole.

use std::net::SocketAddr;

pub(crate) mod child;
pub(crate) mod inside;

/// Where a server listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// SMTP.
    pub(crate) mx: SocketAddr,
    /// POP3.
    pub(crate) pop3: SocketAddr,
}
