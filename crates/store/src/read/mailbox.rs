//! Reads of mailboxes and their messages.

use std::collections::BTreeSet;

use message::id::{AccountId, BlobId, MailboxId, MessageId, TenantId};

use super::{Page, Range, ReadError, record};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Keyspace,
        mailbox::{self as keys, MailboxKey},
    },
    record::mailbox::{
        Changed, Flags, Mailbox, MailboxMessage, MailboxName, MailboxState, ModSeq, Named, Uid, Vanished,
    },
};

/// A mailbox as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxEntry {
    /// Which.
    pub id: MailboxId,
    /// Name, owner and rights.
    pub mailbox: Mailbox,
    /// UIDs, MODSEQ and counts.
    pub state: MailboxState,
}

/// A message as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its UID.
    pub uid: Uid,
    /// Which message.
    pub message: MessageId,
    /// Its blob.
    pub blob: BlobId,
    /// Its octets as they are read, those of the delivery included.
    pub size: u64,
    /// Its flags.
    pub flags: Flags,
    /// The MODSEQ of its last change.
    pub modseq: ModSeq,
}

/// All mailboxes of an account, by name. One whose records are damaged is left out.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn mailboxes(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
) -> Result<Vec<MailboxEntry>, StoreError> {
    let mut entries = Vec::new();
    for (_, id) in names(snapshot, tenant, account)? {
        let key = MailboxKey {
            tenant,
            account,
            mailbox: id,
        };
        match entry(snapshot, key) {
            Ok(entry) => entries.extend(entry),
            Err(ReadError::Store(error)) => return Err(error),
            Err(ReadError::Damaged(_)) => {}
        }
    }
    Ok(entries)
}

/// The names of all mailboxes of an account, in order: what a rename or a deletion of the account must list.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn names(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
) -> Result<Vec<(MailboxName, MailboxId)>, StoreError> {
    let mut found = Vec::new();
    let range = Range::of(Keyspace::Mailbox, &keys::names(tenant, account));
    let name = |key: &[u8]| keys::parse_name(key).map(|(_, _, name)| name);
    range.each(snapshot, name, |name, named: Named| {
        found.push((name, named.mailbox))
    })?;
    Ok(found)
}

/// The mailbox that has a name.
///
/// # Errors
/// [`ReadError`] when the record of the name cannot be read.
pub fn by_name(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    account: AccountId,
    name: &MailboxName,
) -> Result<Option<MailboxId>, ReadError> {
    let named: Option<Named> = record(snapshot, &keys::name(tenant, account, name))?;
    Ok(named.map(|named| named.mailbox))
}

/// One mailbox.
///
/// # Errors
/// [`ReadError`] when its records cannot be read.
pub fn entry(snapshot: &impl Snapshot, key: MailboxKey) -> Result<Option<MailboxEntry>, ReadError> {
    let Some(mailbox) = record(snapshot, &key.mailbox())? else {
        return Ok(None);
    };
    let state = state(snapshot, key)?;
    Ok(state.map(|state| MailboxEntry {
        id: key.mailbox,
        mailbox,
        state,
    }))
}

/// UIDs, MODSEQ and counts of a mailbox.
///
/// # Errors
/// [`ReadError`] when they cannot be read.
pub fn state(snapshot: &impl Snapshot, key: MailboxKey) -> Result<Option<MailboxState>, ReadError> {
    record(snapshot, &key.state())
}

/// Some messages of a mailbox behind a UID, by UID. The list goes on behind [`Page::next`], not behind its last row:
/// damaged records are left out.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn listing(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    after: Option<Uid>,
    limit: usize,
) -> Result<Page<Listed, Uid>, StoreError> {
    let page = messages(snapshot, key, after, limit)?;
    let rows = page.rows.into_iter().map(|(uid, message)| Listed {
        uid,
        message: message.message,
        blob: message.blob.id,
        size: message.size,
        flags: message.flags,
        modseq: message.modseq,
    });
    Ok(Page {
        rows: rows.collect(),
        next: page.next,
    })
}

/// Some messages of a mailbox with all that is kept of them, by UID.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn messages(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    after: Option<Uid>,
    limit: usize,
) -> Result<Page<(Uid, MailboxMessage), Uid>, StoreError> {
    let uid_of = |key: &[u8]| keys::parse_message(key).map(|(_, _, uid)| uid);
    let after = after.map(|uid| key.message(uid).bytes);
    let range = Range::of(Keyspace::Mailbox, &key.all(keys::MESSAGE)).after(after.as_deref());
    let page = range.page(snapshot, limit, uid_of)?;
    Ok(Page {
        rows: page.rows,
        next: page.next.and_then(|key| uid_of(&key)),
    })
}

