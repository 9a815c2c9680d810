//! `queue delete`: messages leave the queue for good.

use shell::{Answer, Block};
use store::{
    apply::Rejected,
    command::{Command, Remove},
    propose::ProposeError,
};

use super::{Entry, counted, find, need};
use crate::{
    shell::{
        change::Change,
        desk::{Desk, Refused, Request},
        values,
    },
    tree::DEFAULT_TENANT,
};

/// How often a message is looked at again whose recipients change while it is deleted.
const MAX_LOOKS: u32 = 5;

pub(in crate::shell) async fn delete(desk: &Desk, request: &Request) -> Result<Answer, Refused> {
    let mut entries = Vec::new();
    for id in values::messages(&request.call, "message")? {
        entries.push(need(desk, id).await?);
    }
    let recipients: usize = entries.iter().map(|entry| entry.recipients.len()).sum();
    let what = format!(
        "delete {} for {} not done",
        counted(entries.len() as u64, "message"),
        match recipients {
            1 => "1 recipient that is".to_owned(),
            recipients => format!("{recipients} recipients that are"),
        }
    );
    let why = match request.call.reason() {
        Some(reason) => format!("deleted by {}: {reason}", request.caller.name),
        None => format!("deleted by {}", request.caller.name),
    };
    let (touches, at, why) = (recipients as u64, desk.clone(), super::fact(why));
    let work = async move {
        let mut told = Vec::new();
        for entry in entries {
            told.extend(remove(&at, entry, &why).await?);
        }
        Ok(told)
    };
    Change::of(touches, what).make(desk, request, work).await
}

async fn remove(desk: &Desk, mut entry: Entry, why: &str) -> Result<Option<Block>, Refused> {
    let id = entry.id;
    for _ in 0..MAX_LOOKS {
        let remove = Command::Remove(Remove {
            tenant: DEFAULT_TENANT,
            message: id,
            blob: entry.message.blob.id,
            recipients: entry.recipients.iter().map(|(number, _)| *number).collect(),
            why: why.to_owned(),
            actor: super::ACTOR.to_owned(),
        });
        match desk.propose(remove).await {
            Ok(_) => return Ok(None),
            Err(ProposeError::Rejected(Rejected::NoSuchMessage)) => {
                return Ok(Some(Block::text(format!(
                    "message {id} was done in the meantime"
                ))));
            }
            // Some of its recipients were done since it was looked at.
            Err(ProposeError::Rejected(Rejected::Stale(_) | Rejected::NoSuchRecipient)) => {}
            Err(why) => return Err(why.into()),
        }
        match desk.read(move |store| find(store, id)).await?? {
            Some(again) => entry = again,
            None => {
                return Ok(Some(Block::text(format!(
                    "message {id} was done in the meantime"
                ))));
            }
        }
    }
    Err(Refused::failed(format!(
        "the recipients of message {id} change faster than it can be deleted"
    )))
}
