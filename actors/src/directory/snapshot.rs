//! Snapshot: the directory as it was when it was read. Answers where mail goes and who may log in.

use std::collections::{HashMap, HashSet};

use auth::PasswordHash;
use message::{
    address::{Domain, DomainName, EmailAddress, LocalPart},
    id::{AccountId, MailboxId, TenantId},
};
use store::{
    engine::{Snapshot as Reader, StoreError},
    read::directory,
    record::directory::AddressOwner,
};

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
}

struct Account {
    password: Option<PasswordHash>,
    inbox: MailboxId,
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
    pub fn read(
        reader: &impl Reader,
        tenant: TenantId,
        discarded: &[DomainName],
    ) -> Result<Self, StoreError> {
        let mut snapshot = Self {
            discarded: discarded.iter().cloned().collect(),
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
            let password = entry
                .account
                .password
                .as_deref()
                .and_then(|hash| PasswordHash::from_phc(hash).ok());
            snapshot.accounts.insert(entry.id, Account { password, inbox });
        })?;
        Ok(snapshot)
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
            Resolution::Unknown
        } else {
            Resolution::Accounts(accounts)
        }
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

    /// The account that logs in under a normalised name, and the hash of its password.
    #[must_use]
    pub fn login(&self, name: &str) -> Option<(AccountId, PasswordHash)> {
        match self.addresses.get(name)? {
            AddressOwner::Account(id) => {
                let account = self.accounts.get(id)?;
                account.password.clone().map(|password| (*id, password))
            }
            AddressOwner::Alias(_) => None,
        }
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

#[cfg(test)]
mod tests {
    use message::id::Id;

    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text.as_bytes()).unwrap()
    }

    fn account(number: u8) -> AccountId {
        AccountId::new(Id::from_bytes([number; 16]))
    }

    /// alice is 1, bob is 2, and there are aliases of every kind.
    fn snapshot() -> Snapshot {
        let domain = |name: &str| DomainName::parse_utf8(name).unwrap();
        let alias =
            |targets: &[&str]| AddressOwner::Alias(targets.iter().map(|text| address(text)).collect());
        let addresses = [
            ("alice@example.org", AddressOwner::Account(account(1))),
            ("bob@example.org", AddressOwner::Account(account(2))),
            ("gone@example.org", AddressOwner::Account(account(3))),
            ("bob+work@example.org", AddressOwner::Account(account(1))),
            (
                "team@example.org",
                alias(&["alice@example.org", "bob@example.org", "alice@other.example"]),
            ),
            ("all@example.org", alias(&["team@example.org", "bob@example.org"])),
            ("dead@example.org", alias(&["nobody@example.org"])),
            ("round@example.org", alias(&["about@example.org"])),
            (
                "about@example.org",
                alias(&["round@example.org", "alice@example.org"]),
            ),
        ];
        let known = |number| {
            let inbox = MailboxId::new(Id::from_bytes([number; 16]));
            (
                account(number),
                Account {
                    password: None,
                    inbox,
                },
            )
        };
        Snapshot {
            domains: HashMap::from([
                (domain("example.org"), None),
                (domain("other.example"), Some(address("bob@example.org"))),
            ]),
            discarded: HashSet::from([domain("bench.test")]),
            addresses: addresses
                .into_iter()
                .map(|(text, owner)| (address(text).lookup_key(), owner))
                .collect(),
            accounts: HashMap::from([known(1), known(2)]),
        }
    }

    #[test]
    fn mail_goes_where_the_directory_says() {
        let snapshot = snapshot();
        let to =
            |numbers: &[u8]| Resolution::Accounts(numbers.iter().map(|number| account(*number)).collect());
        for (text, expected) in [
            ("alice@example.org", to(&[1])),
            ("ALICE@EXAMPLE.ORG", to(&[1])),
            ("alice+tag@example.org", to(&[1])),
            // An address of its own goes before the one without its tag.
            ("bob+work@example.org", to(&[1])),
            ("bob+play@example.org", to(&[2])),
            ("team@example.org", to(&[1, 2])),
            ("team+tag@example.org", to(&[1, 2])),
            ("all@example.org", to(&[1, 2])),
            ("anyone@other.example", to(&[2])),
            ("nobody@example.org", Resolution::Unknown),
            ("gone@example.org", Resolution::Unknown),
            ("dead@example.org", Resolution::Unknown),
            ("round@example.org", Resolution::Unclear),
            ("alice@elsewhere.example", Resolution::Foreign),
            ("alice@[192.0.2.1]", Resolution::Foreign),
            ("whoever@bench.test", Resolution::Discard),
        ] {
            assert_eq!(snapshot.resolve(&address(text)), expected, "{text}");
        }
    }

    #[test]
    fn an_address_that_stands_for_too_many_is_unclear() {
        let mut snapshot = snapshot();
        let targets = (0..=MAX_ACCOUNTS_PER_ADDRESS).map(|_| address("alice@example.org"));
        let owner = AddressOwner::Alias(targets.collect());
        snapshot.addresses.insert("many@example.org".to_owned(), owner);
        assert_eq!(
            snapshot.resolve(&address("many@example.org")),
            Resolution::Unclear
        );
    }

    #[test]
    fn nobody_logs_in_without_a_password_or_by_an_alias() {
        let snapshot = snapshot();
        for name in ["alice@example.org", "team@example.org", "nobody@example.org"] {
            assert_eq!(snapshot.login(name), None, "{name}");
        }
    }
}