/// One message.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn message(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    uid: Uid,
) -> Result<Option<MailboxMessage>, ReadError> {
    record(snapshot, &key.message(uid))
}

/// The messages that came or changed after a MODSEQ, growing: CHANGEDSINCE of RFC 7162 §3.1.4.
///
/// The index has entries only for messages whose flags changed. Those that came since are the last ones: MODSEQ at
/// append grows with the UID, so the first of them is found by halving.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn changed_since(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    modseq: ModSeq,
) -> Result<BTreeSet<Uid>, StoreError> {
    let mut uids = BTreeSet::new();
    let Some(behind) = modseq.next() else {
        return Ok(uids);
    };
    let range = Range::of(Keyspace::Mailbox, &key.all(keys::CHANGED));
    let changed = |key: &[u8]| keys::parse_changed(key).map(|(_, _, _, uid)| uid);
    let first = key.changed(behind, Uid::default()).bytes;
    range.starting(first).each(snapshot, changed, |uid, Changed| {
        uids.insert(uid);
    })?;
    let first = first_appended_after(snapshot, key, modseq)?;
    let range = Range::of(Keyspace::Mailbox, &key.all(keys::MESSAGE)).starting(key.message(first).bytes);
    let uid = |key: &[u8]| keys::parse_message(key).map(|(_, _, uid)| uid);
    range.each(snapshot, uid, |uid, _: MailboxMessage| {
        uids.insert(uid);
    })?;
    Ok(uids)
}

/// The UIDs that were expunged after a MODSEQ: VANISHED of RFC 7162 §3.2. `None` when records of that time have been
/// swept: then every UID that is not there has vanished.
///
/// # Errors
/// [`ReadError`] when the mailbox cannot be read.
pub fn vanished_since(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    modseq: ModSeq,
) -> Result<Option<Vec<(Uid, Uid)>>, ReadError> {
    let Some(state) = state(snapshot, key)? else {
        return Ok(None);
    };
    let (Some(behind), true) = (modseq.next(), modseq >= state.vanished_floor) else {
        return Ok(None);
    };
    let mut runs = Vec::new();
    let range = Range::of(Keyspace::Mailbox, &key.all(keys::VANISHED)).starting(key.vanished(behind).bytes);
    range.each(snapshot, keys::parse_vanished, |_, vanished: Vanished| {
        runs.extend(vanished.runs)
    })?;
    runs.sort_unstable();
    Ok(Some(runs))
}

/// The records of expunged messages of a mailbox, the oldest first: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn vanished(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    limit: usize,
) -> Result<Vec<(ModSeq, Vanished)>, StoreError> {
    let range = Range::of(Keyspace::Mailbox, &key.all(keys::VANISHED));
    let modseq = |key: &[u8]| keys::parse_vanished(key).map(|(_, _, modseq)| modseq);
    Ok(range.page(snapshot, limit, modseq)?.rows)
}

/// The lowest UID from which on all messages were appended after a MODSEQ.
fn first_appended_after(
    snapshot: &impl Snapshot,
    key: MailboxKey,
    modseq: ModSeq,
) -> Result<Uid, StoreError> {
    let (mut low, mut high) = (0, u32::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        let range = Range::of(Keyspace::Mailbox, &key.all(keys::MESSAGE));
        let range = range.starting(key.message(Uid::new(middle)).bytes);
        match first_whole(snapshot, range)? {
            Some((uid, message)) if message.appended <= modseq => low = uid.get().saturating_add(1),
            _ => high = middle,
        }
    }
    Ok(Uid::new(low))
}

/// The first message of a range that can be understood.
fn first_whole(snapshot: &impl Snapshot, range: Range) -> Result<Option<(Uid, MailboxMessage)>, StoreError> {
    let mut range = range;
    loop {
        let page = range.page(snapshot, 1, |key| keys::parse_message(key).map(|(_, _, uid)| uid))?;
        if let Some(row) = page.rows.into_iter().next() {
            return Ok(Some(row));
        }
        let Some(next) = page.next else {
            return Ok(None);
        };
        range = range.after(Some(&next));
    }
}
