//! Keys of what accounts own: their state, mailboxes, messages, and what is left of deleted ones.
//!
//! Mailboxes are found by account and name; everything of one mailbox is found by its id, which is unique, so that the
//! keys of messages need not carry the account.

use message::id::{AccountId, BlobId, ID_LENGTH, MailboxId, TenantId};

use super::{Key, KeyReader, KeyWriter, Keyspace, Partition};
use crate::record::mailbox::{MailboxName, ModSeq, Uid};

/// Kind of a tenant's state.
pub const TENANT_STATE: u8 = b't';
/// Kind of an account's state.
pub const ACCOUNT_STATE: u8 = b'a';
/// Kind of a mailbox's name.
pub const NAME: u8 = b'n';
/// Kind of a mailbox.
pub const MAILBOX: u8 = b'x';
/// Kind of a mailbox's state.
pub const STATE: u8 = b's';
/// Kind of a message.
pub const MESSAGE: u8 = b'm';
/// Kind of an entry of the index of changed messages.
pub const CHANGED: u8 = b'c';
/// Kind of a record of expunged messages.
pub const VANISHED: u8 = b'v';
/// Kind of the rest of a deleted mailbox.
pub const TOMBSTONE: u8 = b'z';
/// Kind of the rest of a deleted blob.
pub const BLOB_TOMBSTONE: u8 = b'y';

/// A tenant's usage, limits and counters.
#[must_use]
pub fn tenant_state(tenant: TenantId) -> Key {
    KeyWriter::new(Keyspace::Mailbox, tenant, Partition::OF_TENANT, TENANT_STATE, 0).finish()
}

/// An account's usage, limits and counters.
#[must_use]
pub fn account_state(tenant: TenantId, account: AccountId) -> Key {
    writer(tenant, account, ACCOUNT_STATE, ID_LENGTH)
        .put(account.as_bytes())
        .finish()
}

/// Which mailbox of an account has this name.
#[must_use]
pub fn name(tenant: TenantId, account: AccountId, name: &MailboxName) -> Key {
    let text = name.as_str();
    writer(tenant, account, NAME, ID_LENGTH + text.len())
        .put(account.as_bytes())
        .put(text.as_bytes())
        .finish()
}

/// The front of the keys of all names of an account.
#[must_use]
pub fn names(tenant: TenantId, account: AccountId) -> Vec<u8> {
    writer(tenant, account, NAME, ID_LENGTH)
        .put(account.as_bytes())
        .finish()
        .bytes
}

/// The place of everything that is kept of one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxKey {
    /// Whose account it is in.
    pub tenant: TenantId,
    /// Whose mailbox it is: decides the partition.
    pub account: AccountId,
    /// Which mailbox.
    pub mailbox: MailboxId,
}

impl MailboxKey {
    /// Name, owner and rights.
    #[must_use]
    pub fn mailbox(&self) -> Key {
        self.writer(MAILBOX, 0).finish()
    }

    /// UIDs, MODSEQ and counts.
    #[must_use]
    pub fn state(&self) -> Key {
        self.writer(STATE, 0).finish()
    }

    /// One message.
    #[must_use]
    pub fn message(&self, uid: Uid) -> Key {
        self.writer(MESSAGE, 4).put(&uid.get().to_be_bytes()).finish()
    }

    /// The entry of a message whose flags changed, in the order of changes.
    #[must_use]
    pub fn changed(&self, modseq: ModSeq, uid: Uid) -> Key {
        self.writer(CHANGED, 12)
            .put(&modseq.get().to_be_bytes())
            .put(&uid.get().to_be_bytes())
            .finish()
    }

    /// The UIDs that were expunged at a MODSEQ.
    #[must_use]
    pub fn vanished(&self, modseq: ModSeq) -> Key {
        self.writer(VANISHED, 8).put(&modseq.get().to_be_bytes()).finish()
    }

    /// The front of all keys of one kind of this mailbox.
    #[must_use]
    pub fn all(&self, kind: u8) -> Vec<u8> {
        self.writer(kind, 0).finish().bytes
    }

    /// What is left of the mailbox after its deletion. Tombstones of a tenant stand together, so that they are found
    /// with one scan.
    #[must_use]
    pub fn tombstone(&self) -> Key {
        tombstone(self.tenant, self.mailbox)
    }

    fn writer(&self, kind: u8, more: usize) -> KeyWriter {
        writer(self.tenant, self.account, kind, ID_LENGTH + more).put(self.mailbox.as_bytes())
    }
}

/// What is left of a deleted mailbox.
#[must_use]
pub fn tombstone(tenant: TenantId, mailbox: MailboxId) -> Key {
    KeyWriter::new(
        Keyspace::Mailbox,
        tenant,
        Partition::OF_TENANT,
        TOMBSTONE,
        ID_LENGTH,
    )
    .put(mailbox.as_bytes())
    .finish()
}

/// What is left of a deleted blob that has more chunks than one command may remove.
#[must_use]
pub fn blob_tombstone(tenant: TenantId, blob: BlobId) -> Key {
    KeyWriter::new(
        Keyspace::Mailbox,
        tenant,
        Partition::OF_TENANT,
        BLOB_TOMBSTONE,
        ID_LENGTH,
    )
    .put(blob.as_bytes())
    .finish()
}

/// Account and name of the key of a mailbox's name.
#[must_use]
pub fn parse_name(key: &[u8]) -> Option<(TenantId, AccountId, MailboxName)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(NAME)?;
    let account = AccountId::from(reader.id()?);
    let name = MailboxName::new(reader.rest_as_text()?).ok()?;
    Some((tenant, account, name))
}

/// Tenant and id behind the prefix of the key of a mailbox, a mailbox's state, an account's state or a tombstone.
#[must_use]
pub fn parse_id(key: &[u8], kind: u8) -> Option<(TenantId, message::id::Id)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(kind)?;
    let id = reader.id()?;
    reader.end((tenant, id))
}

/// Mailbox and UID of the key of a message.
#[must_use]
pub fn parse_message(key: &[u8]) -> Option<(TenantId, MailboxId, Uid)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(MESSAGE)?;
    let mailbox = MailboxId::from(reader.id()?);
    let uid = Uid::new(reader.u32()?);
    reader.end((tenant, mailbox, uid))
}

/// Mailbox, MODSEQ and UID of an entry of the index of changed messages.
#[must_use]
pub fn parse_changed(key: &[u8]) -> Option<(TenantId, MailboxId, ModSeq, Uid)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(CHANGED)?;
    let mailbox = MailboxId::from(reader.id()?);
    let modseq = ModSeq::new(reader.u64()?);
    let uid = Uid::new(reader.u32()?);
    reader.end((tenant, mailbox, modseq, uid))
}

/// Mailbox and MODSEQ of the key of a record of expunged messages.
#[must_use]
pub fn parse_vanished(key: &[u8]) -> Option<(TenantId, MailboxId, ModSeq)> {
    let mut reader = KeyReader::new(key);
    let (tenant, _) = reader.prefix(VANISHED)?;
    let mailbox = MailboxId::from(reader.id()?);
    let modseq = ModSeq::new(reader.u64()?);
    reader.end((tenant, mailbox, modseq))
}

fn writer(tenant: TenantId, account: AccountId, kind: u8, more: usize) -> KeyWriter {
    KeyWriter::new(
        Keyspace::Mailbox,
        tenant,
        Partition::of_account(account),
        kind,
        more,
    )
}
