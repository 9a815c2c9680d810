//! Keys of what makes a change happen once: results of commands, and what was appended already.

use message::id::{CommandId, ID_LENGTH, MessageId, TenantId};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition, SYSTEM_TENANT};
use crate::record::spool::RecipientNumber;

/// Kind of the result of a command.
pub const RESULT: u8 = b'r';
/// Kind of the record that a message was appended for a recipient.
pub const APPENDED: u8 = b'a';

/// The result of a command. A caller that lost its reply knows nothing but the id, so results of all tenants stand
/// together; ids begin with their time, so the old ones are the first.
#[must_use]
pub fn result(command: CommandId) -> Key {
    KeyWriter::new(
        Keyspace::Once,
        SYSTEM_TENANT,
        Partition::OF_TENANT,
        RESULT,
        ID_LENGTH,
    )
    .put(command.as_bytes())
    .finish()
}

/// Where the message went for this recipient.
#[must_use]
pub fn appended(tenant: TenantId, message: MessageId, recipient: RecipientNumber) -> Key {
    KeyWriter::new(
        Keyspace::Once,
        tenant,
        Partition::of_message(message),
        APPENDED,
        ID_LENGTH + 2,
    )
    .put(message.as_bytes())
    .put(&recipient.get().to_be_bytes())
    .finish()
}

/// The command of the key of a result.
#[must_use]
pub fn parse_result(key: &[u8]) -> Option<CommandId> {
    let mut reader = KeyReader::new(key);
    reader.prefix(RESULT)?;
    let command = CommandId::from(reader.id()?);
    reader.end(command)
}

/// Message and recipient of the key of what was appended.
#[must_use]
pub fn parse_appended(key: &[u8]) -> Option<(TenantId, MessageId, RecipientNumber)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(APPENDED)?;
    let message = MessageId::from(reader.id()?);
    let recipient = RecipientNumber::new(reader.u16()?);
    reader.end((tenant, message, recipient))
}
