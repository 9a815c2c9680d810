//! Facts for the change feed: what the live actors need to know. Hints: whoever misses one reads again.

use std::sync::Arc;

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, MailboxId, MessageId, TenantId},
    time::Timestamp,
};

use crate::{
    command::Spooled,
    record::{
        ban::{Ban, Network},
        mailbox::{Flags, MailboxState, ModSeq, Uid},
        spool::{Destination, Priority, RecipientNumber},
    },
};

/// A fact for the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A tenant, or what it may have, changed.
    Tenant(TenantId),
    /// A domain came, went or changed.
    Domain(TenantId, DomainName),
    /// An account, its password or what it may have changed, or it is gone.
    Account(TenantId, AccountId),
    /// An address came, went or changed.
    Address(TenantId, EmailAddress),
    /// A message is in the spool, all its recipients due at `due`.
    Accepted(Arc<Spooled>),
    /// A recipient waits for its next attempt.
    Deferred {
        /// Whose message it is.
        tenant: TenantId,
        /// Which message.
        message: MessageId,
        /// Which of its recipients.
        recipient: RecipientNumber,
        /// In which queue.
        destination: Destination,
        /// What goes first.
        priority: Priority,
        /// Until when.
        due: Timestamp,
    },
    /// A recipient waits for an operator.
    Held {
        /// Whose message it is.
        tenant: TenantId,
        /// Which message.
        message: MessageId,
        /// Which of its recipients.
        recipient: RecipientNumber,
    },
    /// A recipient is done, and with the last the message is gone from the spool.
    RecipientDone {
        /// Whose message it is.
        tenant: TenantId,
        /// Which message.
        message: MessageId,
        /// Which of its recipients.
        recipient: RecipientNumber,
        /// How many are left.
        pending: u16,
    },
    /// An operator took a message out of the spool.
    Removed {
        /// Whose message it was.
        tenant: TenantId,
        /// Which message.
        message: MessageId,
    },
    /// Messages of a mailbox changed.
    Mailbox(MailboxChange),
    /// Mailboxes of an account came, went or were renamed.
    MailboxList {
        /// Whose account.
        tenant: TenantId,
        /// Whose mailboxes.
        account: AccountId,
        /// Since which MODSEQ.
        modseq: ModSeq,
    },
    /// A network was banned like this, or its ban was taken back.
    Ban(Network, Option<Ban>),
    /// There is something to reap.
    Tombstone(TenantId),
}

/// A change of the messages of one mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxChange {
    /// Whose account.
    pub tenant: TenantId,
    /// Which mailbox; its owner is in the state.
    pub mailbox: MailboxId,
    /// The mailbox after the change.
    pub state: MailboxState,
    /// What changed, at the state's highest MODSEQ.
    pub what: MailboxEvent,
}

/// What changed in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailboxEvent {
    /// A message came.
    Appended {
        /// Its UID.
        uid: Uid,
        /// Which message.
        message: MessageId,
        /// Its octets.
        size: u64,
        /// Its flags.
        flags: Flags,
    },
    /// Flags of messages changed; read them again.
    FlagsChanged(Vec<Uid>),
    /// Messages went.
    Expunged(Vec<Uid>),
    /// The mailbox went.
    Deleted,
}
