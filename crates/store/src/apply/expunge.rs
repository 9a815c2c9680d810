//! Expunge: messages go from a mailbox.

use std::collections::BTreeMap;

use message::{
    id::{BlobId, TenantId},
    time::Timestamp,
};

use super::{
    Change, Outcome, Rejected,
    blob_refs::BlobRefs,
    bounded,
    change::{MailboxChange, MailboxEvent},
    draft::Draft,
    outcome::Expunged,
};
use crate::{
    command::{Expunge, expunge::MAX_EXPUNGED},
    key::{self, Key},
    record::{
        mailbox::{MailboxMessage, MailboxState, Uid, Vanished},
        state::{AccountState, TenantState, Usage},
    },
};

pub(super) fn footprint(command: &Expunge, keys: &mut Vec<Key>) {
    let mailbox = &command.mailbox;
    keys.push(key::mailbox::tenant_state(mailbox.tenant));
    keys.push(key::mailbox::account_state(mailbox.tenant, mailbox.account));
    keys.push(mailbox.state());
    for &(uid, blob) in command.messages.iter().take(MAX_EXPUNGED) {
        keys.push(mailbox.message(uid));
        keys.push(key::blob::blob(mailbox.tenant, blob));
    }
}

pub(super) fn expunge(command: &Expunge, at: Timestamp, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("messages", command.messages.len(), MAX_EXPUNGED)?;
    let key = &command.mailbox;
    let account_key = key::mailbox::account_state(key.tenant, key.account);
    let mut account: AccountState = draft.need(&account_key, Rejected::NoSuchAccount)?;
    let mut mailbox: MailboxState = draft.need(&key.state(), Rejected::NoSuchMailbox)?;

    let gone = gone(command, &mut mailbox, draft)?;
    if gone.uids.is_empty() {
        return Ok(Outcome::Expunged(Expunged {
            modseq: mailbox.highest_modseq,
            uids: Vec::new(),
        }));
    }
    let modseq = account
        .modseq
        .next()
        .ok_or_else(|| Rejected::broken("no MODSEQ is left"))?;
    account.modseq = modseq;
    account.usage = account.usage.minus(gone.usage);
    mailbox.highest_modseq = modseq;
    mailbox.usage = mailbox.usage.minus(gone.usage);
    mailbox.vanished = mailbox.vanished.saturating_add(1);
    give_back(key.tenant, gone.usage, draft)?;
    draft.put(account_key, &account)?;
    draft.put(key.state(), &mailbox)?;
    draft.put(key.vanished(modseq), &Vanished::new(at, &gone.uids))?;
    gone.blobs.write(draft)?;
    draft.tell(Change::Mailbox(MailboxChange {
        tenant: key.tenant,
        mailbox: key.mailbox,
        state: mailbox,
        what: MailboxEvent::Expunged(gone.uids.clone()),
    }));
    Ok(Outcome::Expunged(Expunged {
        modseq,
        uids: gone.uids,
    }))
}

/// A tenant has less than before.
pub(super) fn give_back(tenant: TenantId, usage: Usage, draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let key = key::mailbox::tenant_state(tenant);
    let mut state: TenantState = draft.need(&key, Rejected::NoSuchTenant)?;
    state.usage = state.usage.minus(usage);
    draft.put(key, &state)
}

/// What an expunge takes away.
struct Gone {
    /// Messages that were there, growing.
    uids: Vec<Uid>,
    usage: Usage,
    blobs: BlobRefs,
}

fn gone(command: &Expunge, mailbox: &mut MailboxState, draft: &mut Draft<'_>) -> Result<Gone, Rejected> {
    let key = &command.mailbox;
    let mut gone = Gone {
        uids: Vec::new(),
        usage: Usage::default(),
        blobs: BlobRefs::new(key.tenant),
    };
    let listed: BTreeMap<Uid, BlobId> = command.messages.iter().copied().collect();
    for (uid, blob) in listed {
        let Some(message) = draft.find::<MailboxMessage>(&key.message(uid))? else {
            continue;
        };
        if message.blob.id != blob {
            return Err(Rejected::Stale("a message has another blob"));
        }
        gone.blobs.release(blob, draft)?;
        gone.usage = gone.usage.plus(Usage::of_message(message.size));
        mailbox.unseen = mailbox.unseen.saturating_sub(u32::from(message.flags.unseen()));
        if message.modseq != message.appended {
            draft.delete(key.changed(message.modseq, uid));
        }
        draft.delete(key.message(uid));
        gone.uids.push(uid);
    }
    Ok(gone)
}
