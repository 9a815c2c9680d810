//! Reads for jobs: what deletions left, and what has been kept for its time.

use message::{
    id::{BlobId, CommandId, MailboxId, MessageId, TenantId},
    time::Timestamp,
};

use super::{Range, partitions};
use crate::{
    command::{Reap, ReapStep, expunge::MAX_EXPUNGED, job::MAX_SWEEP},
    engine::{Snapshot, StoreError},
    key::{
        Keyspace, Partition, SYSTEM_TENANT,
        mailbox::{self as keys, BLOB_TOMBSTONE, MailboxKey, TOMBSTONE},
        once,
    },
    record::{
        Damaged,
        job::{BlobTombstone, MailboxTombstone},
        mailbox::MailboxMessage,
        spool::RecipientNumber,
    },
};

/// The next step of removing what deletions of a tenant left; `None` when nothing is left.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn next_reap(snapshot: &impl Snapshot, tenant: TenantId) -> Result<Option<Reap>, StoreError> {
    let range = Range::of_kind(Keyspace::Mailbox, tenant, Partition::OF_TENANT, TOMBSTONE);
    let mailbox = |key: &[u8]| keys::parse_id(key, TOMBSTONE).map(|(_, id)| MailboxId::from(id));
    let found = range.page::<_, MailboxTombstone>(snapshot, TOMBSTONES, mailbox)?;
    for (mailbox, rest) in found.rows {
        let key = MailboxKey {
            tenant,
            account: rest.owner,
            mailbox,
        };
        if let Some(step) = mailbox_step(snapshot, &key)? {
            return Ok(Some(Reap { tenant, step }));
        }
    }
    let range = Range::of_kind(Keyspace::Mailbox, tenant, Partition::OF_TENANT, BLOB_TOMBSTONE);
    let blob = |key: &[u8]| keys::parse_id(key, BLOB_TOMBSTONE).map(|(_, id)| BlobId::from(id));
    let found = range.page::<_, BlobTombstone>(snapshot, TOMBSTONES, blob)?;
    let step = found.rows.first().map(|(blob, _)| ReapStep::Chunks(*blob));
    Ok(step.map(|step| Reap { tenant, step }))
}

/// Tombstones looked at for one that has something left; more than one are needed only when records are damaged.
const TOMBSTONES: usize = 64;

/// Results of commands from before a time, at most so many, the oldest first: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn results_before(
    snapshot: &impl Snapshot,
    time: Timestamp,
    limit: usize,
) -> Result<Vec<CommandId>, StoreError> {
    let range = Range::of_kind(Keyspace::Once, SYSTEM_TENANT, Partition::OF_TENANT, once::RESULT);
    let page = range.octets(snapshot, limit)?;
    let ids = page.rows.iter().filter_map(|(key, _)| once::parse_result(key));
    Ok(ids.take_while(|id| id.id().timestamp() < time).collect())
}

/// Records of appends of messages from before a time, at most so many: what a sweep lists.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn appended_before(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    time: Timestamp,
    limit: usize,
) -> Result<Vec<(MessageId, RecipientNumber)>, StoreError> {
    let mut found = Vec::new();
    for partition in partitions(snapshot, Keyspace::Once, tenant, once::APPENDED)? {
        let range = Range::of_kind(Keyspace::Once, tenant, partition, once::APPENDED);
        let page = range.octets(snapshot, limit.saturating_sub(found.len()))?;
        let rows = page.rows.iter().filter_map(|(key, _)| once::parse_appended(key));
        let old = rows.take_while(|(_, message, _)| message.id().timestamp() < time);
        found.extend(old.map(|(_, message, recipient)| (message, recipient)));
    }
    Ok(found)
}

fn mailbox_step(snapshot: &impl Snapshot, key: &MailboxKey) -> Result<Option<ReapStep>, StoreError> {
    let (account, mailbox) = (key.account, key.mailbox);
    let rows = Range::of(Keyspace::Mailbox, &key.all(keys::MESSAGE))
        .octets(snapshot, MAX_EXPUNGED)?
        .rows;
    let mut messages = Vec::with_capacity(rows.len());
    for (bytes, octets) in rows {
        let Some((_, _, uid)) = keys::parse_message(&bytes) else {
            continue;
        };
        let row = Damaged::check::<MailboxMessage>(&key.message(uid), &octets);
        messages.push((uid, row.ok().map(|message| message.blob.id)));
    }
    if !messages.is_empty() {
        return Ok(Some(ReapStep::Messages {
            account,
            mailbox,
            messages,
        }));
    }
    let rows = Range::of(Keyspace::Mailbox, &key.all(keys::VANISHED))
        .octets(snapshot, MAX_SWEEP)?
        .rows;
    let modseqs: Vec<_> = rows
        .iter()
        .filter_map(|(key, _)| keys::parse_vanished(key))
        .map(|(_, _, modseq)| modseq)
        .collect();
    Ok((!modseqs.is_empty()).then_some(ReapStep::Vanished {
        account,
        mailbox,
        modseqs,
    }))
}
