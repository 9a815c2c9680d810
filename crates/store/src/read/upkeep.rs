//! The read of the long work that is under way.

use super::{ReadError, record};
use crate::{engine::Snapshot, key::upkeep::upkeep as upkeep_key, record::upkeep::Upkeep};

/// The long work that has not ended, if there is one.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn upkeep(snapshot: &impl Snapshot) -> Result<Option<Upkeep>, ReadError> {
    record(snapshot, &upkeep_key())
}
