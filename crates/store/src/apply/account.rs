//! Accounts: create, delete, password, limits.

use std::collections::BTreeSet;

use message::time::Timestamp;

use super::{
    Change, Outcome, Rejected, bounded, domain,
    draft::Draft,
    mailbox::{self, Owner},
    rejected::Noun,
};
use crate::{
    command::{CreateAccount, DeleteAccount, LimitAccount, SetPassword, mailbox::MAX_MAILBOXES},
    key::{
        Key,
        directory::{account, address},
        mailbox::{MailboxKey, account_state, name, tenant_state},
    },
    record::{
        directory::{Account, Address, AddressOwner, MAX_PASSWORD_OCTETS, MAX_SCRAM_OCTETS, Password},
        mailbox::{ModSeq, Named, UidValidity},
        state::{AccountState, TenantState, Usage},
    },
};

/// How many mailboxes an account may begin with.
const MAX_FIRST_MAILBOXES: usize = 100;

pub(super) fn create_footprint(command: &CreateAccount, keys: &mut Vec<Key>) {
    keys.push(tenant_state(command.tenant));
    keys.push(account(command.tenant, command.account));
    keys.push(address(command.tenant, &command.address.lookup_key()));
    domain::footprint_of(command.tenant, &command.address, keys);
    for mailbox in command.mailboxes.iter().take(MAX_FIRST_MAILBOXES) {
        mailbox::new_footprint(command.tenant, command.account, mailbox, keys);
    }
}

pub(super) fn create(
    command: &CreateAccount,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    check(command)?;
    let mut tenant: TenantState = draft.need(&tenant_state(command.tenant), Rejected::NoSuchTenant)?;
    if tenant.max_accounts.is_some_and(|most| tenant.accounts >= most) {
        return Err(Rejected::OverQuota { whose: Noun::Tenant });
    }
    let address_key = address(command.tenant, &command.address.lookup_key());
    if draft.is_taken(&address_key)? {
        return Err(Rejected::Exists(Noun::Address));
    }
    let key = account(command.tenant, command.account);
    if draft.is_taken(&key)? {
        return Err(Rejected::Exists(Noun::Account));
    }
    domain::add_address(command.tenant, &command.address, draft)?;
    tenant.accounts = tenant.accounts.saturating_add(1);
    draft.put(tenant_state(command.tenant), &tenant)?;
    draft.put(key, &row(command, at))?;
    let owner = AddressOwner::Account(command.account);
    draft.put(
        address_key,
        &Address {
            address: command.address.clone(),
            owner,
        },
    )?;

    let mut state = first_state(command, &tenant, at);
    let owner = Owner {
        tenant: command.tenant,
        account: command.account,
    };
    for mailbox in &command.mailboxes {
        owner.add(&mut state, mailbox, at, draft)?;
    }
    draft.put(account_state(command.tenant, command.account), &state)?;
    draft.tell(Change::Account(command.tenant, command.account));
    draft.tell(Change::Address(command.tenant, command.address.clone()));
    Ok(Outcome::Done)
}

pub(super) fn delete_footprint(command: &DeleteAccount, keys: &mut Vec<Key>) {
    keys.push(tenant_state(command.tenant));
    keys.push(account(command.tenant, command.account));
    keys.push(account_state(command.tenant, command.account));
    domain::footprint_of(command.tenant, &command.address, keys);
    for (mailbox, text) in command.mailboxes.iter().take(MAX_MAILBOXES) {
        keys.push(name(command.tenant, command.account, text));
        keys.push(mailbox_key(command, *mailbox).state());
    }
}

pub(super) fn delete(command: &DeleteAccount, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("mailboxes", command.mailboxes.len(), MAX_MAILBOXES)?;
    let row: Account = draft.need(&account(command.tenant, command.account), Rejected::NoSuchAccount)?;
    let state_key = account_state(command.tenant, command.account);
    let state: AccountState = draft.need(&state_key, Rejected::NoSuchAccount)?;
    let mut tenant: TenantState = draft.need(&tenant_state(command.tenant), Rejected::NoSuchTenant)?;
    if row.address != command.address {
        return Err(Rejected::Stale("the account has another address"));
    }
    let mailboxes: BTreeSet<_> = command.mailboxes.iter().map(|(mailbox, _)| mailbox).collect();
    if state.list_modseq != command.list_modseq || mailboxes.len() != state.mailboxes as usize {
        return Err(Rejected::Stale("mailboxes have changed"));
    }
    bury_mailboxes(command, &state, draft)?;
    domain::drop_address(command.tenant, &command.address, draft)?;
    tenant.accounts = tenant.accounts.saturating_sub(1);
    tenant.usage = tenant.usage.minus(state.usage);
    tenant.next_uid_validity = tenant.next_uid_validity.max(state.next_uid_validity);
    draft.put(tenant_state(command.tenant), &tenant)?;
    draft.delete(account(command.tenant, command.account));
    draft.delete(address(command.tenant, &command.address.lookup_key()));
    draft.delete(state_key);
    draft.tell(Change::Account(command.tenant, command.account));
    draft.tell(Change::Address(command.tenant, command.address.clone()));
    Ok(Outcome::Done)
}

