//! Tend: what is known of a long work that is under way.

use crate::record::upkeep::Upkeep;

/// How far a long work is; `None` when none is under way any more.
#[derive(Clone, Debug)]
pub struct Tend {
    /// The work, within its bounds.
    pub upkeep: Option<Upkeep>,
}
