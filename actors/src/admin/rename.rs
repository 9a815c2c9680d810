//! Rename: another address for an account, with what stands for the old one.

use std::collections::HashMap;

use message::{
    address::{DomainName, EmailAddress, LocalPart},
    id::AccountId,
};
use store::{
    apply::{Rejected, rejected::Noun},
    command::{Command, FollowingAlias, MAX_FOLLOWING, RenameAccount},
    propose::ProposeError,
    read::directory,
    record::directory::{AddressOwner, Identity},
    store::Store,
};

use super::{Account, Admin, AdminError, because, find, may_be_account};
use crate::tree::DEFAULT_TENANT;

/// What renaming an account is, as the store was when it was looked at.
#[derive(Clone, Debug)]
pub struct Renaming {
    /// What is proposed.
    pub command: RenameAccount,
    /// Whether the new address is an alias of the account, which ends with it.
    pub takes_alias: bool,
    /// Others who may send as the old address, and go on so.
    pub lent_to: Vec<EmailAddress>,
}

impl Admin {
    /// Looks at what renaming an account would change.
    ///
    /// # Errors
    /// When there is no such account, it cannot have the new address, too much follows it, or the store cannot be read.
    pub async fn renaming(
        &self,
        from: &EmailAddress,
        to: &EmailAddress,
        keeps_alias: bool,
    ) -> Result<Renaming, AdminError> {
        may_be_account(to)?;
        let (from, to) = (from.clone(), to.clone());
        self.read(move |store| look(store, &from, to, keeps_alias))
            .await?
    }

    /// Renames an account.
    ///
    /// # Errors
    /// When the new address is taken or in no domain of ours by now, the store has changed since it was looked at, or
    /// cannot be written.
    pub async fn rename(&self, renaming: Renaming) -> Result<(), AdminError> {
        let RenameAccount { from, to, .. } = &renaming.command;
        let (from, to) = (from.clone(), to.clone());
        match self.propose(Command::RenameAccount(renaming.command)).await {
            Ok(_) => Ok(()),
            Err(ProposeError::Rejected(Rejected::Exists(Noun::Address))) => Err(taken(&to)),
            Err(ProposeError::Rejected(Rejected::NoSuchDomain)) => Err(foreign(&to)),
            Err(why) => Err(because(&format!("cannot rename {from}"))(why)),
        }
    }
}

fn taken(address: &EmailAddress) -> AdminError {
    AdminError(format!("{address} is taken"))
}

fn foreign(address: &EmailAddress) -> AdminError {
    AdminError(format!(
        "{address} is in no domain of ours: domain add makes it one"
    ))
}

/// Blocks.
fn look(
    store: &Store,
    from: &EmailAddress,
    to: EmailAddress,
    keeps_alias: bool,
) -> Result<Renaming, AdminError> {
    let Account { id, record, .. } = find(store, from)?;
    let from = record.address;
    let (key, new_key) = (from.lookup_key(), to.lookup_key());
    if from == to || (key == new_key && keeps_alias) {
        return Err(taken(&to));
    }
    let snapshot = store.snapshot();
    let mut owners = HashMap::new();
    directory::addresses(&snapshot, DEFAULT_TENANT, |known| {
        owners.insert(known.address.lookup_key(), (known.address, known.owner));
    })?;
    let takes_alias = match owners.get(&new_key).map(|(_, owner)| owner) {
        None => false,
        Some(AddressOwner::Account(owner)) if *owner == id => false,
        Some(AddressOwner::Account(_)) => return Err(taken(&to)),
        Some(AddressOwner::Alias(targets)) if targets.iter().all(|it| it.lookup_key() == key) => true,
        Some(AddressOwner::Alias(_)) => return Err(taken(&to)),
    };
    // What has an address of its own with a tag is not the account's.
    let means_it = |target: &EmailAddress| {
        let exact = target.lookup_key();
        exact == key || (!owners.contains_key(&exact) && target.base().lookup_key() == key)
    };
    let mut aliases = Vec::new();
    for (named, (address, owner)) in &owners {
        if let AddressOwner::Alias(targets) = owner
            && *named != new_key
            && targets.iter().any(means_it)
        {
            let retarget = |target: &EmailAddress| match means_it(target) {
                true => tagged(&to, target.detail()),
                false => target.clone(),
            };
            aliases.push(FollowingAlias {
                address: address.clone(),
                before: targets.clone(),
                after: targets.iter().map(retarget).collect(),
            });
        }
    }
    let (mut domains, mut is_ours) = (Vec::new(), false);
    directory::domains(&snapshot, DEFAULT_TENANT, |domain| {
        is_ours |= to.domain().name() == Some(&domain.name);
        if domain.catch_all.is_some_and(|all| all.lookup_key() == key) {
            domains.push(domain.name);
        }
    })?;
    if !is_ours {
        return Err(foreign(&to));
    }
    bounded(&aliases, &domains)?;
    aliases.sort_by_cached_key(|alias| alias.address.lookup_key());
    let lent_to = lent(store, id, &key)?;
    let command = RenameAccount {
        tenant: DEFAULT_TENANT,
        account: id,
        from,
        to,
        keeps_alias,
        aliases,
        domains,
    };
    Ok(Renaming {
        command,
        takes_alias,
        lent_to,
    })
}

fn bounded(aliases: &[FollowingAlias], domains: &[DomainName]) -> Result<(), AdminError> {
    if aliases.len().max(domains.len()) > MAX_FOLLOWING {
        return Err(AdminError(format!(
            "{} aliases and {} domains would follow; {MAX_FOLLOWING} of each can",
            aliases.len(),
            domains.len()
        )));
    }
    Ok(())
}

/// The same address with a tag, unless it would be too long for one.
fn tagged(address: &EmailAddress, tag: Option<&str>) -> EmailAddress {
    let tagged = tag.and_then(|tag| {
        let local = LocalPart::from_content(&format!("{}+{tag}", address.local().as_str())).ok()?;
        EmailAddress::new(local, address.domain().clone()).ok()
    });
    tagged.unwrap_or_else(|| address.clone())
}

fn lent(store: &Store, account: AccountId, key: &str) -> Result<Vec<EmailAddress>, AdminError> {
    let mut lent = Vec::new();
    directory::accounts(&store.snapshot(), DEFAULT_TENANT, |entry| {
        let is_lent = entry.account.identities.iter().any(|identity| match identity {
            Identity::Address(address) => address.lookup_key() == key,
            Identity::Domain(_) => false,
        });
        if entry.id != account && is_lent {
            lent.push(entry.account.address);
        }
    })?;
    Ok(lent)
}
