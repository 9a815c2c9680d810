//! Spoiled: an account whose record says that its last change has been made. No append to it can be numbered, which a
//! delivery takes for records that contradict each other: it crashes, as it must.

use std::path::Path;

use anyhow::{Context, ensure};
use message::id::{AccountId, MessageId, TenantId};
use store::{
    batch::Op,
    engine::{Engine as _, Snapshot as _, fjall::FjallEngine},
    key::mailbox::account_state,
    read::{directory, spool},
    record::{
        self,
        directory::AddressOwner,
        mailbox::ModSeq,
        spool::{RecipientNumber, RecipientState},
        state::AccountState,
    },
};

use super::PROMISE;
use crate::{
    home::{Home, address},
    promise::Broken,
};

/// The tenant that everybody belongs to.
const TENANT: TenantId = TenantId::new(1);

/// Memory for reading a few records.
const CACHE: u64 = 1 << 20;

/// Damages the record of an account, beneath a store that nobody has open.
pub(super) fn spoil(home: &Home, account: usize) -> anyhow::Result<()> {
    let engine = engine(&home.data())?;
    let snapshot = engine.snapshot();
    let found = directory::address(&snapshot, TENANT, &address(account))?;
    let owner: AccountId = match found.map(|address| address.owner) {
        Some(AddressOwner::Account(account)) => account,
        Some(AddressOwner::Alias(_)) | None => anyhow::bail!("nobody has the address {}", address(account)),
    };
    let key = account_state(TENANT, owner);
    let octets = snapshot.get(&key)?.context("an account without a state")?;
    let mut state: AccountState = record::decode(&octets)?;
    state.modseq = ModSeq::new(u64::MAX);
    engine.write(vec![Op::Put(key, record::encode(&state)?)], true)?;
    Ok(())
}

/// Whether the message is still in the store of a server that has ended, kept for an operator with a sentence that says
/// why.
pub(super) fn check_held(home: &Home, poison: MessageId) -> anyhow::Result<()> {
    let snapshot = engine(&home.data())?.snapshot();
    let recipient = spool::recipient(&snapshot, TENANT, poison, RecipientNumber::new(0))?;
    let how = match recipient.map(|view| view.recipient.state) {
        Some(RecipientState::Held { why, .. }) if why.contains("crashed") => return Ok(()),
        Some(RecipientState::Held { why, .. }) => format!("{poison} is held, because {why:?}"),
        Some(RecipientState::Due(_)) => format!("{poison} is due again"),
        None => format!("{poison} is gone"),
    };
    Err(Broken::new(PROMISE, how).into())
}

fn engine(data: &Path) -> anyhow::Result<FjallEngine> {
    let store = data.join("store");
    ensure!(store.is_dir(), "there is no store in {}", data.display());
    Ok(FjallEngine::open(&store, CACHE)?)
}
