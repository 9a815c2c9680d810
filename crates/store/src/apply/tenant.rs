//! Tenants: create, delete, limit.

use message::time::Timestamp;

use super::{Change, Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    command::{CreateTenant, DEFAULT_TENANT, DeleteTenant, LimitTenant},
    key::{
        Key, SYSTEM_TENANT,
        directory::{tenant, tenant_name},
        mailbox::tenant_state,
    },
    record::{
        directory::{Claim, MAX_TENANT_NAME_OCTETS, Tenant},
        mailbox::UidValidity,
        state::{TenantState, Usage},
    },
};

pub(super) fn create_footprint(command: &CreateTenant, keys: &mut Vec<Key>) {
    keys.push(tenant(command.tenant));
    keys.push(tenant_name(&command.name));
}

pub(super) fn create(
    command: &CreateTenant,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    if command.tenant == SYSTEM_TENANT {
        return Err(Rejected::NotPermitted("a tenant's number is not 0"));
    }
    if command.name.is_empty() {
        return Err(Rejected::NotPermitted("a tenant has a name"));
    }
    bounded("tenant's name", command.name.len(), MAX_TENANT_NAME_OCTETS)?;
    let key = tenant(command.tenant);
    let name_key = tenant_name(&command.name);
    if draft.is_taken(&key)? || draft.is_taken(&name_key)? {
        return Err(Rejected::Exists(Noun::Tenant));
    }
    let state = TenantState {
        usage: Usage::default(),
        limits: command.limits,
        max_accounts: command.max_accounts,
        accounts: 0,
        domains: 0,
        next_uid_validity: UidValidity::new(1),
    };
    draft.put(
        key,
        &Tenant {
            name: command.name.clone(),
            created: at,
        },
    )?;
    draft.put(
        name_key,
        &Claim {
            tenant: command.tenant,
        },
    )?;
    draft.put(tenant_state(command.tenant), &state)?;
    draft.tell(Change::Tenant(command.tenant));
    Ok(Outcome::Done)
}

pub(super) fn delete_footprint(command: &DeleteTenant, keys: &mut Vec<Key>) {
    keys.push(tenant(command.tenant));
    keys.push(tenant_state(command.tenant));
}

pub(super) fn delete(command: &DeleteTenant, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    if command.tenant == DEFAULT_TENANT {
        return Err(Rejected::NotPermitted("the default tenant stays"));
    }
    let row: Tenant = draft.need(&tenant(command.tenant), Rejected::NoSuchTenant)?;
    let state: TenantState = draft.need(&tenant_state(command.tenant), Rejected::NoSuchTenant)?;
    if row.name != command.name {
        return Err(Rejected::Stale("the tenant has another name"));
    }
    if state.domains > 0 || state.accounts > 0 {
        return Err(Rejected::NotEmpty(Noun::Tenant));
    }
    draft.delete(tenant(command.tenant));
    draft.delete(tenant_name(&row.name));
    draft.delete(tenant_state(command.tenant));
    draft.tell(Change::Tenant(command.tenant));
    Ok(Outcome::Done)
}

pub(super) fn limit_footprint(command: &LimitTenant, keys: &mut Vec<Key>) {
    keys.push(tenant_state(command.tenant));
}

pub(super) fn limit(command: &LimitTenant, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = tenant_state(command.tenant);
    let mut state: TenantState = draft.need(&key, Rejected::NoSuchTenant)?;
    state.limits = command.limits;
    state.max_accounts = command.max_accounts;
    draft.put(key, &state)?;
    draft.tell(Change::Tenant(command.tenant));
    Ok(Outcome::Done)
}
