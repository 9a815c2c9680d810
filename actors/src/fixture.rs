//! Fixture: a store in memory with one account, for the tests of actors that are alone.

use std::sync::Arc;

use auth::{Cost, PasswordHash, ScramVerifier, Secret};
use config::{ByteSize, Config, Profile};
use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, NodeId},
};
use store::{
    command::{Command, CreateAccount, CreateDomain, CreateTenant, KeepDecoyKey, NewMailbox, Proposal},
    key::mailbox::MailboxKey,
    record::{directory::Password, state::Limits},
    store::Store,
};

use crate::{
    clock::Clock,
    mint::Mint,
    tree::{DEFAULT_TENANT, DEFAULT_TENANT_NAME},
};

/// The login of the account.
pub(crate) const LOGIN: &str = "alice@example.org";

/// Its password.
pub(crate) const PASSWORD: &str = "secret";

/// A store with one account.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) mint: Mint,
    pub(crate) config: Arc<Config>,
    pub(crate) account: AccountId,
    pub(crate) inbox: MailboxKey,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let clock = Clock::system();
        let mint = Mint::new(clock, NodeId::new(1));
        let mut config = Config::of(Profile::Development);
        config.auth.argon2_memory = ByteSize::kib(64);
        config.auth.argon2_iterations = 1;
        let mailboxes = NewMailbox::first(std::array::from_fn(|_| mint.id()));
        let account = mint.id();
        let fixture = Self {
            store: Store::memory().unwrap(),
            clock,
            config: Arc::new(config),
            account,
            inbox: MailboxKey {
                tenant: DEFAULT_TENANT,
                account,
                mailbox: mailboxes[0].id,
            },
            mint,
        };
        fixture.fill(mailboxes).await;
        fixture
    }

    async fn fill(&self, mailboxes: Vec<NewMailbox>) {
        let cost = Cost::new(64, 1, 1).unwrap();
        let password = PasswordHash::create(&Secret::new(PASSWORD), [7; 16], cost).unwrap();
        let scram = ScramVerifier::create(&Secret::new(PASSWORD), [7; 16], 4096).unwrap();
        for command in [
            Command::KeepDecoyKey(KeepDecoyKey { key: [7; 32] }),
            Command::CreateTenant(CreateTenant {
                tenant: DEFAULT_TENANT,
                name: DEFAULT_TENANT_NAME.to_owned(),
                limits: Limits::default(),
                max_accounts: None,
            }),
            Command::CreateDomain(CreateDomain {
                tenant: DEFAULT_TENANT,
                name: DomainName::parse_utf8("example.org").unwrap(),
                catch_all: None,
            }),
            Command::CreateAccount(CreateAccount {
                tenant: DEFAULT_TENANT,
                account: self.account,
                address: EmailAddress::parse(LOGIN.as_bytes()).unwrap(),
                password: Some(Password {
                    hash: password.to_phc(),
                    scram: Some(scram.to_text()),
                }),
                limits: Limits::default(),
                mailboxes,
            }),
        ] {
            self.store.propose(self.proposal(command)).await.unwrap();
        }
    }

    pub(crate) fn proposal(&self, command: Command) -> Proposal {
        Proposal::new(self.mint.id(), self.clock.timestamp(), command)
    }
}
