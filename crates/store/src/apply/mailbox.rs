//! Mailboxes as a whole: create, rename, delete.

use std::collections::BTreeSet;

use message::{
    id::{AccountId, TenantId},
    time::Timestamp,
};

use super::{
    Change, Outcome, Rejected, bounded,
    change::{MailboxChange, MailboxEvent},
    draft::Draft,
    expunge::give_back,
    rejected::Noun,
};
use crate::{
    command::{
        CreateMailbox, DeleteMailbox, NewMailbox, RenameMailbox, RenamedMailbox, mailbox::MAX_MAILBOXES,
    },
    key::{
        self, Key,
        mailbox::{MailboxKey, account_state, name},
    },
    record::{
        job::MailboxTombstone,
        mailbox::{MAX_MAILBOX_NAME_OCTETS, Mailbox, MailboxName, MailboxState, ModSeq, Named, Uid},
        state::{AccountState, Usage},
    },
};

pub(super) fn create_footprint(command: &CreateMailbox, keys: &mut Vec<Key>) {
    keys.push(account_state(command.tenant, command.account));
    new_footprint(command.tenant, command.account, &command.mailbox, keys);
}

pub(super) fn create(
    command: &CreateMailbox,
    at: Timestamp,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    let key = account_state(command.tenant, command.account);
    let mut account: AccountState = draft.need(&key, Rejected::NoSuchAccount)?;
    list_changes(command.tenant, command.account, &mut account, draft)?;
    let owner = Owner {
        tenant: command.tenant,
        account: command.account,
    };
    let state = owner.add(&mut account, &command.mailbox, at, draft)?;
    draft.put(key, &account)?;
    Ok(Outcome::MailboxCreated {
        uid_validity: state.uid_validity,
    })
}

pub(super) fn rename_footprint(command: &RenameMailbox, keys: &mut Vec<Key>) {
    keys.push(account_state(command.tenant, command.account));
    for renamed in command.mailboxes.iter().take(MAX_MAILBOXES) {
        keys.push(mailbox_key(command, renamed).mailbox());
        if let Some(Ok(to)) = renamed.name.renamed(&command.from, &command.to) {
            keys.push(name(command.tenant, command.account, &to));
        }
    }
}

pub(super) fn rename(command: &RenameMailbox, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("mailboxes", command.mailboxes.len(), MAX_MAILBOXES)?;
    if command.from.is_inbox() {
        return Err(Rejected::NotPermitted("the INBOX cannot be renamed"));
    }
    let key = account_state(command.tenant, command.account);
    let mut account: AccountState = draft.need(&key, Rejected::NoSuchAccount)?;
    if account.list_modseq != command.list_modseq {
        return Err(Rejected::Stale("mailboxes have changed"));
    }
    let mailboxes: BTreeSet<_> = command.mailboxes.iter().map(|renamed| renamed.id).collect();
    if mailboxes.is_empty() {
        return Err(Rejected::NoSuchMailbox);
    }
    if mailboxes.len() != command.mailboxes.len() {
        return Err(Rejected::Stale("a mailbox is listed twice"));
    }
    for renamed in &command.mailboxes {
        rename_one(command, renamed, draft)?;
    }
    list_changes(command.tenant, command.account, &mut account, draft)?;
    draft.put(key, &account)?;
    Ok(Outcome::Done)
}

pub(super) fn delete_footprint(command: &DeleteMailbox, keys: &mut Vec<Key>) {
    let key = &command.mailbox;
    keys.push(key::mailbox::tenant_state(key.tenant));
    keys.push(account_state(key.tenant, key.account));
    keys.push(key.mailbox());
    keys.push(key.state());
}

pub(super) fn delete(command: &DeleteMailbox, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    if command.name.is_inbox() {
        return Err(Rejected::NotPermitted("the INBOX cannot be deleted"));
    }
    let key = &command.mailbox;
    let account_key = account_state(key.tenant, key.account);
    let mut account: AccountState = draft.need(&account_key, Rejected::NoSuchAccount)?;
    let mailbox: Mailbox = draft.need(&key.mailbox(), Rejected::NoSuchMailbox)?;
    if mailbox.owner != key.account {
        return Err(Rejected::NoSuchMailbox);
    }
    if mailbox.name != command.name {
        return Err(Rejected::Stale("the mailbox has another name"));
    }
    list_changes(key.tenant, key.account, &mut account, draft)?;
    let usage = bury(key, &mailbox.name, account.modseq, draft)?;
    account.usage = account.usage.minus(usage);
    account.mailboxes = account.mailboxes.saturating_sub(1);
    draft.put(account_key, &account)?;
    give_back(key.tenant, usage, draft)?;
    Ok(Outcome::Done)
}

