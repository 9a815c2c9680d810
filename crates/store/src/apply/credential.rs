//! What an account is opened with besides its password, and what it may send as.

use super::{Change, Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    command::{AddAppPassword, AddIdentity, KeepDecoyKey, RemoveAppPassword, RemoveIdentity},
    key::{
        Key,
        directory::{account, decoy_key, domain},
    },
    record::directory::{
        Account, DecoyKey, MAX_APP_PASSWORD_NAME_OCTETS, MAX_APP_PASSWORDS, MAX_IDENTITIES, Protocol,
    },
};

pub(super) fn add_footprint(command: &AddAppPassword, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn add(command: &AddAppPassword, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let new = &command.app_password;
    bounded(
        "name of an application password",
        new.name.len(),
        MAX_APP_PASSWORD_NAME_OCTETS,
    )?;
    if new.name.is_empty() || new.name.contains(char::is_control) {
        return Err(Rejected::NotPermitted("an application password has a name"));
    }
    if let Some(protocols) = &new.protocols {
        bounded("protocols", protocols.len(), Protocol::ALL.len())?;
    }
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    if row.app_passwords.iter().any(|known| known.name == new.name) {
        return Err(Rejected::Exists(Noun::AppPassword));
    }
    bounded(
        "application passwords",
        row.app_passwords.len() + 1,
        MAX_APP_PASSWORDS,
    )?;
    row.app_passwords.push(new.clone());
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn remove_footprint(command: &RemoveAppPassword, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn remove(command: &RemoveAppPassword, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    let before = row.app_passwords.len();
    row.app_passwords.retain(|known| known.name != command.name);
    if row.app_passwords.len() == before {
        return Err(Rejected::NoSuchAppPassword);
    }
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn identity_footprint(command: &AddIdentity, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
    keys.extend(command.identity.domain().map(|name| domain(command.tenant, name)));
}

pub(super) fn add_identity(command: &AddIdentity, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    // Nobody lends what is another's: the domain is the tenant's.
    let name = command.identity.domain().ok_or(Rejected::NoSuchDomain)?;
    if !draft.is_taken(&domain(command.tenant, name))? {
        return Err(Rejected::NoSuchDomain);
    }
    if row
        .identities
        .iter()
        .any(|known| known.is_same(&command.identity))
    {
        return Err(Rejected::Exists(Noun::Identity));
    }
    bounded("identities", row.identities.len() + 1, MAX_IDENTITIES)?;
    row.identities.push(command.identity.clone());
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn no_identity_footprint(command: &RemoveIdentity, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn remove_identity(command: &RemoveIdentity, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    let before = row.identities.len();
    row.identities.retain(|known| !known.is_same(&command.identity));
    if row.identities.len() == before {
        return Err(Rejected::NoSuchIdentity);
    }
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn keep_decoy_key(command: &KeepDecoyKey, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    if draft.is_taken(&decoy_key())? {
        return Err(Rejected::Exists(Noun::DecoyKey));
    }
    draft.put(decoy_key(), &DecoyKey { key: command.key })?;
    Ok(Outcome::Done)
}
