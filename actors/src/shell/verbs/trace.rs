//! `trace`: what happened to a message, step by step, and what happens to it now. The trail is durable; what is not on
//! it yet is known from the queue. Whoever follows is woken by the change feed, never by a clock.

mod dialogue;
mod step;

use std::collections::BTreeSet;

use message::id::MessageId;
use shell::{Answer, Block, Table};
use store::{
    apply::Change,
    feed::{Changes, Feed},
    key::trail::TrailKey,
    read::trail,
    record::trail::TrailStep,
};

pub(in crate::shell) use self::dialogue::dialogue;
use self::step::describe;
use super::queue;
use crate::{
    shell::{
        desk::{Desk, Refused, Request},
        output::Output,
        values,
    },
    tree::DEFAULT_TENANT,
};

const COLUMNS: [&str; 4] = ["at", "recipient", "what", "actor"];

pub(in crate::shell) async fn trace(desk: &Desk, request: &Request, out: &Output) -> Result<Answer, Refused> {
    let message = values::message(&request.call, "message")?;
    let is_followed = request.call.has("follow");
    if is_followed {
        desk.running()?;
    }
    // Before the trail is read: what comes in between is told twice by the feed, not lost.
    let changes = is_followed.then(|| desk.store.changes());
    let mut told = BTreeSet::new();
    tell(desk, message, &mut told, out).await?;
    let waits = waiting(desk, message).await?;
    if waits.is_none() {
        // It may have been done after its trail was read.
        tell(desk, message, &mut told, out).await?;
    }
    if told.is_empty() && waits.is_none() {
        return Err(Refused::failed(format!(
            "nothing is known of message {message}: it never was, or its trail has been swept"
        )));
    }
    let is_done = waits.is_none();
    if let Some(table) = waits {
        out.say(table).await?;
    }
    match changes {
        Some(changes) if !is_done => follow(desk, message, changes, told, out).await?,
        _ => {}
    }
    Ok(Answer::new("trace"))
}

/// Says each step as it is committed, until the message is done or nobody listens.
async fn follow(
    desk: &Desk,
    message: MessageId,
    mut changes: Changes,
    mut told: BTreeSet<TrailKey>,
    out: &Output,
) -> Result<(), Refused> {
    loop {
        let fed = tokio::select! {
            fed = changes.next() => fed,
            () = out.closed() => return Ok(()),
        };
        let is_concerned = match &fed {
            None => return Ok(()),
            Some(Feed::Lagged(_)) => true,
            Some(Feed::Committed(group)) => group
                .iter()
                .flat_map(|committed| &committed.changes)
                .any(|change| concerns(change, message)),
        };
        if !is_concerned {
            continue;
        }
        tell(desk, message, &mut told, out).await?;
        match waiting(desk, message).await? {
            Some(table) => out.say(table).await?,
            // Done meanwhile, perhaps: what was its last step is told, too.
            None => return tell(desk, message, &mut told, out).await,
        }
    }
}

/// Whether a change is about a message in the spool.
fn concerns(change: &Change, wanted: MessageId) -> bool {
    match change {
        Change::Accepted(spooled) => spooled.message == wanted,
        Change::Deferred { message, .. }
        | Change::Held { message, .. }
        | Change::RecipientDone { message, .. }
        | Change::Removed { message, .. } => *message == wanted,
        _ => false,
    }
}

/// Says the steps that have not been said yet.
async fn tell(
    desk: &Desk,
    message: MessageId,
    told: &mut BTreeSet<TrailKey>,
    out: &Output,
) -> Result<(), Refused> {
    let steps = desk
        .read(move |store| trail::of_message(&store.snapshot(), DEFAULT_TENANT, message))
        .await??;
    let mut table = Table::new(&COLUMNS);
    for (key, step) in steps {
        if told.insert(key) {
            table.row(row(key, &step));
        }
    }
    if !table.is_empty() {
        out.say(table).await?;
    }
    Ok(())
}

fn row(key: TrailKey, step: &TrailStep) -> [shell::Cell; COLUMNS.len()] {
    [
        step.at.to_string().into(),
        key.recipient.map(|number| u64::from(number.get())).into(),
        describe(step).into(),
        step.actor.clone().into(),
    ]
}

/// What those wait for that are not done; none when all are.
async fn waiting(desk: &Desk, message: MessageId) -> Result<Option<Block>, Refused> {
    let Some(entry) = desk.read(move |store| queue::find(store, message)).await?? else {
        return Ok(None);
    };
    let mut table = Table::new(&COLUMNS);
    for (number, why) in queue::whys(desk, &entry).await? {
        table.row([
            desk.clock.timestamp().to_string().into(),
            u64::from(number.get()).into(),
            format!("waits: {}", why.sentence).into(),
            shell::Cell::Nothing,
        ]);
    }
    Ok(Some(table.into()))
}

#[cfg(test)]
mod tests {
    use message::{
        address::{DomainName, EmailAddress},
        id::TenantId,
        time::Timestamp,
    };
    use store::record::spool::{Destination, Priority, RecipientNumber};

    use super::*;

    #[test]
    fn a_message_is_concerned_by_what_happens_to_it_and_nothing_else() {
        let (tenant, recipient) = (TenantId::new(1), RecipientNumber::new(0));
        let (message, other) = (MessageId::from_bytes([1; 16]), MessageId::from_bytes([2; 16]));
        let held = Change::Held {
            tenant,
            message,
            recipient,
        };
        assert!(concerns(&held, message) && !concerns(&held, other));
        let deferred = Change::Deferred {
            tenant,
            message,
            recipient,
            destination: Destination::Local,
            priority: Priority::Normal,
            due: Timestamp::EPOCH,
        };
        assert!(concerns(&deferred, message) && !concerns(&deferred, other));
        let done = Change::RecipientDone {
            tenant,
            message,
            recipient,
            pending: 0,
        };
        assert!(concerns(&done, message) && !concerns(&done, other));
        assert!(concerns(&Change::Removed { tenant, message }, message));
        let address = EmailAddress::parse(b"a@example.org").unwrap();
        let domain = DomainName::parse(b"example.org").unwrap();
        for change in [
            Change::Tenant(tenant),
            Change::Domain(tenant, domain),
            Change::Address(tenant, address),
            Change::Tombstone(tenant),
        ] {
            assert!(!concerns(&change, message));
        }
    }
}
