//! Admin: what the command line and the first start change in the directory of a store that no server has open.

use std::time::Duration;

use actors::{
    clock::Clock,
    mint::Mint,
    tree::{DEFAULT_TENANT, DEFAULT_TENANT_NAME},
};
use anyhow::{Context, bail};
pub use auth::Secret;
use auth::{AppPassword, Cost, PasswordHash, ScramVerifier, VerifierError};
use config::Config;
use message::{
    address::{Domain, DomainName, EmailAddress},
    id::AccountId,
};
use store::{
    apply::{Outcome, Rejected, rejected::Noun},
    command::{
        AddAppPassword, AddIdentity, Command, CreateAccount, CreateDomain, CreateTenant, DeleteAccount,
        KeepDecoyKey, NewMailbox, Proposal, RemoveAppPassword, RemoveIdentity, SetPassword,
    },
    propose::ProposeError,
    read::{directory, mailbox},
    record::{
        directory::{self as records, AddressOwner, Identity, Password, Protocol},
        state::Limits,
    },
    store::Store,
};

/// Changes the directory.
pub struct Admin<'a> {
    store: &'a Store,
    clock: Clock,
    mint: Mint,
    cost: Cost,
    /// Iterations of the SCRAM verifiers that passwords get; none when they get none.
    scram: Option<u32>,
}

/// Whether a password can be proven by SCRAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scram {
    /// It can.
    Kept,
    /// It could, but the configuration wants no verifier kept.
    Off,
    /// It has characters that SASLprep forbids.
    Impossible,
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

/// A program that gets a password of its own.
#[derive(Clone, Debug)]
pub struct Program {
    /// What the password is called.
    pub name: String,
    /// What it opens; everything when none is named.
    pub protocols: Vec<Protocol>,
    /// How long it is good; for ever without.
    pub lifetime: Option<Duration>,
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
            scram: auth.scram.then_some(auth.scram_iterations),
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

    /// Makes the key of decoys, unless it is there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn ensure_decoy_key(&self) -> anyhow::Result<()> {
        let key = rand::random();
        self.unless_there(Command::KeepDecoyKey(KeepDecoyKey { key }))
            .await
    }

    /// Adds an account with its first mailboxes, and its domain if that is new.
    ///
    /// # Errors
    /// When the address is taken, its domain is no name, or the store cannot be written.
    pub async fn add(&self, address: EmailAddress, password: &Secret) -> anyhow::Result<Scram> {
        let Domain::Name(domain) = address.domain() else {
            bail!("an account needs a domain name, not an address literal");
        };
        if address.detail().is_some() {
            bail!("an account has no +tag: it gets the mail of all of them");
        }
        let (password, scram) = self.password(password)?;
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
            other => other
                .map(|_| scram)
                .with_context(|| format!("cannot add {address}")),
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
    pub async fn set_password(&self, address: &EmailAddress, password: &Secret) -> anyhow::Result<Scram> {
        let (account, address) = self.find(address)?;
        let (password, scram) = self.password(password)?;
        let password = Some(password);
        let set = Command::SetPassword(SetPassword {
            tenant: DEFAULT_TENANT,
            account,
            password,
        });
        self.propose(set)
            .await
            .map(|_| scram)
            .with_context(|| format!("cannot set the password of {address}"))
    }

    /// Makes a password for one program. It can be read only here.
    ///
    /// # Errors
    /// When there is no such account, it has a password of this name or too many, or the store cannot be written.
    pub async fn add_app_password(
        &self,
        address: &EmailAddress,
        new: Program,
    ) -> anyhow::Result<AppPassword> {
        let (account, address) = self.find(address)?;
        let password = AppPassword::generate(rand::random());
        let created = self.clock.timestamp();
        let add = Command::AddAppPassword(AddAppPassword {
            tenant: DEFAULT_TENANT,
            account,
            app_password: records::AppPassword {
                name: new.name,
                hash: password.hash(),
                protocols: (!new.protocols.is_empty()).then_some(new.protocols),
                created,
                expires: new.lifetime.map(|lifetime| created + lifetime),
            },
        });
        self.propose(add)
            .await
            .map(|_| password)
            .with_context(|| format!("cannot add a password to {address}"))
    }

    /// Takes the password of a program away.
    ///
    /// # Errors
    /// When there is no such account or password, or the store cannot be written.
    pub async fn remove_app_password(&self, address: &EmailAddress, name: &str) -> anyhow::Result<()> {
        let (account, address) = self.find(address)?;
        let remove = Command::RemoveAppPassword(RemoveAppPassword {
            tenant: DEFAULT_TENANT,
            account,
            name: name.to_owned(),
        });
        let removed = self.propose(remove).await;
        removed
            .map(|_| ())
            .with_context(|| format!("cannot remove the password {name:?} of {address}"))
    }

    /// Lets an account send as somebody.
    ///
    /// # Errors
    /// When there is no such account, the domain is not ours, or the store cannot be written.
    pub async fn add_identity(&self, address: &EmailAddress, identity: Identity) -> anyhow::Result<()> {
        let (account, address) = self.find(address)?;
        let context = format!("cannot let {address} send as {identity}");
        let add = Command::AddIdentity(AddIdentity {
            tenant: DEFAULT_TENANT,
            account,
            identity,
        });
        self.propose(add).await.map(|_| ()).context(context)
    }

    /// Lets an account send as somebody no longer.
    ///
    /// # Errors
    /// When there is no such account or identity, or the store cannot be written.
    pub async fn remove_identity(&self, address: &EmailAddress, identity: Identity) -> anyhow::Result<()> {
        let (account, address) = self.find(address)?;
        let context = format!("cannot take {identity} from {address}");
        let remove = Command::RemoveIdentity(RemoveIdentity {
            tenant: DEFAULT_TENANT,
            account,
            identity,
        });
        self.propose(remove).await.map(|_| ()).context(context)
    }

    /// What is on record of an account.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read.
    pub fn record(&self, address: &EmailAddress) -> anyhow::Result<records::Account> {
        let (account, _) = self.find(address)?;
        directory::account(&self.store.snapshot(), DEFAULT_TENANT, account)?.context("the account is gone")
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

    fn password(&self, password: &Secret) -> anyhow::Result<(Password, Scram)> {
        let prepared = auth::prepared::for_hash(password.clone());
        let hash = PasswordHash::create(&prepared, rand::random(), self.cost)?.to_phc();
        let verifier = self
            .scram
            .map(|iterations| ScramVerifier::create(password, rand::random(), iterations));
        let (scram, kept) = match verifier {
            Some(Ok(verifier)) => (Some(verifier.to_text()), Scram::Kept),
            Some(Err(VerifierError::Password)) => (None, Scram::Impossible),
            Some(Err(why)) => return Err(why.into()),
            None => (None, Scram::Off),
        };
        Ok((Password { hash, scram }, kept))
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
