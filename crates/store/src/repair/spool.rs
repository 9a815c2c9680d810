//! Mends the spool: a message has its octets and recipients, and who is due is in the index.

use super::{Mender, kind_of};
use crate::{
    engine::{Snapshot, StoreError},
    key::{
        Key,
        spool::{self as keys, DueKey},
    },
    record::spool::{Due, RecipientState, SpoolMessage, SpoolRecipient},
};

impl<S: Snapshot> Mender<S> {
    pub(super) fn mend_spool(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        match kind_of(key) {
            keys::MESSAGE => self.mend_spooled(key, why),
            keys::RECIPIENT => self.mend_recipient(key, why),
            _ => self.set_aside(key, why),
        }
    }

    pub(super) fn recount_spooled(&mut self, key: &Key, what: &str, counted: u64) -> Result<(), StoreError> {
        let Some(mut row) = self.read::<SpoolMessage>(key)? else {
            return Ok(());
        };
        if counted == 0 {
            return self.set_aside(key, what);
        }
        row.pending = u16::try_from(counted).unwrap_or(u16::MAX);
        self.put(key, &row, "counted again")
    }

    fn mend_spooled(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, _), row)) = keys::parse_message(&key.bytes).zip(self.read::<SpoolMessage>(key)?)
        else {
            return self.set_aside(key, why);
        };
        if row.pending == 0 || !self.mend_blob_of(tenant, &row.blob, why)? {
            return self.set_aside(key, why);
        }
        Ok(())
    }

    fn mend_recipient(&mut self, key: &Key, why: &str) -> Result<(), StoreError> {
        let Some(((tenant, id, number), row)) =
            keys::parse_recipient(&key.bytes).zip(self.read::<SpoolRecipient>(key)?)
        else {
            return self.set_aside(key, why);
        };
        let message_key = keys::message(tenant, id);
        let Some(mut message) = self.read::<SpoolMessage>(&message_key)? else {
            return self.set_aside(key, why);
        };
        if message.recipients <= number.get() {
            message.recipients = number.get().saturating_add(1);
            self.put(&message_key, &message, why)?;
        }
        let RecipientState::Due(due) = row.state else {
            return Ok(());
        };
        let entry = DueKey {
            tenant,
            destination: row.route.destination(),
            priority: message.priority,
            due,
            message: id,
            recipient: number,
        };
        self.put(&entry.key(), &Due, why)
    }
}
