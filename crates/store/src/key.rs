//! Where a record lives: a keyspace and the bytes of a key in it.
//!
//! Every key of mail begins with the tenant (4 octets, big-endian) and the partition (2 octets), so that a tenant can
//! be moved or dropped as a range and a partition can be fenced.

/// One of the keyspaces of the store. `docs/store.md` lists their options: the engine fixes them at creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Keyspace {
    /// Format number, sequence, and other facts about the store itself.
    Meta,
    /// Tenants, domains, accounts, aliases.
    Directory,
    /// Messages that are ours and not done yet, their recipients, and the due index.
    Spool,
    /// Mailboxes, their messages, and usage.
    Mailbox,
    /// Reference counts and chunks of message bytes; values are separated from keys on disk.
    Blob,
    /// What happened to each message.
    Trail,
    /// Results of commands and idempotence rows, kept for a bounded time.
    Once,
}

impl Keyspace {
    /// All keyspaces, in the order in which they are created.
    pub const ALL: [Self; 7] =
        [Self::Meta, Self::Directory, Self::Spool, Self::Mailbox, Self::Blob, Self::Trail, Self::Once];

    /// The name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Directory => "directory",
            Self::Spool => "spool",
            Self::Mailbox => "mailbox",
            Self::Blob => "blob",
            Self::Trail => "trail",
            Self::Once => "once",
        }
    }
}

/// The address of one record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The keyspace.
    pub space: Keyspace,
    /// The bytes; keys of one keyspace order as their bytes do.
    pub bytes: Vec<u8>,
}
