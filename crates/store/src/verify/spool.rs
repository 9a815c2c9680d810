//! Verifies the spool: messages, their recipients, and the due index.

use bytes::Bytes;
use message::id::TenantId;

use super::{Check, Finding, PAGE, Problem};
use crate::{
    blob::BlobRef,
    engine::{Snapshot, StoreError},
    key::{
        self, Key, Keyspace, Partition,
        spool::{self as keys, DueKey},
    },
    read::Range,
    record::spool::{Due, RecipientState, SpoolMessage, SpoolRecipient},
};

impl<S: Snapshot, B, F> Check<'_, S, B, F>
where
    B: FnMut(TenantId, &BlobRef) -> Result<(), String>,
    F: FnMut(Finding),
{
    pub(super) fn spool_row(&mut self, kind: u8, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        match kind {
            keys::MESSAGE => self.spooled(key, octets),
            keys::RECIPIENT => self.recipient(key, octets),
            keys::DUE => self.due(key, octets),
            _ => {
                self.find(key, Problem::Unknown);
                Ok(())
            }
        }
    }

    fn spooled(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, id), row)) = self.decode::<_, SpoolMessage>(key, octets, keys::parse_message)
        else {
            return Ok(());
        };
        self.counts.references.count(tenant, row.blob.id);
        let mut front = key::prefix(tenant, Partition::of_message(id), keys::RECIPIENT).to_vec();
        front.extend_from_slice(id.as_bytes());
        let recipients = self.count(Keyspace::Spool, &front)?;
        self.compare(
            key,
            "recipients that are not done",
            row.pending.into(),
            recipients,
        );
        self.expect(key, row.pending > 0, "the message has nobody to go to");
        self.blob_agrees(key, tenant, &row.blob)
    }

    fn recipient(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some(((tenant, id, recipient), row)) =
            self.decode::<_, SpoolRecipient>(key, octets, keys::parse_recipient)
        else {
            return Ok(());
        };
        let Some(message) = self.look::<SpoolMessage>(&keys::message(tenant, id))? else {
            self.find(key, Problem::Dangling("the recipient's message is not there"));
            return Ok(());
        };
        self.expect(
            key,
            recipient.get() < message.recipients,
            "the message has fewer recipients",
        );
        if let RecipientState::Due(due) = row.state {
            let destination = row.route.destination();
            let due = DueKey {
                tenant,
                destination,
                priority: message.priority,
                due,
                message: id,
                recipient,
            };
            let there = self.snapshot.get(&due.key())?.is_some();
            self.expect(key, there, "the recipient is not in the due index");
        }
        Ok(())
    }

    fn due(&mut self, key: &Key, octets: &Bytes) -> Result<(), StoreError> {
        let Some((due, Due)) = self.decode(key, octets, DueKey::parse) else {
            return Ok(());
        };
        let recipient = keys::recipient(due.tenant, due.message, due.recipient);
        let recipient: Option<SpoolRecipient> = self.look(&recipient)?;
        let same = recipient.is_some_and(|recipient| {
            recipient.state == RecipientState::Due(due.due)
                && recipient.route.destination() == due.destination
        });
        self.expect(key, same, "the entry's recipient is not due then and there");
        Ok(())
    }

    /// How many rows begin so.
    pub(super) fn count(&self, space: Keyspace, front: &[u8]) -> Result<u64, StoreError> {
        let mut counted = 0;
        let mut after = None;
        loop {
            let page = Range::of(space, front)
                .after(after.as_deref())
                .octets(self.snapshot, PAGE)?;
            counted += page.rows.len() as u64;
            after = page.next;
            if after.is_none() {
                return Ok(counted);
            }
        }
    }
}
