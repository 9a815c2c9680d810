//! Promises: what must hold whatever dies. One file each; a checker is a pure function of what was seen.

pub(crate) mod accepted_once;
pub(crate) mod bodies_stay_bodies;
pub(crate) mod memory_is_bounded;
pub(crate) mod others_are_spared;
pub(crate) mod shell_answers;
pub(crate) mod tree_is_whole;
pub(crate) mod uids_grow;

/// A promise that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    promise: &'static str,
    how: String,
}

impl Broken {
    pub(crate) fn new(promise: &'static str, how: impl Into<String>) -> Self {
        Self {
            promise,
            how: how.into(),
        }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the promise \"{}\" is broken: {}", self.promise, self.how)
    }
}

impl std::error::Error for Broken {}
