//! A store with one account, and messages for it.

use message::{
    address::{DomainName, EmailAddress, ReversePath},
    envelope::{BodyKind, MailOptions, RecipientOptions},
    id::{AccountId, BlobId, CommandId, Id, MailboxId, MessageId, NodeId, TenantId},
    time::Timestamp,
};
use store::{
    blob::SealedBlob,
    command::{
        Accept, Addressee, Command, CreateAccount, CreateDomain, CreateTenant, DEFAULT_TENANT, NewMailbox,
        Proposal, Spooled,
    },
    engine::Snapshot,
    key,
    record::{
        self,
        spool::{Arrival, Priority, Route, SpoolMessage},
        state::Limits,
    },
    store::Store,
};

pub(crate) const TENANT: TenantId = DEFAULT_TENANT;

/// Time of all tests.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The n-th id of a test; `kind` keeps ids of different nouns apart.
pub(crate) fn id(kind: u16, n: u64) -> Id {
    Id::compose(NOW, NodeId::new(0), (u64::from(kind) << 48) | n)
}

pub(crate) fn account() -> AccountId {
    AccountId::new(id(1, 0))
}

pub(crate) fn message(n: u64) -> MessageId {
    MessageId::new(id(3, n))
}

pub(crate) fn blob(n: u64) -> BlobId {
    BlobId::new(id(4, n))
}

pub(crate) fn accept_command(n: u64) -> CommandId {
    CommandId::new(id(5, n))
}

/// Creates the tenant, a domain and an account.
pub(crate) fn furnish(store: &Store) {
    let domain = DomainName::parse(b"example.org").unwrap();
    let commands = [
        Command::CreateTenant(CreateTenant {
            tenant: TENANT,
            name: "default".to_owned(),
            limits: Limits::default(),
            max_accounts: None,
        }),
        Command::CreateDomain(CreateDomain {
            tenant: TENANT,
            name: domain,
            catch_all: None,
        }),
        Command::CreateAccount(CreateAccount {
            tenant: TENANT,
            account: account(),
            address: EmailAddress::parse(b"anna@example.org").unwrap(),
            password: None,
            limits: Limits::default(),
            mailboxes: NewMailbox::first([0, 1, 2, 3, 4, 5].map(|n| MailboxId::new(id(2, n)))),
        }),
    ];
    for (n, command) in (0..).zip(commands) {
        let proposal = Proposal::new(CommandId::new(id(6, n)), NOW, command);
        wait(store.propose(proposal)).unwrap();
    }
}

/// A proposal that accepts the n-th message.
pub(crate) fn accept(n: u64, sealed: SealedBlob) -> Proposal {
    let spooled = Spooled {
        tenant: TENANT,
        message: message(n),
        reverse_path: ReversePath::Null,
        body: BodyKind::SevenBit,
        blob: sealed.blob.clone(),
        arrival: Arrival::new(NOW),
        priority: Priority::Normal,
        due: NOW,
        options: MailOptions::default(),
        recipients: vec![Addressee {
            address: EmailAddress::parse(b"anna@example.org").unwrap(),
            original: "<anna@example.org>".to_owned(),
            route: Route::Local(account()),
            options: RecipientOptions::default(),
        }],
    };
    let accept = Accept::new(
        spooled,
        sealed,
        "/listeners/mx/connections/1",
        "250 2.0.0 accepted",
    );
    Proposal::new(accept_command(n), NOW, Command::Accept(accept))
}

/// Octets of the n-th message: text-like, different for each.
pub(crate) fn octets(n: u64, length: usize) -> Vec<u8> {
    let line = format!(
        "This is line {n} of a message that goes on {}.\r\n",
        n.wrapping_mul(0x9e37_79b9)
    );
    line.bytes().cycle().take(length).collect()
}

/// Octets that no compression makes smaller.
pub(crate) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut noise = vec![0; length];
    blake3::Hasher::new()
        .update(&seed.to_be_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise
}

/// Writes a blob in pieces of no particular size.
pub(crate) async fn write_blob(store: &Store, n: u64, octets: &[u8]) -> SealedBlob {
    let mut writer = store.blob_writer(TENANT, blob(n));
    for piece in octets.chunks(10_007) {
        writer.push(piece).await.unwrap();
    }
    writer.seal()
}

/// A small message, accepted.
pub(crate) fn small(store: &Store, n: u64) -> Proposal {
    accept(n, wait(write_blob(store, n, &octets(n, 700))))
}

/// The n-th message as it stands in the spool.
pub(crate) fn spooled(store: &Store, n: u64) -> Option<SpoolMessage> {
    let key = key::spool::message(TENANT, message(n));
    let value = store.snapshot().get(&key).unwrap()?;
    Some(record::decode(&value).unwrap())
}

/// Waits for a future without a runtime around.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}
