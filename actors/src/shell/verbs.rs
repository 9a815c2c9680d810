//! What verbs do: a file for each.

pub(super) mod account;
pub(super) mod alias;
pub(super) mod audit;
pub(super) mod ban;
mod candidates;
pub(super) mod complete;
pub(super) mod domain;
pub(super) mod log_level;
pub(super) mod queue;
pub(super) mod status;
pub(super) mod tenant;
pub(super) mod trace;
pub(super) mod tree;
