//! Keys of the trail: what happened to a message, and to each of its recipients.

use message::id::{ID_LENGTH, MessageId, TenantId};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition};
use crate::record::spool::RecipientNumber;

/// Kind of a step.
pub const STEP: u8 = b'h';

/// The place of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrailKey {
    /// Whose message it is.
    pub tenant: TenantId,
    /// Which message.
    pub message: MessageId,
    /// Which of its recipients; none for a step of the message as a whole.
    pub recipient: Option<RecipientNumber>,
    /// Which step of that recipient, from 1; 0 for the accepting of the message.
    pub step: u32,
}

impl TrailKey {
    /// The step that begins every trail.
    #[must_use]
    pub const fn accepted(tenant: TenantId, message: MessageId) -> Self {
        Self {
            tenant,
            message,
            recipient: None,
            step: 0,
        }
    }

    /// A step of one recipient.
    #[must_use]
    pub const fn of_recipient(
        tenant: TenantId,
        message: MessageId,
        recipient: RecipientNumber,
        step: u32,
    ) -> Self {
        Self {
            tenant,
            message,
            recipient: Some(recipient),
            step,
        }
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> Key {
        // 0 is the message as a whole; no recipient has the number u16::MAX (see `MAX_RECIPIENTS`).
        let scope = self
            .recipient
            .map_or(0, |recipient| recipient.get().saturating_add(1));
        KeyWriter::new(
            Keyspace::Trail,
            self.tenant,
            Partition::of_message(self.message),
            STEP,
            ID_LENGTH + 6,
        )
        .put(self.message.as_bytes())
        .put(&scope.to_be_bytes())
        .put(&self.step.to_be_bytes())
        .finish()
    }

    /// The place that a key names.
    #[must_use]
    pub fn parse(key: &[u8]) -> Option<Self> {
        let mut reader = KeyReader::new(key);
        let (tenant, _) = reader.prefix(STEP)?;
        let message = MessageId::from(reader.id()?);
        let recipient = reader.u16()?.checked_sub(1).map(RecipientNumber::new);
        let step = reader.u32()?;
        reader.end(Self {
            tenant,
            message,
            recipient,
            step,
        })
    }

    /// The front of the keys of all steps of a message.
    #[must_use]
    pub fn all(tenant: TenantId, message: MessageId) -> Vec<u8> {
        KeyWriter::new(
            Keyspace::Trail,
            tenant,
            Partition::of_message(message),
            STEP,
            ID_LENGTH,
        )
        .put(message.as_bytes())
        .finish()
        .bytes
    }
}
