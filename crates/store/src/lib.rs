//! The one place that touches the disk.
//!
//! Every durable change is a [`Command`](command::Command). [`footprint`](command::footprint) names the keys it
//! reads, the pure function [`apply`](apply::apply) says what it changes, and a [`Store`](store::Store) runs both at
//! its one serial point: the committer thread.

pub mod apply;
pub mod backup;
pub mod batch;
pub mod blob;
pub mod command;
pub mod engine;
pub mod feed;
pub mod key;
pub mod migrate;
pub mod open;
pub mod options;
pub mod propose;
pub mod quarantine;
pub mod read;
pub mod record;
pub mod repair;
pub mod space;
pub mod statistics;
pub mod store;
pub mod verify;
pub mod view;

mod committer;
mod format;
mod health;
mod journal;
mod lock;
mod mark;
mod once;
mod overlay;
mod queue;
mod sequence;
