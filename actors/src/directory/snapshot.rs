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
    record::directory::{self as records, AddressOwner, AppPassword, Identity},
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
    /// What is shown of those who are not here; none before the first start has made their key.
    decoys: Option<Arc<Decoys>>,
}

struct Account {
    credentials: Arc<Credentials>,
    /// The keys of the addresses that it may send as, its own the first.
    addresses: Vec<String>,
    /// The domains of which it may send as any address.
    domains: Vec<DomainName>,
    inbox: MailboxId,
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
        snapshot.decoys = snapshot.make_decoys(reader, scope)?;
        Ok(snapshot)
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

    /// The account that logs in under a normalised name, and what opens it.
    #[must_use]
    pub fn login(&self, name: &str) -> Option<(AccountId, Arc<Credentials>)> {
        match self.addresses.get(name)? {
            AddressOwner::Account(id) => {
                let account = self.accounts.get(id)?;
                Some((*id, Arc::clone(&account.credentials)))
            }
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
            domains: Vec::new(),
            inbox,
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
mod tests {
    use message::{id::Id, time::Timestamp};

    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text.as_bytes()).unwrap()
    }

    fn account(number: u8) -> AccountId {
        AccountId::new(Id::from_bytes([number; 16]))
    }

    fn row(number: u8) -> records::Account {
        let (name, identities) = match number {
            1 => ("alice", Vec::new()),
            _ => (
                "bob",
                ["sales@example.org", "@gone.example"].map(identity).to_vec(),
            ),
        };
        records::Account {
            address: address(&format!("{name}@example.org")),
            password: None,
            app_passwords: Vec::new(),
            identities,
            created: Timestamp::from_millis(0),
        }
    }

    fn identity(text: &str) -> Identity {
        match text.strip_prefix('@') {
            Some(domain) => Identity::Domain(DomainName::parse_utf8(domain).unwrap()),
            None => Identity::Address(address(text)),
        }
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
            (account(number), Account::new(row(number), inbox))
        };
        Snapshot {
            decoys: None,
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
    fn an_account_sends_as_itself_and_its_identities() {
        let snapshot = snapshot();
        let check = |number, text: &str, expected| {
            assert_eq!(
                snapshot.may_send_as(account(number), &address(text)),
                expected,
                "{number} {text}"
            );
        };
        check(1, "alice@example.org", true);
        check(1, "Alice+x@Example.org", true);
        check(1, "bob@example.org", false);
        check(1, "team@example.org", false);
        // Its identities: an address, and a domain that is not ours any more.
        check(2, "sales@example.org", true);
        check(2, "Sales+x@example.org", true);
        check(2, "alice@example.org", false);
        // Its own without the tag, but somebody else's as it is.
        check(2, "bob+play@example.org", true);
        check(2, "bob+work@example.org", false);
        check(2, "anyone@gone.example", false);
        check(2, "bob@[127.0.0.1]", false);
        check(9, "alice@example.org", false);
    }

    #[test]
    fn a_domain_as_identity_is_every_address_of_it() {
        let mut snapshot = snapshot();
        snapshot
            .domains
            .insert(DomainName::parse_utf8("gone.example").unwrap(), None);
        assert!(snapshot.may_send_as(account(2), &address("anyone+x@gone.example")));
        assert!(!snapshot.may_send_as(account(1), &address("anyone@gone.example")));
    }

    #[test]
    fn nobody_logs_in_without_a_password_or_by_an_alias() {
        let snapshot = snapshot();
        for name in ["team@example.org", "nobody@example.org"] {
            assert!(snapshot.login(name).is_none(), "{name}");
        }
        let (id, credentials) = snapshot.login("alice@example.org").unwrap();
        assert_eq!(id, account(1));
        assert!(credentials.password.is_none() && credentials.app_passwords.is_empty());
    }
}
