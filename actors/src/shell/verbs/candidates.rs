//! What is alive in the store of a kind: for who completes a line.

use store::{
    engine::StoreError,
    read::{ReadError, audit, directory, spool},
    record::directory::AddressOwner,
    store::Store,
};

use crate::{
    shell::desk::{Desk, Refused},
    tree::DEFAULT_TENANT,
};

/// Messages and receipts that are offered: the oldest of these, the newest of those.
const MAX_OFFERED: usize = 200;

/// The words for what there is of a kind; none for a kind that is not in the store.
pub(super) async fn of(desk: &Desk, kind: &str) -> Result<Vec<String>, Refused> {
    let read: fn(&Store) -> Result<Vec<String>, ReadError> = match kind {
        "account" => accounts,
        "alias" => aliases,
        "domain" => domains,
        "message" => messages,
        "receipt" => receipts,
        "tenant" => tenants,
        _ => return Ok(Vec::new()),
    };
    Ok(desk.read(read).await??)
}

fn accounts(store: &Store) -> Result<Vec<String>, ReadError> {
    Ok(addresses(store, |owner| {
        matches!(owner, AddressOwner::Account(_))
    })?)
}

fn aliases(store: &Store) -> Result<Vec<String>, ReadError> {
    Ok(addresses(store, |owner| matches!(owner, AddressOwner::Alias(_)))?)
}

fn addresses(store: &Store, is_wanted: fn(&AddressOwner) -> bool) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    directory::addresses(&store.snapshot(), DEFAULT_TENANT, |address| {
        if is_wanted(&address.owner) {
            found.push(address.address.to_string());
        }
    })?;
    Ok(found)
}

fn domains(store: &Store) -> Result<Vec<String>, ReadError> {
    let mut found = Vec::new();
    directory::domains(&store.snapshot(), DEFAULT_TENANT, |domain| {
        found.push(domain.name.to_string());
    })?;
    Ok(found)
}

fn messages(store: &Store) -> Result<Vec<String>, ReadError> {
    let snapshot = store.snapshot();
    let mut found = Vec::new();
    for partition in spool::partitions_with_messages(&snapshot, DEFAULT_TENANT)? {
        let page = spool::messages(&snapshot, DEFAULT_TENANT, partition, None, MAX_OFFERED)?;
        found.extend(page.rows.into_iter().map(|(id, _)| id.to_string()));
    }
    Ok(found)
}

fn receipts(store: &Store) -> Result<Vec<String>, ReadError> {
    let page = audit::newest(&store.snapshot(), None, MAX_OFFERED)?;
    Ok(page.rows.into_iter().map(|entry| entry.id.to_string()).collect())
}

fn tenants(store: &Store) -> Result<Vec<String>, ReadError> {
    let tenants = directory::tenants(&store.snapshot())?.into_iter();
    Ok(tenants.map(|(_, tenant)| tenant.name).collect())
}
