//! Version 1 of the records of the spool: without what MAIL and RCPT asked for.

use message::{
    address::{EmailAddress, ReversePath},
    envelope::{BodyKind, MailOptions, RecipientOptions},
};
use serde::Deserialize;

use super::{Arrival, Attempt, Priority, RecipientState, Route};
use crate::blob::BlobRef;

#[derive(Deserialize)]
pub(super) struct SpoolMessage {
    reverse_path: ReversePath,
    body: BodyKind,
    blob: BlobRef,
    arrival: Arrival,
    priority: Priority,
    recipients: u16,
    pending: u16,
}

impl From<SpoolMessage> for super::SpoolMessage {
    fn from(old: SpoolMessage) -> Self {
        Self {
            reverse_path: old.reverse_path,
            body: old.body,
            blob: old.blob,
            arrival: old.arrival,
            priority: old.priority,
            recipients: old.recipients,
            pending: old.pending,
            options: MailOptions::default(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SpoolRecipient {
    address: EmailAddress,
    original: String,
    route: Route,
    state: RecipientState,
    attempts: u32,
    last: Option<Attempt>,
}

impl From<SpoolRecipient> for super::SpoolRecipient {
    fn from(old: SpoolRecipient) -> Self {
        Self {
            address: old.address,
            original: old.original,
            route: old.route,
            state: old.state,
            attempts: old.attempts,
            last: old.last,
            options: RecipientOptions::default(),
        }
    }
}
