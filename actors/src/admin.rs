//! Admin: what operators and the first start change of accounts, whether a server runs on the store or not. Sessions see
//! it through the change feed.

mod access;
mod rename;

use std::{fmt::Display, time::Duration};

pub use self::rename::Renaming;
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
        KeepDecoyKey, LimitAccount, NewMailbox, Proposal, RemoveAppPassword, RemoveIdentity, SetPassword,
    },
    engine::StoreError,
    propose::ProposeError,
    read::{ReadError, directory, mailbox},
    record::{
        directory::{self as records, AddressOwner, Identity, Password, Protocol},
        state::{AccountState, Limits},
    },
    store::Store,
};

use crate::{
    clock::Clock,
    mint::Mint,
    tree::{DEFAULT_TENANT, DEFAULT_TENANT_NAME},
};

/// Why something was not changed, as whoever asked is told it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AdminError(String);

/// Changes accounts.
#[derive(Clone)]
pub struct Admin {
    store: Store,
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

/// An account with what it has and may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which.
    pub id: AccountId,
    /// What is on record of it.
    pub record: records::Account,
    /// What it has and may have.
    pub state: AccountState,
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

impl Admin {
    /// An administrator of a store, with the cost of passwords that the configuration names.
    ///
    /// # Errors
    /// When the configuration asks for a cost that Argon2 does not know.
    pub fn new(store: &Store, config: &Config) -> Result<Self, AdminError> {
        let clock = Clock::system();
        Self::with(store, config, clock, Mint::new(clock, config.server.node))
    }

    /// The same with the clock and the mint of the process.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(store: &Store, config: &Config, clock: Clock, mint: Mint) -> Result<Self, AdminError> {
        let auth = &config.auth;
        let memory_kib = u32::try_from(auth.argon2_memory.as_bytes() / 1024).unwrap_or(u32::MAX);
        let cost = Cost::new(memory_kib, auth.argon2_iterations, auth.argon2_parallelism);
        Ok(Self {
            store: store.clone(),
            clock,
            mint,
            cost: cost.map_err(because("the configuration"))?,
            scram: auth.scram.then_some(auth.scram_iterations),
        })
    }

    /// Makes the tenant that exists always, unless it is there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn ensure_tenant(&self) -> Result<(), AdminError> {
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
    pub async fn ensure_decoy_key(&self) -> Result<(), AdminError> {
        let key = rand::random();
        self.unless_there(Command::KeepDecoyKey(KeepDecoyKey { key }))
            .await
    }

    /// Adds an account with its first mailboxes, and its domain if that is new.
    ///
    /// # Errors
    /// When the address is taken, its domain is no name, or the store cannot be written.
    pub async fn add(&self, address: EmailAddress, password: &Secret) -> Result<Scram, AdminError> {
        let domain = may_be_account(&address)?.clone();
        let (password, scram) = self.password(password).await?;
        self.ensure_tenant().await?;
        self.ensure_domain(domain).await?;
        let create = CreateAccount {
            tenant: DEFAULT_TENANT,
            account: self.mint.id(),
            address: address.clone(),
            password: Some(password),
            limits: Limits::default(),
            mailboxes: NewMailbox::first(std::array::from_fn(|_| self.mint.id())),
        };
        match self.propose(Command::CreateAccount(create)).await {
            Ok(_) => Ok(scram),
            Err(ProposeError::Rejected(Rejected::Exists(Noun::Address))) => {
                Err(AdminError(format!("{address} is taken")))
            }
            Err(why) => Err(because(&format!("cannot add {address}"))(why)),
        }
    }

    /// Removes an account with its mailboxes; its messages leave the disk later.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read or written.
    pub async fn delete(&self, address: &EmailAddress) -> Result<(), AdminError> {
        let Account { id, record, state } = self.find(address).await?;
        let mailboxes = self
            .read(move |store| mailbox::names(&store.snapshot(), DEFAULT_TENANT, id))
            .await??;
        let delete = DeleteAccount {
            tenant: DEFAULT_TENANT,
            account: id,
            address: record.address.clone(),
            mailboxes: mailboxes.into_iter().map(|(name, id)| (id, name)).collect(),
            list_modseq: state.list_modseq,
        };
        let deleted = self.propose(Command::DeleteAccount(delete)).await;
        done(deleted, format!("cannot delete {}", record.address))
    }

