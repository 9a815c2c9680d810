//! The way to the store and back: proposals go in through the gate, changes come out through the feed.

pub mod feed;
pub mod gate;
pub mod labour;
pub mod maintenance;
pub mod sweeper;
