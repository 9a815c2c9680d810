//! Snapshot: the directory as it was when it was read. Answers where mail goes and who may log in.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use auth::{Decoys, PasswordHash, ScramVerifier};
use message::{
    address::{Domain, DomainName, EmailAddress, LocalPart},
    id::{AccountId, MailboxId, TenantId},
};
use store::{
    engine::{Snapshot as Reader, StoreError},
    read::{ReadError, directory},
    record::{
        directory::{self as records, AddressOwner, AppPassword, Identity, Suspension},
        state::Limits,
    },
};

use super::Scope;

/// How many aliases may stand for one another in a row.
const MAX_ALIAS_DEPTH: usize = 8;

/// How many accounts one address may stand for.
const MAX_ACCOUNTS_PER_ADDRESS: usize = 1000;

/// The directory at one moment.
#[derive(Default)]
pub struct Snapshot {
    /// Domains of ours, with the address that gets what no other address matches.
    domains: HashMap<DomainName, Option<EmailAddress>>,
    /// Domains whose mail is discarded.
    discarded: HashSet<DomainName>,
    /// Addresses by their lookup key.
    addresses: HashMap<String, AddressOwner>,
    accounts: HashMap<AccountId, Account>,
    /// Whether the tenant may not store what it likes.
    is_limited: bool,
    /// What is shown of those who are not here; none before the first start has made their key.
    decoys: Option<Arc<Decoys>>,
}

struct Account {
    address: EmailAddress,
    credentials: Arc<Credentials>,
    /// The keys of the addresses that it may send as, its own the first.
    addresses: Vec<String>,
    /// The domains of which it may send as any address.
    domains: Vec<DomainName>,
    inbox: MailboxId,
    suspended: Option<Suspension>,
    /// Whether it may not store what it likes.
    is_limited: bool,
}

/// What opens an account.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The hash of its password.
    pub password: Option<PasswordHash>,
    /// The SCRAM verifier of its password.
    pub scram: Option<ScramVerifier>,
    /// The passwords of single programs.
    pub app_passwords: Vec<AppPassword>,
}

/// Where mail for an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// To these accounts; at least one.
    Accounts(Vec<AccountId>),
    /// Nowhere, by configuration.
    Discard,
    /// The domain is ours, and nobody there has this address.
    Unknown,
    /// To accounts that are suspended and refuse their mail, and to no other.
    Refused,
    /// The domain is not ours.
    Foreign,
    /// The aliases behind the address go round in a circle, or stand for too many.
    Unclear,
}

impl Snapshot {
    /// Reads the whole directory. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read. A damaged record is left out and reported by the store.
    pub fn read(reader: &impl Reader, tenant: TenantId, scope: &Scope) -> Result<Self, StoreError> {
        let mut snapshot = Self {
            discarded: scope.discarded.iter().cloned().collect(),
            ..Self::default()
        };
        directory::domains(reader, tenant, |domain| {
            snapshot.domains.insert(domain.name, domain.catch_all);
        })?;
        directory::addresses(reader, tenant, |address| {
            snapshot
                .addresses
                .insert(address.address.lookup_key(), address.owner);
        })?;
        directory::accounts(reader, tenant, |entry| {
            let Some(inbox) = entry.inbox else {
                tracing::error!(target: "angarium::directory", account = %entry.id, "an account has no INBOX");
                return;
            };
            snapshot
                .accounts
                .insert(entry.id, Account::new(entry.account, inbox));
        })?;
        snapshot.read_limits(reader, tenant)?;
        snapshot.decoys = snapshot.make_decoys(reader, scope)?;
        Ok(snapshot)
    }

    /// Only who has any: what is left of them changes with every message, and is read when it is asked for.
    fn read_limits(&mut self, reader: &impl Reader, tenant: TenantId) -> Result<(), StoreError> {
        // Damage is reported by the store; the delivery will find it.
        let known = |read: Result<Option<Limits>, ReadError>| match read {
            Ok(limits) => Ok(limits.is_some_and(|limits| limits != Limits::default())),
            Err(ReadError::Store(why)) => Err(why),
            Err(ReadError::Damaged(_)) => Ok(false),
        };
        let limits = directory::tenant_state(reader, tenant);
        self.is_limited = known(limits.map(|state| state.map(|state| state.limits)))?;
        for (id, account) in &mut self.accounts {
            let limits = directory::account_state(reader, tenant, *id);
            account.is_limited = known(limits.map(|state| state.map(|state| state.limits)))?;
        }
        Ok(())
    }

