//! What verbs do: a file for each.

pub(super) mod account;
pub(super) mod actor;
pub(super) mod alias;
pub(super) mod audit;
pub(super) mod backup;
pub(super) mod ban;
mod candidates;
pub(super) mod check_store;
pub(super) mod complete;
mod crash;
pub(super) mod crash_list;
pub(super) mod crash_show;
pub(super) mod domain;
pub(super) mod kick;
pub(super) mod log_level;
pub(super) mod overview;
pub(super) mod queue;
pub(super) mod reload;
mod sessions;
pub(super) mod space;
pub(super) mod status;
pub(super) mod stuck;
pub(super) mod tenant;
pub(super) mod trace;
pub(super) mod tree;
pub(super) mod upkeep;
pub(super) mod who;

pub(super) use tree::Trees;
