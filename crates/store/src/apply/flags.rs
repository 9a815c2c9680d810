//! ChangeFlags: other flags on messages of one mailbox.

use std::collections::BTreeSet;

use super::{
    Change, Outcome, Rejected, bounded,
    change::{MailboxChange, MailboxEvent},
    draft::Draft,
    outcome::FlagsChanged,
};
use crate::{
    command::{ChangeFlags, FlagChange, flags::MAX_FLAGGED},
    key::{self, Key},
    record::{
        mailbox::{Changed, Flags, MAX_KEYWORDS, MailboxMessage, MailboxState, Uid},
        state::AccountState,
    },
};

pub(super) fn footprint(command: &ChangeFlags, keys: &mut Vec<Key>) {
    keys.push(key::mailbox::account_state(
        command.mailbox.tenant,
        command.mailbox.account,
    ));
    keys.push(command.mailbox.state());
    keys.extend(
        command
            .uids
            .iter()
            .take(MAX_FLAGGED)
            .map(|&uid| command.mailbox.message(uid)),
    );
}

pub(super) fn change(command: &ChangeFlags, draft: &mut Draft<'_>) -> Result<Outcome, Rejected> {
    bounded("messages", command.uids.len(), MAX_FLAGGED)?;
    let account_key = key::mailbox::account_state(command.mailbox.tenant, command.mailbox.account);
    let mut account: AccountState = draft.need(&account_key, Rejected::NoSuchAccount)?;
    let mut mailbox: MailboxState = draft.need(&command.mailbox.state(), Rejected::NoSuchMailbox)?;
    let modseq = account
        .modseq
        .next()
        .ok_or_else(|| Rejected::broken("no MODSEQ is left"))?;

    let mut outcome = FlagsChanged::default();
    let uids: BTreeSet<Uid> = command.uids.iter().copied().collect();
    for uid in uids {
        let Some(mut message) = draft.find::<MailboxMessage>(&command.mailbox.message(uid))? else {
            continue;
        };
        if command
            .unchanged_since
            .is_some_and(|since| message.modseq > since)
        {
            outcome.modified.push(uid);
            continue;
        }
        let flags = changed(&message.flags, &command.change)?;
        if flags == message.flags {
            continue;
        }
        mailbox.unseen = mailbox.unseen.saturating_sub(u32::from(message.flags.unseen()));
        mailbox.unseen = mailbox.unseen.saturating_add(u32::from(flags.unseen()));
        if message.modseq != message.appended {
            draft.delete(command.mailbox.changed(message.modseq, uid));
        }
        message.flags = flags;
        message.modseq = modseq;
        draft.put(command.mailbox.changed(modseq, uid), &Changed)?;
        draft.put(command.mailbox.message(uid), &message)?;
        outcome.changed.push(uid);
    }
    outcome.modseq = mailbox.highest_modseq;
    if outcome.changed.is_empty() {
        return Ok(Outcome::FlagsChanged(outcome));
    }
    account.modseq = modseq;
    mailbox.highest_modseq = modseq;
    outcome.modseq = modseq;
    draft.put(account_key, &account)?;
    draft.put(command.mailbox.state(), &mailbox)?;
    draft.tell(Change::Mailbox(MailboxChange {
        tenant: command.mailbox.tenant,
        mailbox: command.mailbox.mailbox,
        state: mailbox,
        what: MailboxEvent::FlagsChanged(outcome.changed.clone()),
    }));
    Ok(Outcome::FlagsChanged(outcome))
}

fn changed(flags: &Flags, change: &FlagChange) -> Result<Flags, Rejected> {
    let flags = match change {
        FlagChange::Add(more) => flags.with(more),
        FlagChange::Remove(less) => flags.without(less),
        FlagChange::Replace(flags) => flags.clone(),
    };
    bounded("keywords", flags.keywords().len(), MAX_KEYWORDS)?;
    Ok(flags)
}