pub(super) fn password_footprint(command: &SetPassword, keys: &mut Vec<Key>) {
    keys.push(account(command.tenant, command.account));
}

pub(super) fn set_password(command: &SetPassword, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    check_password(command.password.as_ref())?;
    let key = account(command.tenant, command.account);
    let mut row: Account = draft.need(&key, Rejected::NoSuchAccount)?;
    row.password.clone_from(&command.password);
    draft.put(key, &row)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

pub(super) fn limit_footprint(command: &LimitAccount, keys: &mut Vec<Key>) {
    keys.push(account_state(command.tenant, command.account));
}

pub(super) fn limit(command: &LimitAccount, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    let key = account_state(command.tenant, command.account);
    let mut state: AccountState = draft.need(&key, Rejected::NoSuchAccount)?;
    state.limits = command.limits;
    draft.put(key, &state)?;
    draft.tell(Change::Account(command.tenant, command.account));
    Ok(Outcome::Done)
}

fn check(command: &CreateAccount) -> Result<(), Rejected> {
    check_password(command.password.as_ref())?;
    bounded("mailboxes", command.mailboxes.len(), MAX_FIRST_MAILBOXES)?;
    if !command.mailboxes.iter().any(|mailbox| mailbox.name.is_inbox()) {
        return Err(Rejected::NotPermitted("an account has an INBOX"));
    }
    let names: BTreeSet<_> = command.mailboxes.iter().map(|mailbox| &mailbox.name).collect();
    let ids: BTreeSet<_> = command.mailboxes.iter().map(|mailbox| mailbox.id).collect();
    if names.len() != command.mailboxes.len() || ids.len() != command.mailboxes.len() {
        return Err(Rejected::Exists(Noun::Mailbox));
    }
    Ok(())
}

fn check_password(password: Option<&Password>) -> Result<(), Rejected> {
    let Some(Password { hash, scram }) = password else {
        return Ok(());
    };
    bounded("password's hash", hash.len(), MAX_PASSWORD_OCTETS)?;
    bounded(
        "password's verifier",
        scram.as_ref().map_or(0, String::len),
        MAX_SCRAM_OCTETS,
    )
}

fn row(command: &CreateAccount, at: Timestamp) -> Account {
    Account {
        address: command.address.clone(),
        password: command.password.clone(),
        app_passwords: Vec::new(),
        identities: Vec::new(),
        created: at,
        suspended: None,
    }
}

fn first_state(command: &CreateAccount, tenant: &TenantState, at: Timestamp) -> AccountState {
    // Seconds, so that UIDVALIDITY grows also over what the tenant does not remember; until 2106 they fit.
    let seconds = UidValidity::new(u32::try_from(at.as_secs()).unwrap_or(u32::MAX));
    let modseq = ModSeq::new(1);
    AccountState {
        usage: Usage::default(),
        limits: command.limits,
        modseq,
        next_uid_validity: tenant.next_uid_validity.max(seconds),
        list_modseq: modseq,
        mailboxes: 0,
    }
}

fn bury_mailboxes(
    command: &DeleteAccount,
    state: &AccountState,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    for (mailbox, text) in &command.mailboxes {
        let named: Named = draft.need(
            &name(command.tenant, command.account, text),
            Rejected::NoSuchMailbox,
        )?;
        if named.mailbox != *mailbox {
            return Err(Rejected::Stale("a mailbox has another name"));
        }
        mailbox::bury(&mailbox_key(command, *mailbox), text, state.modseq, draft)?;
    }
    Ok(())
}

fn mailbox_key(command: &DeleteAccount, mailbox: message::id::MailboxId) -> MailboxKey {
    MailboxKey {
        tenant: command.tenant,
        account: command.account,
        mailbox,
    }
}
