//! Append: a message goes from the spool into a mailbox.

use super::{
    Change, Outcome, Rejected, bounded,
    change::{MailboxChange, MailboxEvent},
    draft::Draft,
    outcome::Appended,
    rejected::Noun,
    settle::{Spot, Step},
};
use crate::{
    blob::BlobRef,
    command::{Append, Proposal},
    key::{self, Key, mailbox::MailboxKey},
    record::{
        blob::BlobRow,
        mailbox::{MAX_KEYWORDS, MAX_PREFIX_OCTETS, MAX_STRUCTURE_OCTETS, MailboxMessage, MailboxState},
        state::{AccountState, TenantState, Usage},
        trail::{MAX_ACTOR_OCTETS, TrailEvent},
    },
};

pub(super) fn footprint(command: &Append, keys: &mut Vec<Key>) {
    keys.push(key::once::appended(
        command.tenant,
        command.message,
        command.recipient,
    ));
    spot(command).footprint(keys);
    keys.push(key::mailbox::tenant_state(command.tenant));
    keys.push(key::mailbox::account_state(command.tenant, command.account));
    keys.push(mailbox_key(command).state());
}

pub(super) fn append(
    command: &Append,
    proposal: &Proposal,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    let once = key::once::appended(command.tenant, command.message, command.recipient);
    if let Some(appended) = draft.find::<Appended>(&once)? {
        return Ok(Outcome::Appended(appended));
    }
    check(command)?;
    let waiting = spot(command).find(draft)?;
    let mut place = Place::find(command, draft)?;
    let size = waiting
        .message
        .blob
        .octets
        .saturating_add(command.prefix.len() as u64);
    let appended = place.take(command, size)?;
    place.put(command, draft)?;

    let message = row(command, waiting.message.blob.clone(), size, appended);
    draft.put(mailbox_key(command).message(appended.uid), &message)?;
    draft.put(once, &appended)?;
    let event = TrailEvent::Appended {
        account: command.account,
        mailbox: command.mailbox,
        uid_validity: appended.uid_validity,
        uid: appended.uid,
        parsed: command.parsed,
    };
    // With its last recipient the spool gives its reference to the mailbox: the count stays.
    if !waiting.is_last() {
        refer(command, draft)?;
    }
    waiting.done(
        Step {
            proposal,
            actor: &command.actor,
            event,
        },
        draft,
    )?;
    draft.tell(Change::Mailbox(MailboxChange {
        tenant: command.tenant,
        mailbox: command.mailbox,
        state: place.mailbox,
        what: MailboxEvent::Appended {
            uid: appended.uid,
            message: command.message,
            size,
            flags: command.flags.clone(),
        },
    }));
    Ok(Outcome::Appended(appended))
}

/// What an append counts in.
struct Place {
    tenant: TenantState,
    account: AccountState,
    mailbox: MailboxState,
}

impl Place {
    fn find(command: &Append, draft: &Draft<'_>) -> Result<Self, Rejected> {
        let tenant = draft.need(
            &key::mailbox::tenant_state(command.tenant),
            Rejected::NoSuchTenant,
        )?;
        let account = key::mailbox::account_state(command.tenant, command.account);
        let account = draft.need(&account, Rejected::NoSuchAccount)?;
        let mailbox: MailboxState = draft.need(&mailbox_key(command).state(), Rejected::NoSuchMailbox)?;
        if mailbox.owner != command.account {
            return Err(Rejected::NoSuchMailbox);
        }
        Ok(Self {
            tenant,
            account,
            mailbox,
        })
    }

    /// Counts the message everywhere and gives it its UID and MODSEQ.
    fn take(&mut self, command: &Append, size: u64) -> Result<Appended, Rejected> {
        let more = Usage::of_message(size);
        self.account.usage = self.account.usage.plus(more);
        if !self.account.limits.allow(self.account.usage) {
            return Err(Rejected::OverQuota { whose: Noun::Account });
        }
        self.tenant.usage = self.tenant.usage.plus(more);
        if !self.tenant.limits.allow(self.tenant.usage) {
            return Err(Rejected::OverQuota { whose: Noun::Tenant });
        }
        let modseq = self
            .account
            .modseq
            .next()
            .ok_or_else(|| Rejected::broken("no MODSEQ is left"))?;
        let uid = self.mailbox.uid_next;
        self.account.modseq = modseq;
        self.mailbox.highest_modseq = modseq;
        self.mailbox.uid_next = uid
            .next()
            .ok_or(Rejected::NotPermitted("no UID is left in the mailbox"))?;
        self.mailbox.usage = self.mailbox.usage.plus(more);
        self.mailbox.unseen = self
            .mailbox
            .unseen
            .saturating_add(u32::from(command.flags.unseen()));
        Ok(Appended {
            mailbox: command.mailbox,
            uid_validity: self.mailbox.uid_validity,
            uid,
            modseq,
        })
    }

    fn put(&self, command: &Append, draft: &mut Draft<'_>) -> Result<(), Rejected> {
        draft.put(key::mailbox::tenant_state(command.tenant), &self.tenant)?;
        draft.put(
            key::mailbox::account_state(command.tenant, command.account),
            &self.account,
        )?;
        draft.put(mailbox_key(command).state(), &self.mailbox)
    }
}

fn check(command: &Append) -> Result<(), Rejected> {
    bounded(
        "header fields of the delivery",
        command.prefix.len(),
        MAX_PREFIX_OCTETS,
    )?;
    bounded("keywords", command.flags.keywords().len(), MAX_KEYWORDS)?;
    bounded("actor's path", command.actor.len(), MAX_ACTOR_OCTETS)?;
    let structure = command.structure.as_ref().map_or(0, bytes::Bytes::len);
    bounded("structure", structure, MAX_STRUCTURE_OCTETS)
}

fn row(command: &Append, blob: BlobRef, size: u64, appended: Appended) -> MailboxMessage {
    MailboxMessage {
        message: command.message,
        blob,
        prefix: command.prefix.clone(),
        size,
        flags: command.flags.clone(),
        internal_date: command.internal_date,
        appended: appended.modseq,
        modseq: appended.modseq,
        parsed: command.parsed,
        structure: command.structure.clone(),
    }
}

fn refer(command: &Append, draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let key = key::blob::blob(command.tenant, command.blob);
    let mut blob: BlobRow = draft.need(&key, Rejected::broken("a spooled message without its blob"))?;
    blob.refs = blob
        .refs
        .checked_add(1)
        .ok_or_else(|| Rejected::broken("too many references to a blob"))?;
    draft.put(key, &blob)
}

fn mailbox_key(command: &Append) -> MailboxKey {
    MailboxKey {
        tenant: command.tenant,
        account: command.account,
        mailbox: command.mailbox,
    }
}

fn spot(command: &Append) -> Spot {
    Spot {
        tenant: command.tenant,
        message: command.message,
        recipient: command.recipient,
        blob: command.blob,
    }
}