    fn make_decoys(&self, reader: &impl Reader, scope: &Scope) -> Result<Option<Arc<Decoys>>, StoreError> {
        let key = match directory::decoy_key(reader) {
            Ok(Some(key)) => key,
            Ok(None) => return Ok(None),
            Err(ReadError::Store(why)) => return Err(why),
            // Reported by the store; without it nobody proves a password, and the others work.
            Err(ReadError::Damaged(_)) => return Ok(None),
        };
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for account in self.accounts.values() {
            if let Some(verifier) = &account.credentials.scram {
                *counts.entry(verifier.iterations()).or_default() += 1;
            }
        }
        let decoys = Decoys::new(key.key, counts, scope.scram_iterations);
        Ok(Some(Arc::new(decoys)))
    }

    /// Where mail for an address goes.
    #[must_use]
    pub fn resolve(&self, address: &EmailAddress) -> Resolution {
        let Domain::Name(domain) = address.domain() else {
            return Resolution::Foreign;
        };
        if self.discarded.contains(domain) {
            return Resolution::Discard;
        }
        if !self.domains.contains_key(domain) {
            return Resolution::Foreign;
        }
        self.expand(address)
    }

    /// Follows aliases level by level, so that a circle ends at the depth limit.
    fn expand(&self, address: &EmailAddress) -> Resolution {
        let mut accounts = Vec::new();
        let mut level = vec![address.clone()];
        for _ in 0..=MAX_ALIAS_DEPTH {
            let mut next = Vec::new();
            for address in &level {
                match self.owner(address) {
                    Some(AddressOwner::Account(account)) => accounts.push(*account),
                    Some(AddressOwner::Alias(targets)) => next.extend(targets.iter().cloned()),
                    None => {}
                }
            }
            if accounts.len() + next.len() > MAX_ACCOUNTS_PER_ADDRESS {
                return Resolution::Unclear;
            }
            if next.is_empty() {
                return self.resolution(accounts);
            }
            level = next;
        }
        Resolution::Unclear
    }

    fn resolution(&self, mut accounts: Vec<AccountId>) -> Resolution {
        accounts.sort_unstable();
        accounts.dedup();
        accounts.retain(|account| self.accounts.contains_key(account));
        if accounts.is_empty() {
            return Resolution::Unknown;
        }
        // Others behind the same alias get theirs.
        accounts.retain(|account| !self.refuses_mail(*account));
        if accounts.is_empty() {
            Resolution::Refused
        } else {
            Resolution::Accounts(accounts)
        }
    }

    fn refuses_mail(&self, account: AccountId) -> bool {
        let suspended = self.accounts.get(&account).and_then(|account| account.suspended);
        suspended.is_some_and(|suspension| suspension.refuses_mail)
    }

    /// Who has an address: as it is written, else without its `+tag`, else by the catch-all of its domain.
    fn owner(&self, address: &EmailAddress) -> Option<&AddressOwner> {
        let exact = self.addresses.get(&address.lookup_key());
        exact
            .or_else(|| self.addresses.get(&address.base().lookup_key()))
            .or_else(|| self.catch_all(address))
    }

    fn catch_all(&self, address: &EmailAddress) -> Option<&AddressOwner> {
        let Domain::Name(domain) = address.domain() else {
            return None;
        };
        let catch_all = self.domains.get(domain)?.as_ref()?;
        self.addresses.get(&catch_all.lookup_key())
    }

    /// The domain whose postmaster a path without a domain means: our own name if it has one, else the first domain of
    /// ours that has. RFC 5321 §4.5.1
    #[must_use]
    pub fn postmasters_domain<'a>(&'a self, home: &'a DomainName) -> &'a DomainName {
        let mut others: Vec<_> = self.domains.keys().filter(|domain| *domain != home).collect();
        others.sort_unstable_by_key(|domain| domain.as_str());
        std::iter::once(home)
            .chain(others)
            .find(|domain| self.has_postmaster(domain))
            .unwrap_or(home)
    }

