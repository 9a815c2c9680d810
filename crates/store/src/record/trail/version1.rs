//! Version 1 of a step of the trail: without what MAIL and RCPT asked for.

use message::{
    address::{EmailAddress, ReversePath},
    envelope::{MailOptions, RecipientOptions},
    id::{AccountId, CommandId, MailboxId},
    time::Timestamp,
};
use serde::Deserialize;

use super::{Arrival, Parsed, Settlement, TrailRecipient, Uid, UidValidity};

#[derive(Deserialize)]
pub(super) struct TrailStep {
    at: Timestamp,
    command: CommandId,
    actor: String,
    event: TrailEvent,
}

#[derive(Deserialize)]
enum TrailEvent {
    Accepted {
        arrival: Box<Arrival>,
        reverse_path: ReversePath,
        recipients: Vec<EmailAddress>,
        octets: u64,
        reply: String,
    },
    Appended {
        account: AccountId,
        mailbox: MailboxId,
        uid_validity: UidValidity,
        uid: Uid,
        parsed: Parsed,
    },
    Settled(Settlement),
    Removed {
        why: String,
    },
}

impl From<TrailStep> for super::TrailStep {
    fn from(old: TrailStep) -> Self {
        Self {
            at: old.at,
            command: old.command,
            actor: old.actor,
            event: old.event.into(),
        }
    }
}

impl From<TrailEvent> for super::TrailEvent {
    fn from(old: TrailEvent) -> Self {
        match old {
            TrailEvent::Accepted {
                arrival,
                reverse_path,
                recipients,
                octets,
                reply,
            } => Self::Accepted {
                arrival,
                reverse_path,
                options: Box::new(MailOptions::default()),
                recipients: recipients.into_iter().map(named).collect(),
                octets,
                reply,
            },
            TrailEvent::Appended {
                account,
                mailbox,
                uid_validity,
                uid,
                parsed,
            } => Self::Appended {
                account,
                mailbox,
                uid_validity,
                uid,
                parsed,
            },
            TrailEvent::Settled(settlement) => Self::Settled(settlement),
            TrailEvent::Removed { why } => Self::Removed { why },
        }
    }
}

fn named(address: EmailAddress) -> TrailRecipient {
    TrailRecipient {
        address,
        options: RecipientOptions::default(),
    }
}
