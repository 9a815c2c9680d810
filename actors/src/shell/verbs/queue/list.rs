//! `queue list`: what waits.

use message::id::MessageId;
use shell::{Answer, Block, Cell, Table};
use store::record::spool::RecipientState;

use super::page;
use crate::shell::{
    desk::{Desk, Refused, Request},
    output::Output,
    values,
};

/// Messages of an answer when no number is named, and at most.
const USUAL: u64 = 100;
const MOST: u64 = 100_000;
/// Messages of one block.
const AT_ONCE: usize = 1000;

const COLUMNS: [&str; 9] = [
    "message",
    "recipient",
    "address",
    "state",
    "when",
    "attempts",
    "arrived",
    "size",
    "last",
];

pub(in crate::shell) async fn list(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let call = &request.call;
    let limit = call.number("limit").unwrap_or(USUAL).clamp(1, MOST);
    let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_held = call.has("held");
    let mut after: Option<MessageId> = match call.value("after") {
        Some(text) => Some(values::id(text, "a message")?),
        None => None,
    };
    while left > 0 {
        let (behind, now) = (after, left.min(AT_ONCE));
        let (entries, next) = desk
            .read(move |store| page(store, behind, is_held, now))
            .await??;
        left = left.saturating_sub(entries.len());
        if !entries.is_empty() {
            out.say(table(entries, is_held)).await?;
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    let answer = Answer::new("queue list");
    Ok(match after {
        Some(next) if call.is_json() => answer.with(Block::fields([("next", next.to_string().into())])),
        Some(next) => answer.with(Block::text(format!(
            "there may be more: queue list --after {next}"
        ))),
        None => answer,
    })
}

fn table(entries: Vec<super::Entry>, is_held: bool) -> Table {
    let mut table = Table::new(&COLUMNS);
    for entry in entries {
        for (number, recipient) in entry.recipients {
            let (state, when) = match &recipient.state {
                RecipientState::Due(_) if is_held => continue,
                RecipientState::Due(due) => ("due", *due),
                RecipientState::Held { since, .. } => ("held", *since),
            };
            let last = match recipient.state {
                RecipientState::Held { why, .. } => Some(why),
                RecipientState::Due(_) => recipient.last.map(|last| last.why),
            };
            table.row([
                entry.id.to_string().into(),
                u64::from(number.get()).into(),
                recipient.address.shown().to_string().into(),
                state.into(),
                when.into(),
                recipient.attempts.into(),
                entry.message.arrival.at.into(),
                Cell::Octets(entry.message.blob.octets),
                last.into(),
            ]);
        }
    }
    table
}
