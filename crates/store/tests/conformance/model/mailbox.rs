//! Mailboxes, as the model has them.

use std::collections::{BTreeMap, BTreeSet};

use message::time::Timestamp;
use store::{
    apply::{
        Outcome,
        outcome::{Expunged, FlagsChanged},
    },
    command::{ChangeFlags, CreateMailbox, DeleteMailbox, Expunge, FlagChange, RenameMailbox},
    key::mailbox::MailboxKey,
    record::mailbox::{MailboxName, ModSeq},
};

use super::{Mailbox, Model, Refusal};

impl Model {
    pub(super) fn change_flags(&mut self, command: &ChangeFlags) -> Result<Outcome, Refusal> {
        let (account_modseq, mailbox) = self.mailbox(&command.mailbox)?;
        let modseq = *account_modseq + 1;
        let mut outcome = FlagsChanged::default();
        for uid in command.uids.iter().copied().collect::<BTreeSet<_>>() {
            let Some(message) = mailbox.messages.get_mut(&uid) else {
                continue;
            };
            if command
                .unchanged_since
                .is_some_and(|since| message.modseq > since.get())
            {
                outcome.modified.push(uid);
                continue;
            }
            let flags = match &command.change {
                FlagChange::Add(more) => message.flags.with(more),
                FlagChange::Remove(less) => message.flags.without(less),
                FlagChange::Replace(flags) => flags.clone(),
            };
            if flags != message.flags {
                message.flags = flags;
                message.modseq = modseq;
                outcome.changed.push(uid);
            }
        }
        if !outcome.changed.is_empty() {
            mailbox.highest = modseq;
            *account_modseq = modseq;
        }
        outcome.modseq = ModSeq::new(mailbox.highest);
        Ok(Outcome::FlagsChanged(outcome))
    }

    pub(super) fn expunge(&mut self, command: &Expunge, at: Timestamp) -> Result<Outcome, Refusal> {
        let (account_modseq, mailbox) = self.mailbox(&command.mailbox)?;
        let mut uids = Vec::new();
        for (uid, blob) in command.messages.iter().copied().collect::<BTreeMap<_, _>>() {
            let Some(message) = mailbox.messages.get(&uid) else {
                continue;
            };
            if message.blob != blob {
                return Err("Stale");
            }
            mailbox.messages.remove(&uid);
            uids.push(uid);
        }
        if !uids.is_empty() {
            *account_modseq += 1;
            mailbox.highest = *account_modseq;
            mailbox.vanished.insert(*account_modseq, (at, uids.clone()));
        }
        Ok(Outcome::Expunged(Expunged {
            modseq: ModSeq::new(mailbox.highest),
            uids,
        }))
    }

    pub(super) fn create_mailbox(&mut self, command: &CreateMailbox) -> Result<Outcome, Refusal> {
        let account = self.account(command.tenant, command.account)?;
        let id = command.mailbox.id;
        let named = account
            .mailboxes
            .values()
            .any(|mailbox| mailbox.name == command.mailbox.name);
        if named || account.mailboxes.contains_key(&id) {
            return Err("Exists");
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        let uid_validity = account.add(&command.mailbox);
        Ok(Outcome::MailboxCreated { uid_validity })
    }

    pub(super) fn rename(&mut self, command: &RenameMailbox) -> Result<Outcome, Refusal> {
        if command.from.is_inbox() {
            return Err("NotPermitted");
        }
        let account = self.account(command.tenant, command.account)?;
        if account.list_modseq != command.list_modseq.get() {
            return Err("Stale");
        }
        if command.mailboxes.is_empty() {
            return Err("NoSuchMailbox");
        }
        let taken: BTreeSet<_> = account
            .mailboxes
            .values()
            .map(|mailbox| mailbox.name.clone())
            .collect();
        for renamed in &command.mailboxes {
            let mailbox = account.mailboxes.get_mut(&renamed.id).ok_or("NoSuchMailbox")?;
            if mailbox.name != renamed.name {
                return Err("Stale");
            }
            let rest = renamed
                .name
                .as_str()
                .strip_prefix(command.from.as_str())
                .ok_or("NotPermitted")?;
            let name = MailboxName::new(&format!("{}{rest}", command.to)).map_err(|_| "TooLarge")?;
            if taken.contains(&name) {
                return Err("Exists");
            }
            mailbox.name = name;
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        Ok(Outcome::Done)
    }

    pub(super) fn delete_mailbox(&mut self, command: &DeleteMailbox) -> Result<Outcome, Refusal> {
        if command.name.is_inbox() {
            return Err("NotPermitted");
        }
        let key = &command.mailbox;
        let account = self.account(key.tenant, key.account)?;
        let mailbox = account.mailboxes.get(&key.mailbox).ok_or("NoSuchMailbox")?;
        if mailbox.name != command.name {
            return Err("Stale");
        }
        account.modseq += 1;
        account.list_modseq = account.modseq;
        let mailbox = account.mailboxes.remove(&key.mailbox).unwrap();
        self.dig(key.tenant, key.account, key.mailbox, mailbox);
        Ok(Outcome::Done)
    }

    /// A mailbox and the MODSEQ of its account.
    pub(super) fn mailbox(&mut self, key: &MailboxKey) -> Result<(&mut u64, &mut Mailbox), Refusal> {
        let account = self.account(key.tenant, key.account)?;
        let mailbox = account.mailboxes.get_mut(&key.mailbox).ok_or("NoSuchMailbox")?;
        Ok((&mut account.modseq, mailbox))
    }
}
