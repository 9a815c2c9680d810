//! Settle and Remove: how a recipient leaves the spool, or stays for later.

use std::collections::BTreeSet;

use message::{
    id::{BlobId, MessageId, TenantId},
    time::Timestamp,
};

use super::{Change, Outcome, Rejected, blob_refs::BlobRefs, bounded, draft::Draft};
use crate::{
    command::{Proposal, Remove, Settle},
    key::{self, Key, spool::DueKey, trail::TrailKey},
    record::{
        spool::{
            Attempt, Due, MAX_FACT_OCTETS, MAX_RECIPIENTS, RecipientNumber, RecipientState, SpoolMessage,
            SpoolRecipient,
        },
        trail::{MAX_ACTOR_OCTETS, Settlement, TrailEvent, TrailStep},
    },
};

pub(super) fn footprint(command: &Settle, keys: &mut Vec<Key>) {
    keys.push(step_key(command).key());
    spot(command).footprint(keys);
}

pub(super) fn settle(
    command: &Settle,
    proposal: &Proposal,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    // A damaged step must not keep the recipient in the spool for ever: it is written anew.
    if let Some(step) = draft.find_whole::<TrailStep>(&step_key(command).key())? {
        if step.command == proposal.id {
            return Ok(Outcome::Done);
        }
        return Err(Rejected::Stale("the attempt is settled"));
    }
    check(command)?;
    let waiting = spot(command).find(draft)?;
    if waiting.recipient.attempts.checked_add(1) != Some(command.attempt) {
        return Err(Rejected::Stale("another attempt is next"));
    }
    let event = TrailEvent::Settled(command.settlement.clone());
    let step = Step {
        proposal,
        actor: &command.actor,
        event,
    };
    match &command.settlement {
        Settlement::Delivered { .. } | Settlement::Bounced { .. } => {
            if waiting.is_last() {
                release_blob(command.tenant, command.blob, draft)?;
            }
            waiting.done(step, draft)?;
        }
        Settlement::Deferred { next_due, why } => {
            let state = RecipientState::Due(*next_due);
            waiting.stays(state, why, step, draft)?;
        }
        Settlement::Held { why } => {
            let state = RecipientState::Held {
                since: proposal.at,
                why: why.clone(),
            };
            waiting.stays(state, why, step, draft)?;
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn remove_footprint(command: &Remove, keys: &mut Vec<Key>) {
    keys.push(key::spool::message(command.tenant, command.message));
    keys.push(key::blob::blob(command.tenant, command.blob));
    for &recipient in command.recipients.iter().take(MAX_RECIPIENTS) {
        keys.push(key::spool::recipient(command.tenant, command.message, recipient));
    }
}

pub(super) fn remove(
    command: &Remove,
    proposal: &Proposal,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    bounded("recipients", command.recipients.len(), MAX_RECIPIENTS)?;
    bounded("reason", command.why.len(), MAX_FACT_OCTETS)?;
    bounded("actor's path", command.actor.len(), MAX_ACTOR_OCTETS)?;
    let key = key::spool::message(command.tenant, command.message);
    let message: SpoolMessage = draft.need(&key, Rejected::NoSuchMessage)?;
    let recipients: BTreeSet<RecipientNumber> = command.recipients.iter().copied().collect();
    if recipients.len() != usize::from(message.pending) {
        return Err(Rejected::Stale("other recipients are pending"));
    }
    if message.blob.id != command.blob {
        return Err(Rejected::Stale("the message has another blob"));
    }
    for number in recipients {
        let spot = Spot {
            tenant: command.tenant,
            message: command.message,
            recipient: number,
            blob: command.blob,
        };
        let recipient: SpoolRecipient = draft.need(&spot.recipient_key(), Rejected::NoSuchRecipient)?;
        let event = TrailEvent::Removed {
            why: command.why.clone(),
        };
        spot.put_step(
            &recipient,
            Step {
                proposal,
                actor: &command.actor,
                event,
            },
            draft,
        )?;
        spot.delete_due(&message, &recipient, draft);
        draft.delete(spot.recipient_key());
    }
    draft.delete(key);
    release_blob(command.tenant, command.blob, draft)?;
    draft.tell(Change::Removed {
        tenant: command.tenant,
        message: command.message,
    });
    Ok(Outcome::Done)
}

/// Where a recipient waits.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    pub(super) tenant: TenantId,
    pub(super) message: MessageId,
    pub(super) recipient: RecipientNumber,
    pub(super) blob: BlobId,
}

impl Spot {
    pub(super) fn footprint(&self, keys: &mut Vec<Key>) {
        keys.push(self.message_key());
        keys.push(self.recipient_key());
        keys.push(key::blob::blob(self.tenant, self.blob));
    }

    /// The recipient that waits here.
    pub(super) fn find(self, draft: &Draft<'_>) -> Result<Waiting, Rejected> {
        let message: SpoolMessage = draft.need(&self.message_key(), Rejected::NoSuchMessage)?;
        let recipient = draft.need(&self.recipient_key(), Rejected::NoSuchRecipient)?;
        if message.blob.id != self.blob {
            return Err(Rejected::Stale("the message has another blob"));
        }
        Ok(Waiting {
            spot: self,
            message,
            recipient,
        })
    }

    fn message_key(&self) -> Key {
        key::spool::message(self.tenant, self.message)
    }

    fn recipient_key(&self) -> Key {
        key::spool::recipient(self.tenant, self.message, self.recipient)
    }

    fn put_step(
        &self,
        recipient: &SpoolRecipient,
        step: Step<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Rejected> {
        let number = recipient.attempts.saturating_add(1);
        let key = TrailKey::of_recipient(self.tenant, self.message, self.recipient, number).key();
        let Step {
            proposal,
            actor,
            event,
        } = step;
        let step = TrailStep {
            at: proposal.at,
            command: proposal.id,
            actor: actor.to_owned(),
            event,
        };
        draft.put(key, &step)
    }

    fn delete_due(&self, message: &SpoolMessage, recipient: &SpoolRecipient, draft: &mut Draft<'_>) {
        if let RecipientState::Due(due) = recipient.state {
            draft.delete(self.due_key(message, recipient, due).key());
        }
    }

    fn due_key(&self, message: &SpoolMessage, recipient: &SpoolRecipient, due: Timestamp) -> DueKey {
        DueKey {
            tenant: self.tenant,
            destination: recipient.route.destination(),
            priority: message.priority,
            due,
            message: self.message,
            recipient: self.recipient,
        }
    }
}

/// What goes on the trail, and who says so.
pub(super) struct Step<'c> {
    pub(super) proposal: &'c Proposal,
    pub(super) actor: &'c str,
    pub(super) event: TrailEvent,
}

/// A recipient that is not done.
pub(super) struct Waiting {
    spot: Spot,
    pub(super) message: SpoolMessage,
    recipient: SpoolRecipient,
}

impl Waiting {
    /// Whether no other recipient of the message waits.
    pub(super) const fn is_last(&self) -> bool {
        self.message.pending <= 1
    }

    /// The recipient leaves the spool, and with the last the message. What becomes of the reference to the blob is the
    /// caller's to decide.
    pub(super) fn done(mut self, step: Step<'_>, draft: &mut Draft<'_>) -> Result<(), Rejected> {
        let spot = self.spot;
        spot.put_step(&self.recipient, step, draft)?;
        spot.delete_due(&self.message, &self.recipient, draft);
        draft.delete(spot.recipient_key());
        self.message.pending = self.message.pending.saturating_sub(1);
        if self.message.pending == 0 {
            draft.delete(spot.message_key());
        } else {
            draft.put(spot.message_key(), &self.message)?;
        }
        draft.tell(Change::RecipientDone {
            tenant: spot.tenant,
            message: spot.message,
            recipient: spot.recipient,
            pending: self.message.pending,
        });
        Ok(())
    }

    /// The recipient stays in the spool.
    fn stays(
        mut self,
        state: RecipientState,
        why: &str,
        step: Step<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Rejected> {
        let spot = self.spot;
        let at = step.proposal.at;
        spot.put_step(&self.recipient, step, draft)?;
        spot.delete_due(&self.message, &self.recipient, draft);
        self.recipient.attempts = self.recipient.attempts.saturating_add(1);
        self.recipient.last = Some(Attempt {
            at,
            why: why.to_owned(),
        });
        self.recipient.state = state;
        match self.recipient.state {
            RecipientState::Due(due) => {
                let key = spot.due_key(&self.message, &self.recipient, due);
                draft.put(key.key(), &Due)?;
                draft.tell(Change::Deferred {
                    tenant: spot.tenant,
                    message: spot.message,
                    recipient: spot.recipient,
                    destination: key.destination,
                    priority: key.priority,
                    due,
                });
            }
            RecipientState::Held { .. } => draft.tell(Change::Held {
                tenant: spot.tenant,
                message: spot.message,
                recipient: spot.recipient,
            }),
        }
        draft.put(spot.recipient_key(), &self.recipient)
    }
}

fn check(command: &Settle) -> Result<(), Rejected> {
    let reason = match &command.settlement {
        Settlement::Delivered { reply } => reply,
        Settlement::Deferred { why, .. } | Settlement::Bounced { why } | Settlement::Held { why } => why,
    };
    bounded("reason", reason.len(), MAX_FACT_OCTETS)?;
    bounded("actor's path", command.actor.len(), MAX_ACTOR_OCTETS)
}

fn release_blob(tenant: TenantId, blob: BlobId, draft: &mut Draft<'_>) -> Result<(), Rejected> {
    let mut refs = BlobRefs::new(tenant);
    refs.release(blob, draft)?;
    refs.write(draft)
}

fn step_key(command: &Settle) -> TrailKey {
    TrailKey::of_recipient(
        command.tenant,
        command.message,
        command.recipient,
        command.attempt,
    )
}

fn spot(command: &Settle) -> Spot {
    Spot {
        tenant: command.tenant,
        message: command.message,
        recipient: command.recipient,
        blob: command.blob,
    }
}
