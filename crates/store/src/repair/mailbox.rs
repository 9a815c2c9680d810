//! Mends mailboxes: each has a name, an owner and a state, and its messages stay in it.

use message::{
    id::{AccountId, MailboxId, TenantId},
    time::Timestamp,
};

use super::{Mender, kind_of};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Key, Keyspace,
        mailbox::{self as keys, MailboxKey},
    },
    read::Range,
    record::{
        job::MailboxTombstone,
        mailbox::{
            Changed, Mailbox, MailboxMessage, MailboxName, MailboxState, ModSeq, Named, Uid, UidValidity,
            Vanished,
        },
        state::{AccountState, Limits, TenantState, Usage},
    },
};

impl<S: Snapshot> Mender<S> {
    pub(super) fn mend_mailbox(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        match kind_of(key) {
            keys::ACCOUNT_STATE => match keys::parse_id(&key.bytes, keys::ACCOUNT_STATE) {
                Some((tenant, id)) => self.need_account(tenant, id.into(), why),
                None => self.set_aside(key, why),
            },
            keys::NAME => self.mend_name(key, why),
            keys::MAILBOX => self.mend_one(key, why),
            keys::STATE => self.mend_state(key, why),
            keys::MESSAGE => self.mend_message(key, why),
            keys::VANISHED => self.mend_vanished(key, why),
            // Entries of an index, and tombstones of what is still there.
            _ => self.set_aside(key, why),
        }
    }

    pub(super) fn recount_mailbox(&mut self, key: &Key, what: &str, counted: u64) -> Result<(), StoreError> {
        let why = "counted again";
        let few = u32::try_from(counted).unwrap_or(u32::MAX);
        match kind_of(key) {
            keys::TENANT_STATE => {
                let Some(mut row) = self.read::<TenantState>(key)? else {
                    return Ok(());
                };
                match what {
                    "domains" => row.domains = few,
                    "accounts" => row.accounts = few,
                    _ => recount_usage(&mut row.usage, what, counted),
                }
                self.put(key, &row, why)
            }
            keys::ACCOUNT_STATE => {
                let Some(mut row) = self.read::<AccountState>(key)? else {
                    return Ok(());
                };
                match what {
                    "mailboxes" => row.mailboxes = few,
                    _ => recount_usage(&mut row.usage, what, counted),
                }
                self.put(key, &row, why)
            }
            keys::STATE => {
                let Some(mut row) = self.read::<MailboxState>(key)? else {
                    return Ok(());
                };
                match what {
                    "unseen messages" => row.unseen = few,
                    "records of expunged messages" => row.vanished = few,
                    _ => recount_usage(&mut row.usage, what, counted),
                }
                // Something went without a record of it: whoever asks is told that what is not there has vanished.
                row.vanished_floor = row.highest_modseq;
                self.put(key, &row, why)
            }
            keys::MESSAGE => match self.read::<MailboxMessage>(key)? {
                Some(row) => self.put(key, &MailboxMessage { size: counted, ..row }, why),
                None => Ok(()),
            },
            keys::TOMBSTONE => {
                let Some(mut row) = self.read::<MailboxTombstone>(key)? else {
                    return Ok(());
                };
                match what {
                    "messages that are left" => row.messages = counted,
                    _ => row.vanished = few,
                }
                self.put(key, &row, why)
            }
            _ => Ok(()),
        }
    }

    /// What an account has is counted from its mailboxes; what it may have is not known any more.
    pub(super) fn need_account_state(
        &mut self,
        tenant: TenantId,
        account: AccountId,
        why: &str,
    ) -> Result<(), StoreError> {
        let key = keys::account_state(tenant, account);
        if self.overlay.has(&key)? {
            return Ok(());
        }
        let (mut modseq, mut uid_validity, mut mailboxes) = (ModSeq::new(1), UidValidity::default(), 0);
        let mut usage = Usage::default();
        for (_, state) in self.states_of(tenant, account)? {
            modseq = modseq.max(state.highest_modseq);
            uid_validity = uid_validity.max(state.uid_validity);
            usage = usage.plus(state.usage);
            mailboxes += 1;
        }
        // As at the creation of an account, from its time on: no mailbox gets a UIDVALIDITY that one had.
        let created = u32::try_from(account.id().timestamp().as_millis() / 1000).unwrap_or(u32::MAX);
        let next = uid_validity.get().max(created).saturating_add(LEAP);
        let row = AccountState {
            usage,
            limits: Limits::default(),
            modseq,
            next_uid_validity: UidValidity::new(next),
            list_modseq: modseq,
            mailboxes,
        };
        self.put(&key, &row, why)
    }

