//! The one place that touches the disk.
//!
//! Every durable change is a [`Command`](command::Command). [`footprint`](command::footprint) names the keys it
//! reads, the pure function [`apply`](apply::apply) says what it changes, and a [`Store`](store::Store) runs both at
//! its one serial point: the committer thread.

pub mod apply;
pub mod batch;
pub mod command;
pub mod engine;
pub mod key;