    /// Gives an account another password.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read or written.
    pub async fn set_password(&self, address: &EmailAddress, password: &Secret) -> Result<Scram, AdminError> {
        let account = self.find(address).await?;
        let (password, scram) = self.password(password).await?;
        let set = self
            .propose(Command::SetPassword(SetPassword {
                tenant: DEFAULT_TENANT,
                account: account.id,
                password: Some(password),
            }))
            .await;
        let failed = format!("cannot set the password of {}", account.record.address);
        done(set, failed).map(|()| scram)
    }

    /// Says what an account may store.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read or written.
    pub async fn limit(&self, address: &EmailAddress, limits: Limits) -> Result<(), AdminError> {
        let account = self.find(address).await?;
        let limited = self
            .propose(Command::LimitAccount(LimitAccount {
                tenant: DEFAULT_TENANT,
                account: account.id,
                limits,
            }))
            .await;
        done(limited, format!("cannot limit {}", account.record.address))
    }

    /// Makes a password for one program. It can be read only here.
    ///
    /// # Errors
    /// When there is no such account, it has a password of this name or too many, or the store cannot be written.
    pub async fn add_app_password(
        &self,
        address: &EmailAddress,
        new: Program,
    ) -> Result<AppPassword, AdminError> {
        let account = self.find(address).await?;
        let password = AppPassword::generate(rand::random());
        let created = self.clock.timestamp();
        let added = self
            .propose(Command::AddAppPassword(AddAppPassword {
                tenant: DEFAULT_TENANT,
                account: account.id,
                app_password: records::AppPassword {
                    name: new.name,
                    hash: password.hash(),
                    protocols: (!new.protocols.is_empty()).then_some(new.protocols),
                    created,
                    expires: new.lifetime.map(|lifetime| created + lifetime),
                },
            }))
            .await;
        let failed = format!("cannot add a password to {}", account.record.address);
        done(added, failed).map(|()| password)
    }

    /// Takes the password of a program away.
    ///
    /// # Errors
    /// When there is no such account or password, or the store cannot be written.
    pub async fn remove_app_password(&self, address: &EmailAddress, name: &str) -> Result<(), AdminError> {
        let account = self.find(address).await?;
        let removed = self
            .propose(Command::RemoveAppPassword(RemoveAppPassword {
                tenant: DEFAULT_TENANT,
                account: account.id,
                name: name.to_owned(),
            }))
            .await;
        let address = account.record.address;
        done(
            removed,
            format!("cannot remove the password {name:?} of {address}"),
        )
    }

    /// Lets an account send as somebody.
    ///
    /// # Errors
    /// When there is no such account, the domain is not ours, or the store cannot be written.
    pub async fn add_identity(&self, address: &EmailAddress, identity: Identity) -> Result<(), AdminError> {
        let account = self.find(address).await?;
        let failed = format!("cannot let {} send as {identity}", account.record.address);
        let added = self
            .propose(Command::AddIdentity(AddIdentity {
                tenant: DEFAULT_TENANT,
                account: account.id,
                identity,
            }))
            .await;
        done(added, failed)
    }

    /// Lets an account send as somebody no longer.
    ///
    /// # Errors
    /// When there is no such account or identity, or the store cannot be written.
    pub async fn remove_identity(
        &self,
        address: &EmailAddress,
        identity: Identity,
    ) -> Result<(), AdminError> {
        let account = self.find(address).await?;
        let failed = format!("cannot take {identity} from {}", account.record.address);
        let removed = self
            .propose(Command::RemoveIdentity(RemoveIdentity {
                tenant: DEFAULT_TENANT,
                account: account.id,
                identity,
            }))
            .await;
        done(removed, failed)
    }

    /// An account with what it has and may have.
    ///
    /// # Errors
    /// When there is no such account, or the store cannot be read.
    pub async fn find(&self, address: &EmailAddress) -> Result<Account, AdminError> {
        let address = address.clone();
        self.read(move |store| find(store, &address)).await?
    }

