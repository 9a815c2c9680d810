//! `queue release`: messages are tried again at once.

use message::id::MessageId;
use shell::{Answer, Block};
use store::{
    apply::Rejected,
    command::{Command, Settle},
    propose::ProposeError,
    record::{spool::RecipientState, trail::Settlement},
};

use super::{Entry, counted, is_worked_on, need};
use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    subject,
    tree::DEFAULT_TENANT,
};

pub(in crate::shell) async fn release(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let mut entries = Vec::new();
    for id in values::messages(&request.call, "message")? {
        entries.push(need(desk, id).await?);
    }
    let now = desk.clock.timestamp();
    let mut waiting = 0_u64;
    for entry in &mut entries {
        // What is due is tried anyway, and an attempt that is under way must not be settled twice.
        let is_waiting = |state: &RecipientState| match state {
            RecipientState::Held { .. } => true,
            RecipientState::Due(due) => *due > now,
        };
        entry
            .recipients
            .retain(|(_, recipient)| is_waiting(&recipient.state));
        if is_worked_on(desk, entry.id) {
            entry.recipients.clear();
        }
        waiting += entry.recipients.len() as u64;
    }
    if waiting == 0 {
        return Err(Refused::failed(
            "nobody is to be released: all recipients are due, or being delivered",
        ));
    }
    entries.retain(|entry| !entry.recipients.is_empty());
    let what = format!(
        "release {} of {}",
        counted(waiting, "recipient"),
        counted(entries.len() as u64, "message")
    );
    let why = match request.call.reason() {
        Some(reason) => format!("released by {}: {reason}", request.caller.name),
        None => format!("released by {}", request.caller.name),
    };
    let (at, why) = (desk.clone(), super::fact(why));
    let work = async move {
        let mut told = Vec::new();
        for entry in entries {
            // Whoever releases it has looked at it: it is not held again for crashes of before.
            if let Ok(running) = at.running() {
                running.forgive(subject::message(entry.id));
            }
            told.extend(release_all(&at, entry, &why).await?);
        }
        Ok(told)
    };
    Change::of(waiting, what).make(desk, request, work).await
}

/// Settles all that wait as deferred until now. What was settled in between is only told.
async fn release_all(desk: &Desk, entry: Entry, why: &str) -> Result<Vec<Block>, Refused> {
    let mut told = Vec::new();
    for (number, recipient) in entry.recipients {
        let settle = Command::Settle(Settle {
            tenant: DEFAULT_TENANT,
            message: entry.id,
            recipient: number,
            blob: entry.message.blob.id,
            attempt: recipient.attempts.saturating_add(1),
            settlement: Settlement::Deferred {
                next_due: desk.clock.timestamp(),
                why: why.to_owned(),
            },
            actor: super::ACTOR.to_owned(),
        });
        match desk.propose(settle).await {
            Ok(_) => {}
            Err(ProposeError::Rejected(
                Rejected::Stale(_) | Rejected::NoSuchMessage | Rejected::NoSuchRecipient,
            )) => told.push(passed_over(entry.id, number.get())),
            Err(why) => return Err(why.into()),
        }
    }
    Ok(told)
}

fn passed_over(id: MessageId, number: u16) -> Block {
    Block::text(format!(
        "recipient {number} of {id} was tried in the meantime and is left alone"
    ))
}
