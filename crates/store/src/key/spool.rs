//! Keys of the spool: messages on their way, their recipients, and the index of what is due.

use message::{
    id::{ID_LENGTH, MessageId, TenantId},
    time::Timestamp,
};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition};
use crate::record::spool::{Destination, Priority, RecipientNumber};

/// Kind of a message.
pub const MESSAGE: u8 = b'm';
/// Kind of a recipient.
pub const RECIPIENT: u8 = b'r';
/// Kind of an entry of the due index.
pub const DUE: u8 = b'q';

/// A message on its way.
#[must_use]
pub fn message(tenant: TenantId, message: MessageId) -> Key {
    writer(tenant, message, MESSAGE, ID_LENGTH)
        .put(message.as_bytes())
        .finish()
}

/// One of its recipients.
#[must_use]
pub fn recipient(tenant: TenantId, message: MessageId, recipient: RecipientNumber) -> Key {
    writer(tenant, message, RECIPIENT, ID_LENGTH + 2)
        .put(message.as_bytes())
        .put(&recipient.get().to_be_bytes())
        .finish()
}

/// An entry of the due index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DueKey {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which queue it waits in.
    pub destination: Destination,
    /// What goes first.
    pub priority: Priority,
    /// When it may be tried.
    pub due: Timestamp,
    /// Which message.
    pub message: MessageId,
    /// Which of its recipients.
    pub recipient: RecipientNumber,
}

impl DueKey {
    /// Its place: partition of the message, destination, priority, due, message, recipient.
    #[must_use]
    pub fn key(&self) -> Key {
        let destination = self.destination.as_str();
        writer(
            self.tenant,
            self.message,
            DUE,
            destination.len() + 10 + ID_LENGTH + 2,
        )
        .put(&[destination.len() as u8])
        .put(destination.as_bytes())
        .put(&[self.priority as u8])
        .put(&self.due.as_millis().to_be_bytes())
        .put(self.message.as_bytes())
        .put(&self.recipient.get().to_be_bytes())
        .finish()
    }

    /// The entry at a place.
    #[must_use]
    pub fn parse(key: &[u8]) -> Option<Self> {
        let mut reader = KeyReader::new(key);
        let (tenant, _) = reader.prefix(DUE)?;
        let length = reader.u8()?;
        let destination = Destination::parse(reader.text(usize::from(length))?)?;
        let priority = Priority::from_octet(reader.u8()?)?;
        let due = Timestamp::from_millis(reader.u64()?);
        let message = MessageId::from(reader.id()?);
        let recipient = RecipientNumber::new(reader.u16()?);
        reader.end(Self {
            tenant,
            destination,
            priority,
            due,
            message,
            recipient,
        })
    }

    /// The front of the places of one priority of one destination in one partition; the time follows.
    #[must_use]
    pub fn prefix(
        tenant: TenantId,
        partition: Partition,
        destination: &Destination,
        priority: Priority,
    ) -> Vec<u8> {
        let destination = destination.as_str();
        KeyWriter::new(Keyspace::Spool, tenant, partition, DUE, destination.len() + 2)
            .put(&[destination.len() as u8])
            .put(destination.as_bytes())
            .put(&[priority as u8])
            .finish()
            .bytes
    }
}

/// The message of the key of a message.
#[must_use]
pub fn parse_message(key: &[u8]) -> Option<(TenantId, MessageId)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(MESSAGE)?;
    let message = MessageId::from(reader.id()?);
    reader.end((tenant, message))
}

/// Message and recipient of the key of a recipient.
#[must_use]
pub fn parse_recipient(key: &[u8]) -> Option<(TenantId, MessageId, RecipientNumber)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(RECIPIENT)?;
    let message = MessageId::from(reader.id()?);
    let recipient = RecipientNumber::new(reader.u16()?);
    reader.end((tenant, message, recipient))
}

fn writer(tenant: TenantId, message: MessageId, kind: u8, more: usize) -> KeyWriter {
    KeyWriter::new(
        Keyspace::Spool,
        tenant,
        Partition::of_message(message),
        kind,
        more,
    )
}
