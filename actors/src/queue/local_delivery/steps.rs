//! Steps: the lines of the log about the deliveries of a message, on the target `angarium::message`. The field `message` is
//! the id under which it was accepted.

use message::id::{AccountId, MailboxId};
use store::record::trail::Settlement;

use super::Attempt;

/// It is in a mailbox.
pub(super) fn appended(attempt: &Attempt, account: AccountId, mailbox: MailboxId) {
    tracing::info!(
        target: "angarium::message",
        message = %attempt.item.message,
        recipient = attempt.item.recipient.get(),
        attempt = attempt.number,
        %account,
        %mailbox,
        "appended",
    );
}

/// What became of a recipient without being appended.
pub(super) fn settled(attempt: &Attempt, settlement: &Settlement) {
    let (message, recipient) = (attempt.item.message, attempt.item.recipient.get());
    let attempt = attempt.number;
    match settlement {
        Settlement::Delivered { reply } => {
            tracing::info!(target: "angarium::message", %message, recipient, attempt, reply, "delivered");
        }
        Settlement::Deferred { next_due, why } => {
            tracing::info!(target: "angarium::message", %message, recipient, attempt, until = %next_due, why, "deferred");
        }
        Settlement::Bounced { why } => {
            tracing::info!(target: "angarium::message", %message, recipient, attempt, why, "bounced");
        }
        Settlement::Held { why } => {
            tracing::warn!(target: "angarium::message", %message, recipient, attempt, why, "held");
        }
    }
}
