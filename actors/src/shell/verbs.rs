//! What verbs do: a file for each.

pub(super) mod complete;
pub(super) mod status;
pub(super) mod tree;
