//! Verbs on mail that waits: a file for each.

mod delete;
mod list;
mod release;
mod show;
mod why;

use message::id::{AccountId, MessageId};
use store::{
    key::{Partition, spool::message as message_key},
    read::{ReadError, directory, spool},
    record::spool::{MAX_FACT_OCTETS, RecipientNumber, RecipientState, Route, SpoolMessage, SpoolRecipient},
    store::Store,
};
use supervision::{Phase, Value};

pub(in crate::shell) use self::{delete::delete, list::list, release::release, show::show, why::why};
use crate::{
    queue::why::{Queue, Retries, Rule, Waiting, Why, why as why_of},
    shell::desk::{Desk, Refused},
    subject,
    tree::DEFAULT_TENANT,
};

/// Where the local queue is in the tree, and its deliveries.
const QUEUE: &str = "/tenants/default/queues/local/queue";
const DELIVERIES: &str = "/tenants/default/queues/local/deliveries";
/// What every delivery needs.
const GATE: &str = "/store/gate";

/// Messages looked at for one answer; who wants more goes on behind the last.
const MAX_SCANNED: usize = 100_000;
/// Messages read at once.
const PAGE: usize = 256;

/// A message that waits, and its recipients that are not done.
pub(super) struct Entry {
    pub(super) id: MessageId,
    pub(super) message: SpoolMessage,
    pub(super) recipients: Vec<(RecipientNumber, SpoolRecipient)>,
}

impl Entry {
    fn is_held(&self) -> bool {
        let held =
            |(_, recipient): &(_, SpoolRecipient)| matches!(recipient.state, RecipientState::Held { .. });
        self.recipients.iter().any(held)
    }
}

/// A message in the spool, if it is there. Blocks.
pub(super) fn find(store: &Store, id: MessageId) -> Result<Option<Entry>, ReadError> {
    let snapshot = store.snapshot();
    let Some(message) = spool::message(&snapshot, DEFAULT_TENANT, id)? else {
        return Ok(None);
    };
    let recipients = spool::recipients(&snapshot, DEFAULT_TENANT, id)?;
    Ok(Some(Entry {
        id,
        message,
        recipients,
    }))
}

/// A message that must be in the spool.
async fn need(desk: &Desk, id: MessageId) -> Result<Entry, Refused> {
    let found = desk.read(move |store| find(store, id)).await??;
    found.ok_or_else(|| {
        Refused::failed(format!(
            "message {id} is not in the queue: it is done, or never was; trace tells what happened"
        ))
    })
}

/// Messages behind one, at most so many, and whether there may be more. Blocks.
fn page(
    store: &Store,
    after: Option<MessageId>,
    is_held: bool,
    limit: usize,
) -> Result<(Vec<Entry>, Option<MessageId>), ReadError> {
    let snapshot = store.snapshot();
    let mut found = Vec::new();
    let mut scanned = 0;
    for partition in spool::partitions_with_messages(&snapshot, DEFAULT_TENANT)? {
        let begun = after.filter(|after| Partition::of_message(*after) == partition);
        if begun.is_none() && after.is_some_and(|after| Partition::of_message(after) > partition) {
            continue;
        }
        let mut place = begun.map(|after| message_key(DEFAULT_TENANT, after).bytes);
        loop {
            let page = spool::messages(&snapshot, DEFAULT_TENANT, partition, place.as_deref(), PAGE)?;
            for (id, message) in page.rows {
                let recipients = spool::recipients(&snapshot, DEFAULT_TENANT, id)?;
                let entry = Entry {
                    id,
                    message,
                    recipients,
                };
                scanned += 1;
                if !is_held || entry.is_held() {
                    found.push(entry);
                }
                if found.len() >= limit || scanned >= MAX_SCANNED {
                    return Ok((found, Some(id)));
                }
            }
            place = page.next;
            if place.is_none() {
                break;
            }
        }
    }
    Ok((found, None))
}