    fn states_of(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Vec<(MailboxId, MailboxState)>, StoreError> {
        let front = crate::key::prefix(tenant, crate::key::Partition::of_account(account), keys::STATE);
        let mut states = Vec::new();
        Range::of(Keyspace::Mailbox, &front).each(
            &self.overlay,
            |key| keys::parse_id(key, keys::STATE).map(|(_, id)| MailboxId::from(id)),
            |mailbox, state: MailboxState| {
                if state.owner == account {
                    states.push((mailbox, state));
                }
            },
        )?;
        Ok(states)
    }

    /// A name without its mailbox: the mailbox's record is lost, or has another name.
    fn mend_name(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, account, name), row)) = keys::parse_name(&key.bytes).zip(self.read::<Named>(key)?)
        else {
            return self.set_aside(key, why);
        };
        let place = MailboxKey {
            tenant,
            account,
            mailbox: row.mailbox,
        };
        if self.overlay.has(&place.mailbox())? {
            return self.set_aside(key, why);
        }
        let row = plain_mailbox(name, account, row.mailbox);
        self.put(&place.mailbox(), &row, why)
    }

    fn mend_one(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, id), mut row)) =
            keys::parse_id(&key.bytes, keys::MAILBOX).zip(self.read::<Mailbox>(key)?)
        else {
            return self.set_aside(key, why);
        };
        let mailbox = MailboxId::from(id);
        self.need_account(tenant, row.owner, why)?;
        let named = self.read::<Named>(&keys::name(tenant, row.owner, &row.name))?;
        if named.is_some_and(|named| named.mailbox != mailbox) {
            // Two of one name: the other has it.
            row.name = recovered_name(mailbox)?;
            self.put(key, &row, why)?;
        }
        self.put(&keys::name(tenant, row.owner, &row.name), &Named { mailbox }, why)?;
        let place = MailboxKey {
            tenant,
            account: row.owner,
            mailbox,
        };
        if self.overlay.has(&place.state())? {
            return Ok(());
        }
        self.make_state(&place, why)
    }

    /// A state that is lost is counted again. UIDs may have been given that are not there any more, so the mailbox begins
    /// another life, and clients read it again.
    fn make_state(&mut self, place: &MailboxKey, why: &str) -> Result<(), StoreError> {
        self.need_account_state(place.tenant, place.account, why)?;
        let account_key = keys::account_state(place.tenant, place.account);
        let Some(mut account) = self.read::<AccountState>(&account_key)? else {
            return Ok(());
        };
        let uid_validity = account.next_uid_validity;
        account.next_uid_validity = uid_validity.next().unwrap_or(uid_validity);
        let (mut usage, mut unseen, mut last, mut modseq) =
            (Usage::default(), 0, Uid::default(), account.modseq);
        Range::of(Keyspace::Mailbox, &place.all(keys::MESSAGE)).each(
            &self.overlay,
            keys::parse_message,
            |(_, _, uid), message: MailboxMessage| {
                usage = usage.plus(Usage::of_message(message.size));
                unseen += u32::from(message.flags.unseen());
                last = last.max(uid);
                modseq = modseq.max(message.modseq);
            },
        )?;
        let mut vanished = 0;
        Range::of(Keyspace::Mailbox, &place.all(keys::VANISHED)).each(
            &self.overlay,
            keys::parse_vanished,
            |(_, _, at), _: Vanished| {
                vanished += 1;
                modseq = modseq.max(at);
            },
        )?;
        account.modseq = modseq;
        account.list_modseq = account.list_modseq.min(modseq);
        let row = MailboxState {
            owner: place.account,
            uid_validity,
            uid_next: last.next().unwrap_or(last),
            highest_modseq: modseq.max(ModSeq::new(1)),
            usage,
            unseen,
            vanished,
            vanished_floor: modseq,
        };
        self.put(&account_key, &account, why)?;
        self.put(&place.state(), &row, why)
    }

    fn mend_state(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, id), row)) =
            keys::parse_id(&key.bytes, keys::STATE).zip(self.read::<MailboxState>(key)?)
        else {
            return self.set_aside(key, why);
        };
        let place = MailboxKey {
            tenant,
            account: row.owner,
            mailbox: id.into(),
        };
        if place.state() != *key {
            return self.set_aside(key, why);
        }
        self.need_account(tenant, row.owner, why)?;
        if !self.overlay.has(&place.mailbox())? {
            let name = recovered_name(place.mailbox)?;
            let mailbox = plain_mailbox(name.clone(), row.owner, place.mailbox);
            self.put(&place.mailbox(), &mailbox, why)?;
            let named = Named {
                mailbox: place.mailbox,
            };
            self.put(&keys::name(tenant, row.owner, &name), &named, why)?;
        }
        let account_key = keys::account_state(tenant, row.owner);
        let Some(mut account) = self.read::<AccountState>(&account_key)? else {
            return self.need_account_state(tenant, row.owner, why);
        };
        account.modseq = account.modseq.max(row.highest_modseq);
        if row.uid_validity >= account.next_uid_validity {
            account.next_uid_validity = row.uid_validity.next().unwrap_or(row.uid_validity);
        }
        self.put(&account_key, &account, why)
    }

    fn mend_message(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, mailbox, uid), row)) =
            keys::parse_message(&key.bytes).zip(self.read::<MailboxMessage>(key)?)
        else {
            return self.set_aside(key, why);
        };
        if !self.mend_blob_of(tenant, &row.blob, why)? {
            return self.set_aside(key, why);
        }
        if row.modseq != row.appended {
            let mut entry = beside(key, keys::CHANGED);
            entry.bytes.extend_from_slice(&row.modseq.get().to_be_bytes());
            entry.bytes.extend_from_slice(&uid.get().to_be_bytes());
            self.put(&entry, &Changed, why)?;
        }
        let state_key = beside(key, keys::STATE);
        let Some(mut state) = self.read::<MailboxState>(&state_key)? else {
            // A deleted mailbox may still be going; a mailbox without a state was mended before its messages.
            if self.overlay.has(&keys::tombstone(tenant, mailbox))? {
                return Ok(());
            }
            return self.set_aside(key, why);
        };
        state.uid_next = state.uid_next.max(uid.next().unwrap_or(uid));
        state.highest_modseq = state.highest_modseq.max(row.modseq);
        self.put(&state_key, &state, why)
    }

    fn mend_vanished(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let state_key = beside(key, keys::STATE);
        if let Some(mut state) = self.read::<MailboxState>(&state_key)? {
            state.vanished_floor = state.highest_modseq;
            self.put(&state_key, &state, why)?;
        }
        self.set_aside(key, why)
    }
}

