//! Steps: the lines of the log about the deliveries of a message, on the target `angarium::message`. The field `message` is
//! the id under which it was accepted.

use message::{
    id::{AccountId, MailboxId},
    time::Timestamp,
};
use store::record::trail::Settlement;

use super::Attempt;
use crate::telemetry::{
    QUEUE_DELIVERIES_TIME, QUEUE_RECIPIENTS_BOUNCED, QUEUE_RECIPIENTS_DEFERRED, QUEUE_RECIPIENTS_DELIVERED,
    QUEUE_RECIPIENTS_HELD,
};

/// It is in a mailbox.
pub(super) fn appended(attempt: &Attempt, account: AccountId, mailbox: MailboxId, now: Timestamp) {
    QUEUE_RECIPIENTS_DELIVERED.count(1);
    QUEUE_DELIVERIES_TIME.took(now.since(attempt.message.first_due));
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
pub(super) fn settled(attempt: &Attempt, settlement: &Settlement, now: Timestamp) {
    let (message, recipient) = (attempt.item.message, attempt.item.recipient.get());
    let (attempt, first_due) = (attempt.number, attempt.message.first_due);
    match settlement {
        Settlement::Delivered { reply } => {
            QUEUE_RECIPIENTS_DELIVERED.count(1);
            QUEUE_DELIVERIES_TIME.took(now.since(first_due));
            tracing::info!(target: "angarium::message", %message, recipient, attempt, reply, "delivered");
        }
        Settlement::Deferred { next_due, why } => {
            QUEUE_RECIPIENTS_DEFERRED.count(1);
            tracing::info!(target: "angarium::message", %message, recipient, attempt, until = %next_due, why, "deferred");
        }
        Settlement::Bounced { why } => {
            QUEUE_RECIPIENTS_BOUNCED.count(1);
            tracing::info!(target: "angarium::message", %message, recipient, attempt, why, "bounced");
        }
        Settlement::Held { why } => {
            QUEUE_RECIPIENTS_HELD.count(1);
            tracing::warn!(target: "angarium::message", %message, recipient, attempt, why, "held");
        }
    }
}