/// Why each recipient of a message waits.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn whys(desk: &Desk, entry: &Entry) -> Result<Vec<(RecipientNumber, Why)>, Refused> {
    let queue = how(desk, entry.id).await;
    let accounts: Vec<AccountId> = entry
        .recipients
        .iter()
        .filter_map(|(_, recipient)| match recipient.route {
            Route::Local(account) => Some(account),
            Route::Remote(_) | Route::Discard => None,
        })
        .collect();
    let vanished = desk.read(move |store| vanished(store, accounts)).await??;
    let (now, retries) = (desk.clock.timestamp(), Retries::of(&desk.config()));
    let why = |(number, recipient): &(RecipientNumber, SpoolRecipient)| {
        let waiting = Waiting {
            id: entry.id,
            message: &entry.message,
            recipient,
            now,
            queue: queue.clone(),
            retries,
            vanished: matches!(&recipient.route, Route::Local(account) if vanished.contains(account)),
        };
        (*number, why_of(&waiting))
    };
    Ok(entry.recipients.iter().map(why).collect())
}

/// Those of the accounts that are not here any more. Blocks.
fn vanished(store: &Store, mut accounts: Vec<AccountId>) -> Result<Vec<AccountId>, ReadError> {
    let snapshot = store.snapshot();
    let mut gone = Vec::new();
    accounts.sort_unstable();
    accounts.dedup();
    for account in accounts {
        if directory::account(&snapshot, DEFAULT_TENANT, account)?.is_none() {
            gone.push(account);
        }
    }
    Ok(gone)
}

/// How the local queue is, as far as this message is concerned. The tree is read, and the queue's own numbers.
async fn how(desk: &Desk, id: MessageId) -> Queue {
    let Ok(running) = desk.running() else {
        return Queue::Asleep;
    };
    // Without it nothing is delivered, whoever else is at work.
    let gate = running.tree(GATE);
    if gate.iter().any(|row| row.suspended) {
        return Queue::Suspended(GATE.to_owned());
    }
    if !gate.iter().any(|row| row.phase == Phase::Up) {
        return Queue::Down(GATE.to_owned());
    }
    let about = subject::message(id);
    let rows = running.tree(DELIVERIES);
    let deliveries = rows.iter().filter(|row| row.path != DELIVERIES);
    if let Some(row) = deliveries.clone().find(|row| row.subject == Some(about)) {
        return Queue::Working {
            delivery: row.path.clone(),
            since: row.oldest.unwrap_or_default(),
        };
    }
    let queue = running.tree(QUEUE);
    if queue.iter().any(|row| row.suspended) {
        return Queue::Suspended(QUEUE.to_owned());
    }
    if !queue.iter().any(|row| row.phase == Phase::Up) {
        return Queue::Down(QUEUE.to_owned());
    }
    let free = deliveries
        .filter(|row| row.phase == Phase::Up && row.depth == 0)
        .count();
    let waiting = match running.inspect(QUEUE).await {
        Ok(numbers) => match numbers.value("waiting") {
            Some(Value::Number(waiting)) => *waiting,
            _ => 0,
        },
        // It is busy or was restarted a moment ago: then nobody knows.
        Err(_) => 0,
    };
    Queue::Up { free, waiting }
}

/// Whether a delivery works on a message now.
fn is_worked_on(desk: &Desk, id: MessageId) -> bool {
    let about = subject::message(id);
    desk.running().is_ok_and(|running| {
        running
            .tree(DELIVERIES)
            .iter()
            .any(|row| row.subject == Some(about))
    })
}

/// So many of them, in words.
fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// The rule, and where it is said.
fn ruled(desk: &Desk, rule: Rule) -> (Option<String>, Option<String>) {
    match rule {
        Rule::Key(key) => (Some(key.to_owned()), desk.origin(key)),
        Rule::BuiltIn(rule) => (Some(rule.to_owned()), None),
        Rule::Sender(rule) => (Some(format!("its sender: {rule}")), None),
        Rule::None => (None, None),
    }
}

/// Who did it, as the trail has it.
const ACTOR: &str = "/shell";

/// A sentence for the trail, within its bounds.
fn fact(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_FACT_OCTETS));
    text
}