/// Takes a mailbox away and leaves a tombstone for its messages; says what it had. Its owner's and tenant's counts are
/// the caller's.
pub(super) fn bury(
    key: &MailboxKey,
    name: &MailboxName,
    modseq: ModSeq,
    draft: &mut Draft<'_>,
) -> Result<Usage, Rejected> {
    let mut state: MailboxState = draft.need(&key.state(), Rejected::NoSuchMailbox)?;
    draft.delete(key::mailbox::name(key.tenant, key.account, name));
    draft.delete(key.mailbox());
    draft.delete(key.state());
    if state.usage.messages > 0 || state.vanished > 0 {
        let rest = MailboxTombstone {
            owner: key.account,
            messages: state.usage.messages,
            vanished: state.vanished,
        };
        draft.put(key.tombstone(), &rest)?;
        draft.tell(Change::Tombstone(key.tenant));
    }
    state.highest_modseq = modseq;
    draft.tell(Change::Mailbox(MailboxChange {
        tenant: key.tenant,
        mailbox: key.mailbox,
        state,
        what: MailboxEvent::Deleted,
    }));
    Ok(state.usage)
}

/// The keys that a new mailbox must not find taken.
pub(super) fn new_footprint(tenant: TenantId, account: AccountId, mailbox: &NewMailbox, keys: &mut Vec<Key>) {
    keys.push(name(tenant, account, &mailbox.name));
    keys.push(
        MailboxKey {
            tenant,
            account,
            mailbox: mailbox.id,
        }
        .mailbox(),
    );
}

/// Who gets a mailbox.
#[derive(Clone, Copy)]
pub(super) struct Owner {
    pub(super) tenant: TenantId,
    pub(super) account: AccountId,
}

impl Owner {
    /// Adds a mailbox to the account. The change of the list is the account's newest, `account.modseq`.
    pub(super) fn add(
        self,
        account: &mut AccountState,
        mailbox: &NewMailbox,
        at: Timestamp,
        draft: &mut Draft<'_>,
    ) -> Result<MailboxState, Rejected> {
        bounded("mailboxes", account.mailboxes as usize + 1, MAX_MAILBOXES)?;
        let key = MailboxKey {
            tenant: self.tenant,
            account: self.account,
            mailbox: mailbox.id,
        };
        let name_key = name(self.tenant, self.account, &mailbox.name);
        if draft.is_taken(&name_key)? || draft.is_taken(&key.mailbox())? {
            return Err(Rejected::Exists(Noun::Mailbox));
        }
        let uid_validity = account.next_uid_validity;
        let next = uid_validity
            .next()
            .ok_or(Rejected::NotPermitted("no UIDVALIDITY is left"))?;
        account.next_uid_validity = next;
        account.mailboxes = account.mailboxes.saturating_add(1);
        let row = Mailbox {
            name: mailbox.name.clone(),
            owner: self.account,
            special_use: mailbox.special_use,
            subscribed: mailbox.subscribed,
            rights: Vec::new(),
            created: at,
        };
        let state = MailboxState {
            owner: self.account,
            uid_validity,
            uid_next: Uid::new(1),
            highest_modseq: account.modseq,
            usage: Usage::default(),
            unseen: 0,
            vanished: 0,
            vanished_floor: ModSeq::default(),
        };
        draft.put(name_key, &Named { mailbox: mailbox.id })?;
        draft.put(key.mailbox(), &row)?;
        draft.put(key.state(), &state)?;
        Ok(state)
    }
}

/// The list of the account's mailboxes changes: a MODSEQ of its own.
fn list_changes(
    tenant: TenantId,
    owner: AccountId,
    account: &mut AccountState,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let modseq = account
        .modseq
        .next()
        .ok_or_else(|| Rejected::broken("no MODSEQ is left"))?;
    account.modseq = modseq;
    account.list_modseq = modseq;
    draft.tell(Change::MailboxList {
        tenant,
        account: owner,
        modseq,
    });
    Ok(())
}

fn rename_one(
    command: &RenameMailbox,
    renamed: &RenamedMailbox,
    draft: &mut Draft<'_>,
) -> Result<(), Rejected> {
    let key = mailbox_key(command, renamed).mailbox();
    let mut mailbox: Mailbox = draft.need(&key, Rejected::NoSuchMailbox)?;
    if mailbox.owner != command.account || mailbox.name != renamed.name {
        return Err(Rejected::Stale("a mailbox has another name"));
    }
    let to = match renamed.name.renamed(&command.from, &command.to) {
        Some(Ok(to)) => to,
        Some(Err(_)) => {
            return Err(Rejected::TooLarge {
                what: "mailbox name",
                limit: MAX_MAILBOX_NAME_OCTETS,
            });
        }
        None => {
            return Err(Rejected::NotPermitted(
                "a mailbox is not below the one that is renamed",
            ));
        }
    };
    let to_key = name(command.tenant, command.account, &to);
    if draft.is_taken(&to_key)? {
        return Err(Rejected::Exists(Noun::Mailbox));
    }
    mailbox.name = to;
    draft.delete(name(command.tenant, command.account, &renamed.name));
    draft.put(to_key, &Named { mailbox: renamed.id })?;
    draft.put(key, &mailbox)
}

fn mailbox_key(command: &RenameMailbox, renamed: &RenamedMailbox) -> MailboxKey {
    MailboxKey {
        tenant: command.tenant,
        account: command.account,
        mailbox: renamed.id,
    }
}