    /// All accounts, in the order of their addresses.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self) -> Result<Vec<Account>, AdminError> {
        self.read(list).await?
    }

    /// Whether an account can have this address, as far as the address itself says.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(address: &EmailAddress) -> Result<(), AdminError> {
        may_be_account(address).map(drop)
    }

    /// Reads on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, AdminError> {
        let store = self.store.clone();
        let read = tokio::task::spawn_blocking(move || read(&store)).await;
        read.map_err(because("the store cannot be read"))
    }

    /// What a password is verified by. Made on a thread that may take its time.
    async fn password(&self, password: &Secret) -> Result<(Password, Scram), AdminError> {
        let (password, cost, scram) = (password.clone(), self.cost, self.scram);
        let made = tokio::task::spawn_blocking(move || verifiers(&password, cost, scram)).await;
        made.map_err(because("the password"))?
    }

    async fn ensure_domain(&self, name: DomainName) -> Result<(), AdminError> {
        let create = CreateDomain {
            tenant: DEFAULT_TENANT,
            name,
            catch_all: None,
        };
        self.unless_there(Command::CreateDomain(create)).await
    }

    async fn unless_there(&self, command: Command) -> Result<(), AdminError> {
        match self.propose(command).await {
            Ok(_) | Err(ProposeError::Rejected(Rejected::Exists(_))) => Ok(()),
            Err(why) => Err(AdminError(why.to_string())),
        }
    }

    async fn propose(&self, command: Command) -> Result<Outcome, ProposeError> {
        self.store
            .propose(Proposal::new(self.mint.id(), self.clock.timestamp(), command))
            .await
    }
}

impl From<ReadError> for AdminError {
    fn from(why: ReadError) -> Self {
        Self(why.to_string())
    }
}

impl From<StoreError> for AdminError {
    fn from(why: StoreError) -> Self {
        Self(why.to_string())
    }
}

/// What failed, and why.
fn because<E: Display>(what: &str) -> impl FnOnce(E) -> AdminError + use<'_, E> {
    move |why| AdminError(format!("{what}: {why}"))
}

fn done(outcome: Result<Outcome, ProposeError>, failed: String) -> Result<(), AdminError> {
    outcome.map(drop).map_err(because(&failed))
}

/// The domain of an address that an account may have.
fn may_be_account(address: &EmailAddress) -> Result<&DomainName, AdminError> {
    let refused = |why: &str| Err(AdminError(why.to_owned()));
    match address.domain() {
        Domain::Name(_) if address.detail().is_some() => {
            refused("an account has no +tag: it gets the mail of all of them")
        }
        Domain::Name(domain) => Ok(domain),
        Domain::Literal(_) => refused("an account needs a domain name, not an address literal"),
    }
}

/// Blocks.
fn find(store: &Store, address: &EmailAddress) -> Result<Account, AdminError> {
    let snapshot = store.snapshot();
    let found = directory::address(&snapshot, DEFAULT_TENANT, &address.lookup_key())?;
    let id = match found.map(|found| found.owner) {
        Some(AddressOwner::Account(account)) => account,
        Some(AddressOwner::Alias(_)) => {
            return Err(AdminError(format!("{address} is an alias, not an account")));
        }
        None => return Err(AdminError(format!("there is no account {address}"))),
    };
    let record = directory::account(&snapshot, DEFAULT_TENANT, id)?;
    let state = directory::account_state(&snapshot, DEFAULT_TENANT, id)?;
    match record.zip(state) {
        Some((record, state)) => Ok(Account { id, record, state }),
        None => Err(AdminError(format!("the account {address} has no state"))),
    }
}

/// Blocks.
fn list(store: &Store) -> Result<Vec<Account>, AdminError> {
    let snapshot = store.snapshot();
    let mut entries = Vec::new();
    directory::accounts(&snapshot, DEFAULT_TENANT, |entry| entries.push(entry))?;
    let mut accounts = Vec::with_capacity(entries.len());
    for entry in entries {
        // One without a state is a finding of `check store`.
        if let Some(state) = directory::account_state(&snapshot, DEFAULT_TENANT, entry.id)? {
            accounts.push(Account {
                id: entry.id,
                record: entry.account,
                state,
            });
        }
    }
    accounts.sort_by_cached_key(|account| account.record.address.lookup_key());
    Ok(accounts)
}

/// Takes its time.
fn verifiers(password: &Secret, cost: Cost, scram: Option<u32>) -> Result<(Password, Scram), AdminError> {
    let prepared = auth::prepared::for_hash(password.clone());
    let hash = PasswordHash::create(&prepared, rand::random(), cost).map_err(because("the password"))?;
    let verifier = scram.map(|iterations| ScramVerifier::create(password, rand::random(), iterations));
    let (scram, kept) = match verifier {
        Some(Ok(verifier)) => (Some(verifier.to_text()), Scram::Kept),
        Some(Err(VerifierError::Password)) => (None, Scram::Impossible),
        Some(Err(why)) => return Err(because("the password")(why)),
        None => (None, Scram::Off),
    };
    let hash = hash.to_phc();
    Ok((Password { hash, scram }, kept))
}
