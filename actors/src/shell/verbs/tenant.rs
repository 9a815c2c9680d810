//! Verbs on tenants: a file for each. The tree serves one tenant, which is called `default`; a store may hold others.

mod limit;
mod list;
mod show;

use message::id::TenantId;
use store::{
    read::{ReadError, directory},
    record::{directory::Tenant, state::TenantState},
    store::Store,
};

pub(in crate::shell) use self::{limit::limit, list::list, show::show};
use crate::shell::desk::{Desk, Refused, Request};

/// A tenant with what it has and may have.
struct Entry {
    id: TenantId,
    tenant: Tenant,
    state: TenantState,
}

/// All tenants of a store. Blocks.
fn all(store: &Store) -> Result<Vec<Entry>, ReadError> {
    let snapshot = store.snapshot();
    let mut entries = Vec::new();
    for (id, tenant) in directory::tenants(&snapshot)? {
        // One without a state is a finding of `check store`.
        if let Some(state) = directory::tenant_state(&snapshot, id)? {
            entries.push(Entry { id, tenant, state });
        }
    }
    Ok(entries)
}

/// The tenant that is named.
async fn find(desk: &Desk, request: &Request) -> Result<Entry, Refused> {
    let name = request.call.required("tenant")?;
    let mut tenants = desk.read(all).await??.into_iter();
    tenants
        .find(|entry| entry.tenant.name == name)
        .ok_or_else(|| Refused::failed(format!("there is no tenant {name:?}")))
}
