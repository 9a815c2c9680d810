//! Queues: when a message in the spool goes where.

pub mod local;
pub mod local_delivery;
pub mod why;
pub mod window;
