//! Reads of the spool: what is due, and what waits.

use message::{
    id::{MessageId, TenantId},
    time::Timestamp,
};

use super::{Page, Range, ReadError, partitions, record};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        self, Keyspace, Partition,
        spool::{self as keys, DueKey},
    },
    record::spool::{Destination, Due, Priority, RecipientNumber, SpoolMessage, SpoolRecipient},
};

/// A recipient that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueRow {
    /// What goes first.
    pub priority: Priority,
    /// Since when it may be tried.
    pub due: Timestamp,
    /// Which message.
    pub message: MessageId,
    /// Which of its recipients.
    pub recipient: RecipientNumber,
}

/// What of one queue is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DuePage {
    /// What goes first, first.
    pub rows: Vec<DueRow>,
    /// Whether more is due than was asked for.
    pub more: bool,
    /// When the next falls due of what is not due yet.
    pub next: Option<Timestamp>,
}

/// What of a queue is due up to and at a time, at most so many.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn due_rows(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    destination: &Destination,
    now: Timestamp,
    limit: usize,
) -> Result<DuePage, StoreError> {
    let mut page = DuePage::default();
    for partition in partitions(snapshot, Keyspace::Spool, tenant, keys::DUE)? {
        for priority in Priority::ALL {
            let front = DueKey::prefix(tenant, partition, destination, priority);
            add_due(snapshot, &front, now, limit, &mut page)?;
        }
    }
    page.rows.sort_unstable();
    page.more |= page.rows.len() > limit;
    page.rows.truncate(limit);
    Ok(page)
}

/// A recipient and its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolView {
    /// The message.
    pub message: SpoolMessage,
    /// The recipient, due or held.
    pub recipient: SpoolRecipient,
}

/// A recipient and its message; `None` when it is done, or never was.
///
/// # Errors
/// [`ReadError`] when they cannot be read.
pub fn recipient(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    message: MessageId,
    recipient: RecipientNumber,
) -> Result<Option<SpoolView>, ReadError> {
    let Some(entry) = record(snapshot, &keys::message(tenant, message))? else {
        return Ok(None);
    };
    let recipient = record(snapshot, &keys::recipient(tenant, message, recipient))?;
    Ok(recipient.map(|recipient| SpoolView {
        message: entry,
        recipient,
    }))
}

/// One message.
///
/// # Errors
/// [`ReadError`] when it cannot be read.
pub fn message(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    message: MessageId,
) -> Result<Option<SpoolMessage>, ReadError> {
    record(snapshot, &keys::message(tenant, message))
}

/// All recipients of a message that are not done.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn recipients(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    message: MessageId,
) -> Result<Vec<(RecipientNumber, SpoolRecipient)>, StoreError> {
    let mut front = key::prefix(tenant, Partition::of_message(message), keys::RECIPIENT).to_vec();
    front.extend_from_slice(message.as_bytes());
    let mut recipients = Vec::new();
    let number = |key: &[u8]| keys::parse_recipient(key).map(|(_, _, number)| number);
    Range::of(Keyspace::Spool, &front)
        .each(snapshot, number, |number, row| recipients.push((number, row)))?;
    Ok(recipients)
}

/// Some messages of one partition, the oldest first. [`partitions_with_messages`] says which there are.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn messages(
    snapshot: &impl Snapshot,
    tenant: TenantId,
    partition: Partition,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<(MessageId, SpoolMessage)>, StoreError> {
    let id = |key: &[u8]| keys::parse_message(key).map(|(_, id)| id);
    let range = Range::of_kind(Keyspace::Spool, tenant, partition, keys::MESSAGE);
    range.after(after).page(snapshot, limit, id)
}

/// The partitions in which a tenant has messages in the spool.
///
/// # Errors
/// [`StoreError`] when the engine cannot read.
pub fn partitions_with_messages(
    snapshot: &impl Snapshot,
    tenant: TenantId,
) -> Result<Vec<Partition>, StoreError> {
    partitions(snapshot, Keyspace::Spool, tenant, keys::MESSAGE)
}

/// Adds what is due in one range of the index, and when the next of it falls due.
fn add_due(
    snapshot: &impl Snapshot,
    front: &[u8],
    now: Timestamp,
    limit: usize,
    page: &mut DuePage,
) -> Result<(), StoreError> {
    let mut later = front.to_vec();
    later.extend_from_slice(&now.as_millis().saturating_add(1).to_be_bytes());
    let range = Range::of(Keyspace::Spool, front).before(later.clone());
    let due = range.page::<_, Due>(snapshot, limit, DueKey::parse)?;
    page.more |= due.next.is_some() && limit > 0 && {
        let behind = range.after(due.next.as_deref());
        !behind.octets(snapshot, 1)?.rows.is_empty()
    };
    page.rows.extend(due.rows.into_iter().map(|(key, Due)| DueRow {
        priority: key.priority,
        due: key.due,
        message: key.message,
        recipient: key.recipient,
    }));
    let range = Range::of(Keyspace::Spool, front).starting(later);
    let first = range.page::<_, Due>(snapshot, 1, DueKey::parse)?;
    let next = first.rows.first().map(|(key, _)| key.due);
    page.next = [page.next, next].into_iter().flatten().min();
    Ok(())
}
