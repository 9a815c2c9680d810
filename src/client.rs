//! Clients of our own, small and suspicious, for the load generator and for tests: they know only what those need, and
//! every surprise is an error.

pub mod pop3;
pub mod smtp;
pub mod tls;
mod wire;
