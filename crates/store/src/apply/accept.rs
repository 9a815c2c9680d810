//! Accept: a message becomes ours.

use std::sync::Arc;

use message::{id::CommandId, time::Timestamp};

use super::{Change, Outcome, Rejected, bounded, draft::Draft, rejected::Noun};
use crate::{
    batch::Op,
    blob,
    command::{Accept, Addressee, Proposal, Spooled},
    key::{self, Key, spool::DueKey, trail::TrailKey},
    record::{
        self, Record,
        blob::BlobRow,
        spool::{
            Arrival, Due, MAX_FACT_OCTETS, MAX_RECIPIENTS, MAX_VERDICTS, RecipientNumber, RecipientState,
            SpoolMessage, SpoolRecipient,
        },
        trail::{MAX_ACTOR_OCTETS, MAX_TRAIL_RECIPIENTS, TrailEvent, TrailRecipient, TrailStep},
    },
};

/// All changes of an accept: five records, two more for each recipient, and the end of the upload's mark.
pub(super) fn prepare(id: CommandId, at: Timestamp, command: &Accept) -> Result<Vec<Op>, Rejected> {
    check(command)?;
    let spooled = &*command.spooled;
    let mut ops = Vec::with_capacity(5 + 2 * spooled.recipients.len());
    put(
        &mut ops,
        key::spool::message(spooled.tenant, spooled.message),
        &spool_message(spooled)?,
    )?;
    for (number, addressee) in (0..).map(RecipientNumber::new).zip(&spooled.recipients) {
        let recipient = SpoolRecipient {
            address: addressee.address.clone(),
            original: addressee.original.clone(),
            route: addressee.route.clone(),
            state: RecipientState::Due(spooled.due),
            attempts: 0,
            last: None,
            options: addressee.options.clone(),
        };
        put(
            &mut ops,
            key::spool::recipient(spooled.tenant, spooled.message, number),
            &recipient,
        )?;
        put(&mut ops, due_key(spooled, addressee, number).key(), &Due)?;
    }
    put_blob(&mut ops, command)?;
    let step = TrailStep {
        at,
        command: id,
        actor: command.actor.clone(),
        event: event(command),
    };
    put(
        &mut ops,
        TrailKey::accepted(spooled.tenant, spooled.message).key(),
        &step,
    )?;
    Ok(ops)
}

pub(super) fn footprint(command: &Accept, keys: &mut Vec<Key>) {
    keys.push(key::blob::blob(command.spooled.tenant, command.spooled.blob.id));
}

pub(super) fn accept(
    command: &Accept,
    proposal: &Proposal,
    draft: &mut Draft<'_>,
) -> Result<Outcome, Rejected> {
    match &proposal.prepared {
        Some(prepared) => draft.extend(prepared.0.as_ref().map_err(Clone::clone)?),
        None => draft.extend(&prepare(proposal.id, proposal.at, command)?),
    }
    // An accept that is repeated after its result was swept must not count the references to its blob anew.
    let spooled = &command.spooled;
    if draft.is_taken(&key::blob::blob(spooled.tenant, spooled.blob.id))? {
        return Err(Rejected::Exists(Noun::Message));
    }
    draft.tell(Change::Accepted(Arc::clone(spooled)));
    Ok(Outcome::Done)
}

fn check(command: &Accept) -> Result<(), Rejected> {
    let spooled = &*command.spooled;
    if spooled.recipients.is_empty() {
        return Err(Rejected::NotPermitted("a message has a recipient"));
    }
    if spooled.blob.chunks == 0 {
        return Err(Rejected::NotPermitted("a blob has a chunk"));
    }
    bounded("recipients", spooled.recipients.len(), MAX_RECIPIENTS)?;
    for addressee in &spooled.recipients {
        bounded("recipient's path", addressee.original.len(), MAX_FACT_OCTETS)?;
    }
    bounded("actor's path", command.actor.len(), MAX_ACTOR_OCTETS)?;
    bounded("reply", command.reply.len(), MAX_FACT_OCTETS)?;
    check_arrival(&spooled.arrival)
}

fn check_arrival(arrival: &Arrival) -> Result<(), Rejected> {
    bounded("verdicts", arrival.verdicts.len(), MAX_VERDICTS)?;
    let facts = [&arrival.helo, &arrival.protocol];
    for fact in facts.into_iter().chain(&arrival.tls).chain(&arrival.verdicts) {
        bounded("peer fact", fact.len(), MAX_FACT_OCTETS)?;
    }
    Ok(())
}

fn spool_message(spooled: &Spooled) -> Result<SpoolMessage, Rejected> {
    let recipients =
        u16::try_from(spooled.recipients.len()).map_err(|_| Rejected::broken("recipients exceed u16"))?;
    Ok(SpoolMessage {
        reverse_path: spooled.reverse_path.clone(),
        body: spooled.body,
        blob: spooled.blob.clone(),
        arrival: spooled.arrival.clone(),
        priority: spooled.priority,
        recipients,
        pending: recipients,
        options: spooled.options.clone(),
    })
}

fn due_key(spooled: &Spooled, addressee: &Addressee, recipient: RecipientNumber) -> DueKey {
    DueKey {
        tenant: spooled.tenant,
        destination: addressee.route.destination(),
        priority: spooled.priority,
        due: spooled.due,
        message: spooled.message,
        recipient,
    }
}

fn put_blob(ops: &mut Vec<Op>, command: &Accept) -> Result<(), Rejected> {
    let spooled = &*command.spooled;
    let blob = &spooled.blob;
    let row = BlobRow {
        refs: 1,
        octets: blob.octets,
        checksum: blob.checksum,
        chunks: blob.chunks,
    };
    put(ops, key::blob::blob(spooled.tenant, blob.id), &row)?;
    let last = blob.chunks.saturating_sub(1);
    let chunk = command.last_chunk.clone();
    ops.push(Op::Put(
        blob::key::chunk_key(spooled.tenant, blob.id, last),
        chunk,
    ));
    if last > 0 {
        ops.push(Op::Delete(blob::key::upload_key(spooled.tenant, blob.id)));
    }
    Ok(())
}

fn event(command: &Accept) -> TrailEvent {
    let spooled = &*command.spooled;
    let named = spooled.recipients.iter().take(MAX_TRAIL_RECIPIENTS);
    TrailEvent::Accepted {
        arrival: Box::new(spooled.arrival.clone()),
        reverse_path: spooled.reverse_path.clone(),
        options: Box::new(spooled.options.clone()),
        recipients: named.map(name).collect(),
        octets: spooled.blob.octets,
        reply: command.reply.clone(),
    }
}

fn name(addressee: &Addressee) -> TrailRecipient {
    TrailRecipient {
        address: addressee.address.clone(),
        options: addressee.options.clone(),
    }
}

fn put<R: Record>(ops: &mut Vec<Op>, key: Key, record: &R) -> Result<(), Rejected> {
    ops.push(Op::Put(key, record::encode(record)?));
    Ok(())
}
