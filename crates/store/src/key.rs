//! Where a record lives: a keyspace and the bytes of a key in it.
//!
//! Every key of mail begins with the tenant (4 octets, big-endian), the partition (2 octets) and a letter for its kind,
//! so that a tenant can be moved or dropped as a range and a partition can be fenced. What belongs to an account lives
//! in the account's partition, what belongs to a message on its way in the partition of the node that accepted it:
//! ids begin with their time, so what one node accepts is written in key order. What belongs to a tenant as a whole
//! lives in partition 0 of that tenant, and what must be unique over all tenants in tenant 0.

pub mod audit;
pub mod ban;
pub mod blob;
pub mod configuration;
pub mod directory;
pub mod mailbox;
pub mod once;
pub mod spool;
pub mod trail;
pub mod upkeep;

use std::fmt;

use message::id::{AccountId, ID_LENGTH, Id, MessageId, TenantId};

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
    /// What happened to each message, and what operators did.
    Trail,
    /// Results of commands and idempotence rows, kept for a bounded time.
    Once,
}

impl Keyspace {
    /// All keyspaces, in the order in which they are created.
    pub const ALL: [Self; 7] = [
        Self::Meta,
        Self::Directory,
        Self::Spool,
        Self::Mailbox,
        Self::Blob,
        Self::Trail,
        Self::Once,
    ];

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
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The keyspace.
    pub space: Keyspace,
    /// The bytes; keys of one keyspace order as their bytes do.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Key {
    /// `keyspace:` and the bytes in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.space.name())?;
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A part of a tenant's records that one node owns at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Partition(u16);

/// How many partitions a tenant has. Part of the format: an account's partition follows from it.
pub const PARTITIONS: u16 = 256;

/// The tenant under which lives what must be unique over all tenants.
pub const SYSTEM_TENANT: TenantId = TenantId::new(0);

impl Partition {
    /// Where records of a tenant as a whole live.
    pub const OF_TENANT: Self = Self(0);

    /// The partition with this number; numbers from [`PARTITIONS`] on wrap.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number % PARTITIONS)
    }

    /// Where an account and its mailboxes live: CRC-32 of the id, spread over the partitions.
    #[must_use]
    pub fn of_account(account: AccountId) -> Self {
        Self::new((crc32fast::hash(account.as_bytes()) % u32::from(PARTITIONS)) as u16)
    }

    /// Where a message on its way lives: with the node that accepted it, whose number its id carries.
    #[must_use]
    pub const fn of_message(message: MessageId) -> Self {
        Self::new(message.id().node().get())
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// Octets before the part of a key that its kind defines: tenant, partition, kind.
pub const PREFIX_OCTETS: usize = 7;

/// The prefix of all keys of one kind in one partition.
#[must_use]
pub fn prefix(tenant: TenantId, partition: Partition, kind: u8) -> [u8; PREFIX_OCTETS] {
    let [a, b, c, d] = tenant.get().to_be_bytes();
    let [e, f] = partition.get().to_be_bytes();
    [a, b, c, d, e, f, kind]
}

/// The first key behind all keys with this prefix; `None` when there is none.
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != u8::MAX)?;
    let mut after = prefix.get(..=last)?.to_vec();
    *after.last_mut()? += 1;
    Some(after)
}

/// Writes a key: its prefix, then its parts in order.
pub(crate) struct KeyWriter {
    space: Keyspace,
    bytes: Vec<u8>,
}

impl KeyWriter {
    pub(crate) fn new(
        space: Keyspace,
        tenant: TenantId,
        partition: Partition,
        kind: u8,
        more: usize,
    ) -> Self {
        let mut bytes = Vec::with_capacity(PREFIX_OCTETS + more);
        bytes.extend_from_slice(&prefix(tenant, partition, kind));
        Self { space, bytes }
    }

    pub(crate) fn put(mut self, part: &[u8]) -> Self {
        self.bytes.extend_from_slice(part);
        self
    }

    pub(crate) fn finish(self) -> Key {
        Key {
            space: self.space,
            bytes: self.bytes,
        }
    }
}

/// Reads a key from its front; every step is `None` when the octets do not suffice.
pub(crate) struct KeyReader<'k> {
    rest: &'k [u8],
}

impl<'k> KeyReader<'k> {
    pub(crate) const fn new(bytes: &'k [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Tenant and partition of a key of this kind; `None` for a key of another kind.
    pub(crate) fn prefix(&mut self, kind: u8) -> Option<(TenantId, Partition)> {
        let tenant = TenantId::new(self.u32()?);
        let partition = self.u16()?;
        (self.u8()? == kind && partition < PARTITIONS).then_some((tenant, Partition(partition)))
    }

    pub(crate) fn id(&mut self) -> Option<Id> {
        self.array::<ID_LENGTH>().map(Id::from_bytes)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub(crate) fn text(&mut self, octets: usize) -> Option<&'k str> {
        let (text, rest) = self.rest.split_at_checked(octets)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    pub(crate) fn rest_as_text(self) -> Option<&'k str> {
        std::str::from_utf8(self.rest).ok()
    }

    /// The value, if the key ends here.
    pub(crate) fn end<T>(self, value: T) -> Option<T> {
        self.rest.is_empty().then_some(value)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (part, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*part)
    }
}

#[cfg(test)]
mod tests;