/// How far the counter of UIDVALIDITY leaps when it is not known where it was: mailboxes that one account may have
/// created and deleted.
const LEAP: u32 = 100_000;

fn recount_usage(usage: &mut Usage, what: &str, counted: u64) {
    match what {
        "octets" => usage.octets = counted,
        "messages" => usage.messages = counted,
        _ => {}
    }
}

fn plain_mailbox(name: MailboxName, owner: AccountId, id: MailboxId) -> Mailbox {
    Mailbox {
        name,
        owner,
        special_use: None,
        subscribed: true,
        rights: Vec::new(),
        created: Timestamp::from_millis(id.id().timestamp().as_millis()),
    }
}

/// The name of a mailbox that has lost its own.
fn recovered_name(mailbox: MailboxId) -> Result<MailboxName, StoreError> {
    MailboxName::new(&format!("Recovered-{mailbox}"))
        .map_err(|why| StoreError::Unreadable(format!("no name for mailbox {mailbox}: {why}")))
}

/// The key of another kind with the same prefix and id.
fn beside(key: &Key, kind: u8) -> Key {
    let front = crate::key::PREFIX_OCTETS + message::id::ID_LENGTH;
    let mut bytes = key.bytes.get(..front).unwrap_or(&key.bytes).to_vec();
    if let Some(at) = bytes.get_mut(crate::key::PREFIX_OCTETS - 1) {
        *at = kind;
    }
    Key {
        space: key.space,
        bytes,
    }
}
