//! Reload: another configuration in a server that runs.
//!
//! The sources are read and validated anew, what differs is said key by key, and then the tree is asked in two phases
//! whether it can take it and told that it has. Nothing is changed before everybody has agreed, and whoever dies on the
//! way wakes with what is in force.

pub mod book;
mod course;
pub mod loader;
pub mod plan;
pub mod receipt;
pub mod reloader;
pub mod touch;
