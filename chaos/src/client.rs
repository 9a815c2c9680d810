//! Clients of our own, small and suspicious: they know only what the scenarios need, and every surprise is an error.

pub(crate) mod pop3;
pub(crate) mod smtp;
pub(crate) mod tls;
pub(crate) mod wire;
