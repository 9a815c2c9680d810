//! Reads of the directory and of what its entries use and may use.

use message::{
    address::DomainName,
    id::{AccountId, MailboxId, TenantId},
};

use super::{Page, Range, ReadError, record};
use crate::{
    engine::{Snapshot, StoreError},
    key::{self, Keyspace, Partition, directory as keys},
    record::{
        directory::{Account, Address, Claim, DecoyKey, Domain, Tenant},
        mailbox::{MailboxName, Named},
        state::{AccountState, TenantState},
    },
};

/// An account as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountEntry {
    /// Which.
    pub id: AccountId,
    /// What is on record of it.
    pub account: Account,
    /// Its INBOX; absent only when the record of its name is damaged.
    pub inbox: Option<MailboxId>,
}

/// All tenants. The rows of a tenant stand together with all it has in the directory, so this skips from one to the
/// next.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn tenants(snapshot: &impl Snapshot) -> Result<Vec<(TenantId, Tenant)>, StoreError> {
    let names = Range::of_kind(
        Keyspace::Directory,
        key::SYSTEM_TENANT,
        Partition::OF_TENANT,
        keys::TENANT_NAME,
    );
    let mut ids = Vec::new();
    let text = |key: &[u8]| keys::parse_text(key, keys::TENANT_NAME).map(drop);
    names.each(snapshot, text, |(), claim: Claim| ids.push(claim.tenant))?;
    ids.sort_unstable();
    let mut tenants = Vec::with_capacity(ids.len());
    for id in ids {
        match record::<Tenant>(snapshot, &keys::tenant(id)) {
            Ok(tenant) => tenants.extend(tenant.map(|tenant| (id, tenant))),
            Err(ReadError::Store(error)) => return Err(error),
            Err(ReadError::Damaged(_)) => {}
        }
    }
    Ok(tenants)
}

/// What a tenant has and may have.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn tenant_state(snapshot: &impl Snapshot, tenant: TenantId) -> Result<Option<TenantState>, ReadError> {
    record(snapshot, &key::mailbox::tenant_state(tenant))
}

/// Every domain of a tenant, by name.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn domains(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    mut each: impl FnMut(Domain),
) -> Result<(), StoreError> {
    let text = |key: &[u8]| keys::parse_text(key, keys::DOMAIN).map(drop);
    range(tenant, keys::DOMAIN).each(snapshot, text, |(), domain| each(domain))
}

/// One domain of a tenant.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn domain(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    name: &DomainName,
) -> Result<Option<Domain>, ReadError> {
    record(snapshot, &keys::domain(tenant, name))
}

/// Every address of a tenant, by its folded form.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn addresses(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    mut each: impl FnMut(Address),
) -> Result<(), StoreError> {
    let text = |key: &[u8]| keys::parse_text(key, keys::ADDRESS).map(drop);
    range(tenant, keys::ADDRESS).each(snapshot, text, |(), address| each(address))
}

/// Every account of a tenant with its INBOX, the oldest first.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn accounts(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    mut each: impl FnMut(AccountEntry),
) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let page = accounts_page(snapshot, tenant, after.as_deref(), super::PAGE)?;
        for (id, account) in page.rows {
            let inbox = inbox(snapshot, tenant, id)?;
            each(AccountEntry { id, account, inbox });
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Some accounts of a tenant, the oldest first.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn accounts_page(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<(AccountId, Account)>, StoreError> {
    range(tenant, keys::ACCOUNT)
        .after(after)
        .page(snapshot, limit, keys::parse_account)
}

/// One account.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn account(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
) -> Result<Option<Account>, ReadError> {
    record(snapshot, &keys::account(tenant, account))
}

/// What an account has and may have.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn account_state(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
) -> Result<Option<AccountState>, ReadError> {
    record(snapshot, &key::mailbox::account_state(tenant, account))
}

/// The key of decoys, once there is one.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn decoy_key(snapshot: &impl Snapshot) -> Result<Option<DecoyKey>, ReadError> {
    record(snapshot, &keys::decoy_key())
}

/// What stands behind an address, by its folded form.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn address(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    lookup_key: &str,
) -> Result<Option<Address>, ReadError> {
    record(snapshot, &keys::address(tenant, lookup_key))
}

fn inbox(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
) -> Result<Option<MailboxId>, StoreError> {
    match record::<Named>(
        snapshot,
        &key::mailbox::name(tenant, account, &MailboxName::inbox()),
    ) {
        Ok(named) => Ok(named.map(|named| named.mailbox)),
        Err(ReadError::Store(error)) => Err(error),
        Err(ReadError::Damaged(_)) => Ok(None),
    }
}

fn range(tenant: TenantId, kind: u8) -> Range {
    Range::of_kind(Keyspace::Directory, tenant, Partition::OF_TENANT, kind)
}
