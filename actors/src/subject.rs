//! What a message between actors concerns, as crashes are counted by it.

use message::id::{AccountId, Id, MessageId};
use supervision::Subject;

/// A message.
#[must_use]
pub fn message(message: MessageId) -> Subject {
    subject("message", message.id())
}

/// An account.
#[must_use]
pub fn account(account: AccountId) -> Subject {
    subject("account", account.id())
}

const fn subject(kind: &'static str, id: Id) -> Subject {
    Subject::new(kind, u128::from_be_bytes(id.to_bytes()))
}

/// Whether the store commits.
#[must_use]
pub const fn readiness() -> Subject {
    Subject::new("readiness", 0)
}
