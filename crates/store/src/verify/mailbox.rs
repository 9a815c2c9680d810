//! Verifies mailboxes: names, counts, UIDs, MODSEQs, and what deletions left.

use bytes::Bytes;
use message::id::{AccountId, BlobId, MailboxId, TenantId};

use super::{Check, Finding, PAGE, Problem};
use crate::{
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{
        self, Key, Keyspace,
        mailbox::{self as keys, MailboxKey},
    },
    read::Range,
    record::{
        blob::BlobRow,
        job::{BlobTombstone, MailboxTombstone},
        mailbox::{Changed, Mailbox, MailboxMessage, MailboxState, ModSeq, Named, Uid, Vanished},
        state::{AccountState, TenantState, Usage},
    },
};

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    pub(super) fn mailbox_row(&mut self, kind: u8, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        match kind {
            keys::TENANT_STATE => {
                self.decode::<_, TenantState>(key, octets, |_| Some(()));
                Ok(())
            }
            keys::ACCOUNT_STATE => self.account_state(key, octets),
            keys::NAME => self.name(key, octets),
            keys::MAILBOX => self.mailbox(key, octets),
            keys::STATE => self.state(key, octets),
            keys::MESSAGE => self.message(key, octets),
            keys::CHANGED => self.changed(key, octets),
            keys::VANISHED => self.vanished(key, octets),
            keys::TOMBSTONE => self.tombstone(key, octets),
            keys::BLOB_TOMBSTONE => self.blob_tombstone(key, octets),
            _ => {
                self.find(key, Problem::Unknown);
                Ok(())
            }
        }
    }

    fn account_state(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, account), row)) =
            self.decode::<_, AccountState>(key, octets, |key| with_id::<AccountId>(key, keys::ACCOUNT_STATE))
        else {
            return Ok(());
        };
        let there = self.has_account(tenant, account)?;
        self.expect(key, there, "the state's account is not there");
        self.count_account(tenant, &row);
        Ok(())
    }

    fn name(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, account, name), row)) = self.decode::<_, Named>(key, octets, keys::parse_name)
        else {
            return Ok(());
        };
        let mailbox = MailboxKey {
            tenant,
            account,
            mailbox: row.mailbox,
        };
        let mailbox: Option<Mailbox> = self.look(&mailbox.mailbox())?;
        let same = mailbox.is_some_and(|mailbox| mailbox.name == name && mailbox.owner == account);
        self.expect(key, same, "the name's mailbox is not there or has another name");
        *self.counts.mailboxes.entry((tenant, account)).or_default() += 1;
        Ok(())
    }

    fn mailbox(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, mailbox), row)) =
            self.decode::<_, Mailbox>(key, octets, |key| with_id::<MailboxId>(key, keys::MAILBOX))
        else {
            return Ok(());
        };
        let named: Option<Named> = self.look(&keys::name(tenant, row.owner, &row.name))?;
        self.expect(
            key,
            named.is_some_and(|named| named.mailbox == mailbox),
            "the mailbox's name is not its own",
        );
        let state = self.snapshot.get(&sibling(key, keys::STATE))?;
        self.expect(key, state.is_some(), "the mailbox has no state");
        let there = self.has_account(tenant, row.owner)?;
        self.expect(key, there, "the mailbox's owner is not there");
        Ok(())
    }

    fn state(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, mailbox), row)) =
            self.decode::<_, MailboxState>(key, octets, |key| with_id::<MailboxId>(key, keys::STATE))
        else {
            return Ok(());
        };
        let sum = self.counts.account_usage.entry((tenant, row.owner)).or_default();
        *sum = sum.plus(row.usage);
        let place = MailboxKey {
            tenant,
            account: row.owner,
            mailbox,
        };
        self.expect(
            key,
            place.state() == *key,
            "the mailbox is in another partition than its owner",
        );
        let there = self.snapshot.get(&place.mailbox())?.is_some();
        self.expect(key, there, "the state's mailbox is not there");
        let account: Option<AccountState> = self.look(&keys::account_state(tenant, row.owner))?;
        if let Some(account) = account {
            let grows = row.highest_modseq <= account.modseq && row.uid_validity < account.next_uid_validity;
            self.expect(key, grows, "the mailbox is ahead of its account");
        }
        self.contents(key, &place, &row)
    }

    /// Compares a mailbox's counts with its messages.
    fn contents(&mut self, key: &Key, place: &MailboxKey, row: &MailboxState) -> Result<(), StoreError> {
        let (mut usage, mut unseen, mut newest) = (Usage::default(), 0, ModSeq::default());
        let mut after = None;
        loop {
            let range = Range::of(Keyspace::Mailbox, &place.all(keys::MESSAGE)).after(after.as_deref());
            let page = range.octets(self.snapshot, PAGE)?;
            for (bytes, octets) in page.rows {
                // What is damaged is found at its own row.
                let message = crate::record::decode::<MailboxMessage>(&octets);
                let (Some((_, _, uid)), Ok(message)) = (keys::parse_message(&bytes), message) else {
                    continue;
                };
                usage = usage.plus(Usage::of_message(message.size));
                unseen += u64::from(message.flags.unseen());
                let at = place.message(uid);
                self.expect(&at, uid < row.uid_next, "the message's UID has not been given");
                self.expect(
                    &at,
                    message.modseq <= row.highest_modseq,
                    "the message is ahead of its mailbox",
                );
                self.expect(
                    &at,
                    newest < message.appended,
                    "MODSEQ at append does not grow with the UID",
                );
                newest = message.appended;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.compare_usage(key, row.usage, usage);
        self.compare(key, "unseen messages", row.unseen.into(), unseen);
        let vanished = self.count(Keyspace::Mailbox, &place.all(keys::VANISHED))?;
        self.compare(key, "records of expunged messages", row.vanished.into(), vanished);
        Ok(())
    }

    fn message(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, mailbox, uid), row)) =
            self.decode::<_, MailboxMessage>(key, octets, keys::parse_message)
        else {
            return Ok(());
        };
        self.counts.references.count(tenant, row.blob.id);
        let there = self.has_mailbox(key, tenant, mailbox)?;
        self.expect(key, there, "the message's mailbox is not there");
        let size = row.blob.octets.saturating_add(row.prefix.len() as u64);
        self.compare(key, "octets of the message", row.size, size);
        if row.modseq != row.appended {
            let mut entry = sibling(key, keys::CHANGED);
            entry.bytes.extend_from_slice(&row.modseq.get().to_be_bytes());
            entry.bytes.extend_from_slice(&uid.get().to_be_bytes());
            let there = self.snapshot.get(&entry)?.is_some();
            self.expect(key, there, "the message's change is not in the index");
        }
        self.blob_agrees(key, tenant, &row.blob)
    }

    fn changed(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((_, _, modseq, uid), Changed)) = self.decode(key, octets, keys::parse_changed) else {
            return Ok(());
        };
        let mut message = sibling(key, keys::MESSAGE);
        message.bytes.extend_from_slice(&uid.get().to_be_bytes());
        let message: Option<MailboxMessage> = self.look(&message)?;
        let same = message.is_some_and(|message| message.modseq == modseq && message.appended != modseq);
        self.expect(key, same, "the entry's message has not changed then");
        Ok(())
    }

    fn vanished(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, mailbox, _), row)) = self.decode::<_, Vanished>(key, octets, keys::parse_vanished)
        else {
            return Ok(());
        };
        let there = self.has_mailbox(key, tenant, mailbox)?;
        self.expect(key, there, "the record's mailbox is not there");
        let mut last = Uid::default();
        let grows = row.runs.iter().all(|&(first, end)| {
            let grows = last < first && first <= end;
            last = end;
            grows
        });
        self.expect(key, grows, "the runs do not grow");
        for (first, _) in row.runs {
            let mut message = sibling(key, keys::MESSAGE);
            message.bytes.extend_from_slice(&first.get().to_be_bytes());
            let gone = self.snapshot.get(&message)?.is_none();
            self.expect(key, gone, "an expunged message is there");
        }
        Ok(())
    }

    fn tombstone(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, mailbox), row)) =
            self.decode::<_, MailboxTombstone>(key, octets, |key| with_id::<MailboxId>(key, keys::TOMBSTONE))
        else {
            return Ok(());
        };
        let place = MailboxKey {
            tenant,
            account: row.owner,
            mailbox,
        };
        let messages = self.count(Keyspace::Mailbox, &place.all(keys::MESSAGE))?;
        self.compare(key, "messages that are left", row.messages, messages);
        let vanished = self.count(Keyspace::Mailbox, &place.all(keys::VANISHED))?;
        self.compare(
            key,
            "records of expunged messages that are left",
            row.vanished.into(),
            vanished,
        );
        let gone = self.snapshot.get(&place.state())?.is_none();
        self.expect(key, gone, "the mailbox is still there");
        Ok(())
    }

    fn blob_tombstone(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, blob), _)) =
            self.decode::<_, BlobTombstone>(key, octets, |key| with_id::<BlobId>(key, keys::BLOB_TOMBSTONE))
        else {
            return Ok(());
        };
        let row: Option<BlobRow> = self.look(&key::blob::blob(tenant, blob))?;
        self.expect(key, row.is_none(), "the blob is still there");
        Ok(())
    }

    /// Whether a row's mailbox is there, or is being reaped.
    fn has_mailbox(&self, key: &Key, tenant: TenantId, mailbox: MailboxId) -> Result<bool, StoreError> {
        if self.snapshot.get(&sibling(key, keys::STATE))?.is_some() {
            return Ok(true);
        }
        Ok(self.snapshot.get(&keys::tombstone(tenant, mailbox))?.is_some())
    }
}

/// The key of another kind with the same prefix and id.
fn sibling(key: &Key, kind: u8) -> Key {
    let front = key::PREFIX_OCTETS + message::id::ID_LENGTH;
    let mut bytes = key.bytes.get(..front).unwrap_or(&key.bytes).to_vec();
    if let Some(at) = bytes.get_mut(key::PREFIX_OCTETS - 1) {
        *at = kind;
    }
    Key {
        space: key.space,
        bytes,
    }
}

fn with_id<T: From<message::id::Id>>(key: &[u8], kind: u8) -> Option<(TenantId, T)> {
    keys::parse_id(key, kind).map(|(tenant, id)| (tenant, T::from(id)))
}
