//! Another address for an account, and what stood for the old one.

use std::collections::BTreeMap;

use message::address::{DomainName, EmailAddress};

use super::{Change, Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    command::{FollowingAlias, MAX_FOLLOWING, RenameAccount},
    key::{
        Key,
        directory::{account, address, domain},
    },
    record::directory::{Account, Address, AddressOwner, Domain, MAX_ALIAS_TARGETS},
};

pub(super) fn footprint(command: &RenameAccount, keys: &mut Vec<Key>) {
    let tenant = command.tenant;
    keys.push(account(tenant, command.account));
    for named in [&command.from, &command.to] {
        keys.push(address(tenant, &named.lookup_key()));
        keys.extend(named.domain().name().map(|name| domain(tenant, name)));
    }
    for alias in command.aliases.iter().take(MAX_FOLLOWING) {
        keys.push(address(tenant, &alias.address.lookup_key()));
    }
    for name in command.domains.iter().take(MAX_FOLLOWING) {
        keys.push(domain(tenant, name));
    }
}

pub(super) fn rename(command: &RenameAccount, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("following aliases", command.aliases.len(), MAX_FOLLOWING)?;
    bounded("following domains", command.domains.len(), MAX_FOLLOWING)?;
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    if row.address != command.from {
        return Err(Rejected::Stale("the account has another address"));
    }
    if command.from == command.to {
        return Err(Rejected::Exists(Noun::Address));
    }
    let mut domains = Domains::default();
    move_address(command, &mut domains, draft)?;
    for name in &command.domains {
        domains.follow(command, name, draft)?;
    }
    for alias in &command.aliases {
        follow(command, alias, draft)?;
    }
    domains.put(command, draft)?;
    row.address.clone_from(&command.to);
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    for named in [&command.from, &command.to] {
        draft.tell(Change::Address(command.tenant, named.clone()));
    }
    Ok(Outcome::Done)
}

/// The account leaves the old address and takes the new one.
fn move_address(
    command: &RenameAccount,
    domains: &mut Domains,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let (from, to) = (command.from.lookup_key(), command.to.lookup_key());
    let (from_key, to_key) = (address(command.tenant, &from), address(command.tenant, &to));
    let name = domains.of(command, &command.to, draft)?;
    // The same address in another spelling leaves nothing behind.
    if from == to {
        if command.keeps_alias {
            return Err(Rejected::NotPermitted("an account is no alias of itself"));
        }
    } else {
        match draft.find::<Address>(&to_key)? {
            None => domains.count(&name, |addresses| addresses.saturating_add(1)),
            Some(known) if stands_for_alone(&known.owner, &from) => {}
            Some(_) => return Err(Rejected::Exists(Noun::Address)),
        }
        if command.keeps_alias {
            let owner = AddressOwner::Alias(vec![command.to.clone()]);
            let address = command.from.clone();
            draft.put(from_key, &Address { address, owner })?;
        } else {
            let name = domains.of(command, &command.from, draft)?;
            domains.count(&name, |addresses| addresses.saturating_sub(1));
            draft.delete(from_key);
        }
    }
    let owner = AddressOwner::Account(command.account);
    let address = command.to.clone();
    draft.put(to_key, &Address { address, owner })
}

/// Whether it is an alias of this address and of nobody else: then its name is the account's to take.
fn stands_for_alone(owner: &AddressOwner, of: &str) -> bool {
    match owner {
        AddressOwner::Alias(targets) => {
            !targets.is_empty() && targets.iter().all(|target| target.lookup_key() == of)
        }
        AddressOwner::Account(_) => false,
    }
}

fn follow(command: &RenameAccount, alias: &FollowingAlias, draft: &mut Draft<'_>) -> Result<(), Rejected> {
    bounded("targets", alias.after.len(), MAX_ALIAS_TARGETS)?;
    if alias.after.is_empty() {
        return Err(Rejected::NotPermitted("an alias has a target"));
    }
    let named = alias.address.lookup_key();
    if named == command.from.lookup_key() || named == command.to.lookup_key() {
        return Err(Rejected::NotPermitted("an account does not follow itself"));
    }
    let key = address(command.tenant, &named);
    let mut row: Address = draft.need(&key, Rejected::Stale("an alias is gone"))?;
    if row.owner != AddressOwner::Alias(alias.before.clone()) {
        return Err(Rejected::Stale("an alias stands for others"));
    }
    row.owner = AddressOwner::Alias(alias.after.clone());
    draft.tell(Change::Address(command.tenant, row.address.clone()));
    draft.put(key, &row)
}

/// The domains that a rename touches, each once: a draft does not see what it has written.
#[derive(Default)]
struct Domains(BTreeMap<DomainName, (Domain, bool)>);

impl Domains {
    /// The domain of an address, which must be the tenant's.
    fn of(
        &mut self,
        command: &RenameAccount,
        address: &EmailAddress,
        draft: &Draft<'_>,
    ) -> Result<DomainName, Rejected> {
        let name = address.domain().name().ok_or(Rejected::NoSuchDomain)?;
        self.read(command, name, draft)?;
        Ok(name.clone())
    }

    fn read(
        &mut self,
        command: &RenameAccount,
        name: &DomainName,
        draft: &Draft<'_>,
    ) -> Result<(), Rejected> {
        if !self.0.contains_key(name) {
            let row = draft.need(&domain(command.tenant, name), Rejected::NoSuchDomain)?;
            self.0.insert(name.clone(), (row, false));
        }
        Ok(())
    }

    fn count(&mut self, name: &DomainName, change: impl FnOnce(u32) -> u32) {
        if let Some((row, is_changed)) = self.0.get_mut(name) {
            row.addresses = change(row.addresses);
            *is_changed = true;
        }
    }

    fn follow(
        &mut self,
        command: &RenameAccount,
        name: &DomainName,
        draft: &Draft<'_>,
    ) -> Result<(), Rejected> {
        const OTHER: Rejected = Rejected::Stale("a domain has another catch-all");
        self.read(command, name, draft)?;
        let (row, is_changed) = self.0.get_mut(name).ok_or(OTHER)?;
        match &row.catch_all {
            Some(known) if known.lookup_key() == command.from.lookup_key() => {
                row.catch_all = Some(command.to.clone());
                *is_changed = true;
                Ok(())
            }
            Some(_) | None => Err(OTHER),
        }
    }

    fn put(self, command: &RenameAccount, draft: &mut Draft<'_>) -> Result<(), Rejected> {
        for (name, (row, is_changed)) in self.0 {
            if is_changed {
                draft.put(domain(command.tenant, &name), &row)?;
                draft.tell(Change::Domain(command.tenant, name));
            }
        }
        Ok(())
    }
}
