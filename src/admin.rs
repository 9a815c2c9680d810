//! Admin: what the command line and the first start change in the directory of a store that no server has open.

use actors::{
    clock::Clock,
    mint::Mint,
    tree::{DEFAULT_TENANT, DEFAULT_TENANT_NAME},
};
use anyhow::{Context, bail};
pub use auth::Secret;
use auth::{Cost, PasswordHash};
use config::Config;
use message::{
    address::{Domain, DomainName, EmailAddress},
    id::AccountId,
};
use store::{
    apply::{Outcome, Rejected, rejected::Noun},
    command::{
        Command, CreateAccount, CreateDomain, CreateTenant, DeleteAccount, NewMailbox, Proposal, SetPassword,
    },
    propose::ProposeError,
    read::{directory, mailbox},
    record::{directory::AddressOwner, state::Limits},
    store::Store,
};

/// Changes the directory.
pub struct Admin<'a> {
    store: &'a Store,
    clock: Clock,
    mint: Mint,
    cost: Cost,
}

/// An account, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its login.
    pub address: EmailAddress,
    /// Messages in all its mailboxes.
    pub messages: u64,
    /// Octets of them.
    pub octets: u64,
}

impl<'a> Admin<'a> {
    /// An administrator of a store, with the cost of passwords that the configuration names.
    ///
    /// # Errors
    /// When the configuration asks for a cost that Argon2 does not know.
    pub fn new(store: &'a Store, config: &Config) -> anyhow::Result<Self> {
        let clock = Clock::system();
        let auth = &config.auth;
        let memory_kib = u32::try_from(auth.argon2_memory.as_bytes() / 1024).unwrap_or(u32::MAX);
        let cost = Cost::new(memory_kib, auth.argon2_iterations, auth.argon2_parallelism)?;
        Ok(Self {
            store,
            clock,
            mint: Mint::new(clock, config.server.node),
            cost,
        })
    }
}

impl Admin<'_> {
    /// Makes the tenant that exists always, unless it is there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn ensure_tenant(&self) -> anyhow::Result<()> {
        let create = CreateTenant {
            tenant: DEFAULT_TENANT,
            name: DEFAULT_TENANT_NAME.to_owned(),
            limits: Limits::default(),
            max_accounts: None,
        };
        self.unless_there(Command::CreateTenant(create)).await
    }

    /// Adds an account with its first mailboxes, and its domain if that is new.
    ///
    /// # Errors
    /// When the address is taken, its domain is no name, or the store cannot be written.
    pub async fn add(&self, address: EmailAddress, password: &Secret) -> anyhow::Result<()> {
        let Domain::Name(domain) = address.domain() else {
            bail!("an account needs a domain name, not an address literal");
        };
        let password = self.hash(password)?;
        self.ensure_tenant().await?;
        self.ensure_domain(domain.clone()).await?;
        let create = CreateAccount {
            tenant: DEFAULT_TENANT,
            account: self.mint.id(),
            address: address.clone(),
            password: Some(password),
            limits: Limits::default(),
            mailboxes: NewMailbox::first(std::array::from_fn(|_| self.mint.id())),
        };
        match self.propose(Command::CreateAccount(create)).await {
            Err(ProposeError::Rejected(Rejected::Exists(Noun::Address))) => bail!("{address} is taken"),
            other => other.map(|_| ()).with_context(|| format!("cannot add {address}")),
        }
    }

    /// Removes an account with its mailboxes; its messages leave the disk later.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read or written.
    pub async fn delete(&self, address: &EmailAddress) -> anyhow::Result<()> {
        let (account, address) = self.find(address)?;
        let snapshot = self.store.snapshot();
        let state = directory::account_state(&snapshot, DEFAULT_TENANT, account)?
            .context("the account has no state")?;
        let mailboxes = mailbox::names(&snapshot, DEFAULT_TENANT, account)?;
        let delete = DeleteAccount {
            tenant: DEFAULT_TENANT,
            account,
            address: address.clone(),
            mailboxes: mailboxes.into_iter().map(|(name, id)| (id, name)).collect(),
            list_modseq: state.list_modseq,
        };
        let deleted = self.propose(Command::DeleteAccount(delete)).await;
        deleted
            .map(|_| ())
            .with_context(|| format!("cannot delete {address}"))
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read or written.
    pub async fn set_password(&self, address: &EmailAddress, password: &Secret) -> anyhow::Result<()> {
        let (account, address) = self.find(address)?;
        let password = Some(self.hash(password)?);
        let set = Command::SetPassword(SetPassword {
            tenant: DEFAULT_TENANT,
            account,
            password,
        });
        self.propose(set)
            .await
            .map(|_| ())
            .with_context(|| format!("cannot set the password of {address}"))
    }

    /// All accounts, in the order of their addresses.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&self) -> anyhow::Result<Vec<Account>> {
        let snapshot = self.store.snapshot();
        let mut accounts = Vec::new();
        let mut entries = Vec::new();
        directory::accounts(&snapshot, DEFAULT_TENANT, |entry| entries.push(entry))?;
        for entry in entries {
            let state = directory::account_state(&snapshot, DEFAULT_TENANT, entry.id)?;
            let usage = state.map(|state| state.usage).unwrap_or_default();
            let (messages, octets) = (usage.messages, usage.octets);
            accounts.push(Account {
                address: entry.account.address,
                messages,
                octets,
            });
        }
        accounts.sort_by_key(|account| account.address.lookup_key());
        Ok(accounts)
    }

    fn find(&self, address: &EmailAddress) -> anyhow::Result<(AccountId, EmailAddress)> {
        let found = directory::address(&self.store.snapshot(), DEFAULT_TENANT, &address.lookup_key())?;
        match found.map(|found| (found.owner, found.address)) {
            Some((AddressOwner::Account(account), address)) => Ok((account, address)),
            Some((AddressOwner::Alias(_), _)) => bail!("{address} is an alias, not an account"),
            None => bail!("there is no account {address}"),
        }
    }

    fn hash(&self, password: &Secret) -> anyhow::Result<String> {
        Ok(PasswordHash::create(password, rand::random(), self.cost)?.to_phc())
    }

    async fn ensure_domain(&self, name: DomainName) -> anyhow::Result<()> {
        let create = CreateDomain {
            tenant: DEFAULT_TENANT,
            name,
            catch_all: None,
        };
        self.unless_there(Command::CreateDomain(create)).await
    }

    async fn unless_there(&self, command: Command) -> anyhow::Result<()> {
        match self.propose(command).await {
            Ok(_) | Err(ProposeError::Rejected(Rejected::Exists(_))) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        self.store
            .propose(Proposal::new(self.mint.id(), self.clock.timestamp(), command))
            .await
    }
}
