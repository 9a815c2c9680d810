//! Aliases: create, delete.

use super::{Change, Outcome, Rejected, bounded, domain, draft::Draft, rejected::Noun};
use crate::{
    command::{CreateAlias, DeleteAlias},
    key::{Key, directory::address},
    record::directory::{Address, AddressOwner, MAX_ALIAS_TARGETS},
};

pub(super) fn create_footprint(command: &CreateAlias, keys: &mut Vec<Key>) {
    keys.push(address(command.tenant, &command.address.lookup_key()));
    domain::footprint_of(command.tenant, &command.address, keys);
}

pub(super) fn create(command: &CreateAlias, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    if command.targets.is_empty() {
        return Err(Rejected::NotPermitted("an alias has a target"));
    }
    bounded("targets", command.targets.len(), MAX_ALIAS_TARGETS)?;
    let key = address(command.tenant, &command.address.lookup_key());
    if draft.is_taken(&key)? {
        return Err(Rejected::Exists(Noun::Address));
    }
    domain::add_address(command.tenant, &command.address, draft)?;
    let row = Address {
        address: command.address.clone(),
        owner: AddressOwner::Alias(command.targets.clone()),
    };
    draft.put(key, &row)?;
    draft.tell(Change::Address(command.tenant, command.address.clone()));
    Ok(Outcome::Done)
}

pub(super) fn delete_footprint(command: &DeleteAlias, keys: &mut Vec<Key>) {
    keys.push(address(command.tenant, &command.address.lookup_key()));
    domain::footprint_of(command.tenant, &command.address, keys);
}

pub(super) fn delete(command: &DeleteAlias, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = address(command.tenant, &command.address.lookup_key());
    let row: Address = draft.need(&key, Rejected::NoSuchAlias)?;
    if !matches!(row.owner, AddressOwner::Alias(_)) {
        return Err(Rejected::NoSuchAlias);
    }
    domain::drop_address(command.tenant, &command.address, draft)?;
    draft.delete(key);
    draft.tell(Change::Address(command.tenant, command.address.clone()));
    Ok(Outcome::Done)
}
