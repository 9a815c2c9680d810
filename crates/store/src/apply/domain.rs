//! Domains: create, delete, and the count of their addresses.

use message::{
    address::{DomainName, EmailAddress},
    id::TenantId,
    time::Timestamp,
};

use super::{Change, Outcome, Rejected, draft::Draft, rejected::Noun};
use crate::{
    command::{CreateDomain, DeleteDomain, SetCatchAll},
    key::{
        Key,
        directory::{domain, domain_name},
        mailbox::tenant_state,
    },
    record::{
        directory::{Claim, Domain},
        state::TenantState,
    },
};

pub(super) fn create_footprint(command: &CreateDomain, keys: &mut Vec<Key>) {
    keys.push(domain_name(&command.name));
    keys.push(tenant_state(command.tenant));
}

pub(super) fn create(
    command: &CreateDomain,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    let mut state: TenantState = draft.need(&tenant_state(command.tenant), Rejected::NoSuchTenant)?;
    let name_key = domain_name(&command.name);
    if draft.is_taken(&name_key)? {
        return Err(Rejected::Exists(Noun::Domain));
    }
    let row = Domain {
        name: command.name.clone(),
        catch_all: command.catch_all.clone(),
        created: at,
        addresses: 0,
    };
    state.domains = state.domains.saturating_add(1);
    draft.put(
        name_key,
        &Claim {
            tenant: command.tenant,
        },
    )?;
    draft.put(domain(command.tenant, &command.name), &row)?;
    draft.put(tenant_state(command.tenant), &state)?;
    draft.tell(Change::Domain(command.tenant, command.name.clone()));
    Ok(Outcome::Done)
}

pub(super) fn catch_all_footprint(command: &SetCatchAll, keys: &mut Vec<Key>) {
    keys.push(domain(command.tenant, &command.name));
}

pub(super) fn set_catch_all(command: &SetCatchAll, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = domain(command.tenant, &command.name);
    let mut row: Domain = draft.need(&key, Rejected::NoSuchDomain)?;
    row.catch_all.clone_from(&command.catch_all);
    draft.put(key, &row)?;
    draft.tell(Change::Domain(command.tenant, command.name.clone()));
    Ok(Outcome::Done)
}

pub(super) fn delete_footprint(command: &DeleteDomain, keys: &mut Vec<Key>) {
    keys.push(domain(command.tenant, &command.name));
    keys.push(tenant_state(command.tenant));
}

pub(super) fn delete(command: &DeleteDomain, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let mut state: TenantState = draft.need(&tenant_state(command.tenant), Rejected::NoSuchTenant)?;
    let key = domain(command.tenant, &command.name);
    let row: Domain = draft.need(&key, Rejected::NoSuchDomain)?;
    if row.addresses > 0 {
        return Err(Rejected::NotEmpty(Noun::Domain));
    }
    state.domains = state.domains.saturating_sub(1);
    draft.delete(key);
    draft.delete(domain_name(&command.name));
    draft.put(tenant_state(command.tenant), &state)?;
    draft.tell(Change::Domain(command.tenant, command.name.clone()));
    Ok(Outcome::Done)
}

/// The key of an address's domain, if it can be one of ours.
pub(super) fn footprint_of(tenant: TenantId, address: &EmailAddress, keys: &mut Vec<Key>) {
    if let Ok(name) = name_of(address) {
        keys.push(domain(tenant, name));
    }
}

/// An address more in its domain, which must be the tenant's.
pub(super) fn add_address(
    tenant: TenantId,
    address: &EmailAddress,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let key = domain(tenant, name_of(address)?);
    let mut row: Domain = draft.need(&key, Rejected::NoSuchDomain)?;
    row.addresses = row.addresses.saturating_add(1);
    draft.put(key, &row)
}

/// An address less in its domain.
pub(super) fn drop_address(
    tenant: TenantId,
    address: &EmailAddress,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let key = domain(tenant, name_of(address)?);
    let mut row: Domain = draft.need(&key, Rejected::NoSuchDomain)?;
    row.addresses = row.addresses.saturating_sub(1);
    draft.put(key, &row)
}

fn name_of(address: &EmailAddress) -> Result<&DomainName, Rejected> {
    address.domain().name().ok_or(Rejected::NoSuchDomain)
}
