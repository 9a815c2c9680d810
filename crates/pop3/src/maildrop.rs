//! Maildrop: the messages of a mailbox as they were when the session opened it (RFC 1939 §4: the numbers do not change
//! during a session).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checkpoint;

/// The listing of a mailbox. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maildrop {
    uid_validity: u32,
    octets: u64,
    #[serde(with = "checkpoint::shared")]
    messages: Arc<Vec<Message>>,
}

impl Maildrop {
    /// The mailbox with this UIDVALIDITY and these messages, which are numbered from 1 in this order.
    ///
    /// A message's unique-id (RFC 1939 §7) is `uid_validity.uid`, at most 21 characters; UIDs must be unique.
    #[must_use]
    pub fn new(uid_validity: u32, messages: Vec<Message>) -> Self {
        let octets = messages
            .iter()
            .fold(0_u64, |sum, message| sum.saturating_add(message.octets));
        Self {
            uid_validity,
            octets,
            messages: Arc::new(messages),
        }
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is no message.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The sum of the sizes, in octets.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    pub(crate) fn uid_validity(&self) -> u32 {
        self.uid_validity
    }

    pub(crate) fn messages(&self) -> &[Message] {
        &self.messages
    }
}

/// One message of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its UID in the mailbox.
    pub uid: u32,
    /// Its size as stored, in octets.
    pub octets: u64,
}