    fn has_postmaster(&self, domain: &DomainName) -> bool {
        let address = EmailAddress::new(LocalPart::postmaster(), Domain::Name(domain.clone()));
        address.is_ok_and(|address| matches!(self.resolve(&address), Resolution::Accounts(_)))
    }

    /// The account that logs in under a normalised name, and what opens it. One that is suspended is as if it were not
    /// there.
    #[must_use]
    pub fn login(&self, name: &str) -> Option<(AccountId, Arc<Credentials>)> {
        let (id, account) = self.named(name)?;
        let is_open = account.suspended.is_none();
        is_open.then(|| (id, Arc::clone(&account.credentials)))
    }

    /// What opened the account of this name until it was suspended, if it is.
    #[must_use]
    pub fn suspended_login(&self, name: &str) -> Option<Arc<Credentials>> {
        let (_, account) = self.named(name)?;
        account.suspended?;
        Some(Arc::clone(&account.credentials))
    }

    /// Whether nobody may be in this account, because it is suspended.
    #[must_use]
    pub fn is_suspended(&self, account: AccountId) -> bool {
        let account = self.accounts.get(&account);
        account.is_some_and(|account| account.suspended.is_some())
    }

    fn named(&self, name: &str) -> Option<(AccountId, &Account)> {
        match self.addresses.get(name)? {
            AddressOwner::Account(id) => Some((*id, self.accounts.get(id)?)),
            AddressOwner::Alias(_) => None,
        }
    }

    /// What is shown of those who are not here, once there is a key for it.
    #[must_use]
    pub fn decoys(&self) -> Option<Arc<Decoys>> {
        self.decoys.clone()
    }

    /// Whether an account may send as this address: its own, with any tag, or one of its identities. An identity in a
    /// domain that is no longer ours counts no more.
    #[must_use]
    pub fn may_send_as(&self, account: AccountId, address: &EmailAddress) -> bool {
        let (Some(account), Domain::Name(domain)) = (self.accounts.get(&account), address.domain()) else {
            return false;
        };
        if !self.domains.contains_key(domain) {
            return false;
        }
        let [exact, base] = [address.lookup_key(), address.base().lookup_key()];
        // A tagged address that is somebody's own is nobody else's.
        let is_free = !self.addresses.contains_key(&exact);
        let mut own = account.addresses.iter();
        own.any(|own| *own == exact || (is_free && *own == base)) || account.domains.contains(domain)
    }

    /// Whether an account may not store what it likes, of its own or of the tenant's.
    #[must_use]
    pub fn is_limited(&self, account: AccountId) -> bool {
        let account = self.accounts.get(&account);
        account.is_some_and(|account| self.is_limited || account.is_limited)
    }

    /// The address of an account, as it is called now.
    #[must_use]
    pub fn address(&self, account: AccountId) -> Option<&EmailAddress> {
        self.accounts.get(&account).map(|account| &account.address)
    }

    /// The INBOX of an account.
    #[must_use]
    pub fn inbox(&self, account: AccountId) -> Option<MailboxId> {
        self.accounts.get(&account).map(|account| account.inbox)
    }

    /// How many domains there are.
    #[must_use]
    pub fn domains(&self) -> usize {
        self.domains.len()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }
}

impl Account {
    fn new(row: records::Account, inbox: MailboxId) -> Self {
        let (password, scram) = row
            .password
            .map_or((None, None), |password| (Some(password.hash), password.scram));
        let credentials = Credentials {
            password: password.and_then(|text| PasswordHash::from_phc(&text).ok()),
            scram: scram.and_then(|text| ScramVerifier::from_text(&text).ok()),
            app_passwords: row.app_passwords,
        };
        let mut account = Self {
            credentials: Arc::new(credentials),
            addresses: vec![row.address.lookup_key()],
            address: row.address,
            domains: Vec::new(),
            inbox,
            suspended: row.suspended,
            is_limited: false,
        };
        for identity in row.identities {
            match identity {
                Identity::Address(address) => account.addresses.push(address.lookup_key()),
                Identity::Domain(domain) => account.domains.push(domain),
            }
        }
        account
    }
}

#[cfg(test)]
mod tests;
