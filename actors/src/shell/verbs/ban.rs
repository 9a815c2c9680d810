//! Verbs on bans: a file for each.

mod add;
mod list;
mod remove;

use store::{engine::StoreError, read, record::ban, store::Store};

pub(in crate::shell) use self::{add::add, list::list, remove::remove};

/// Every ban, also those that have ended. Blocks.
fn all(store: &Store) -> Result<Vec<(ban::Network, ban::Ban)>, StoreError> {
    let mut bans = Vec::new();
    read::ban::bans(&store.snapshot(), |network, ban| bans.push((network, ban)))?;
    Ok(bans)
}
