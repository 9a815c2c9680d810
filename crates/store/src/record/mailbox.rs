//! Records of mailboxes and their messages.

mod flags;
mod name;
mod rights;

use bytes::Bytes;
use message::{
    id::{AccountId, MailboxId, MessageId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

pub use flags::{Flags, Keyword, KeywordError, MAX_KEYWORD_OCTETS, MAX_KEYWORDS, SystemFlags};
pub use name::{MAX_MAILBOX_DEPTH, MAX_MAILBOX_NAME_OCTETS, MailboxName, NameError, SEPARATOR};
pub use rights::{Grant, MAX_GRANTS, Rights};

use super::{Record, state::Usage};
use crate::blob::BlobRef;

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($number:ty);)+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name($number);

        impl $name {
            /// The number, with its meaning.
            #[must_use]
            pub const fn new(number: $number) -> Self {
                Self(number)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> $number {
                self.0
            }

            /// The number after this; `None` when there is no more.
            #[must_use]
            pub fn next(self) -> Option<Self> {
                self.0.checked_add(1).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

numbers! {
    /// The number of a message in a mailbox, from 1, never given twice. RFC 9051 §2.3.1.1
    Uid(u32);
    /// Which life of a mailbox its UIDs belong to. RFC 9051 §2.3.1.1
    UidValidity(u32);
    /// The number of a change of an account, from 1; at most 63 bits. RFC 7162 §3.1
    ModSeq(u64);
}

/// Which mailbox has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The mailbox.
    pub mailbox: MailboxId,
}

impl Record for Named {
    const NAME: &'static str = "mailbox name";
    const VERSION: u8 = 1;
}

/// What of a mailbox its owner decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its name.
    pub name: MailboxName,
    /// Whose it is.
    pub owner: AccountId,
    /// What it is for, as clients show it. RFC 6154
    pub special_use: Option<SpecialUse>,
    /// Whether its owner's clients show it. RFC 9051 §6.3.7
    pub subscribed: bool,
    /// Rights of others, by identifier; the owner has all. RFC 4314
    pub rights: Vec<Grant>,
    /// Since when.
    pub created: Timestamp,
}

impl Record for Mailbox {
    const NAME: &'static str = "mailbox";
    const VERSION: u8 = 1;
}

/// What a mailbox is for. RFC 6154 §2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SpecialUse {
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

/// What of a mailbox changes with its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxState {
    /// Whose it is.
    pub owner: AccountId,
    /// Which life of its name this is.
    pub uid_validity: UidValidity,
    /// The UID of the next message.
    pub uid_next: Uid,
    /// The MODSEQ of its newest change; its creation is the first.
    pub highest_modseq: ModSeq,
    /// Octets and messages.
    pub usage: Usage,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Records of expunged messages.
    pub vanished: u32,
    /// Records of expunged messages up to this MODSEQ have been swept: to a client that was last here before it,
    /// every UID that it asks about and that is not there has vanished.
    pub vanished_floor: ModSeq,
}

impl Record for MailboxState {
    const NAME: &'static str = "mailbox state";
    const VERSION: u8 = 1;
}

/// A message in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxMessage {
    /// Which message: its trail.
    pub message: MessageId,
    /// Its octets as they were accepted.
    pub blob: BlobRef,
    /// Header fields that stand before them when the message is read (Return-Path: RFC 5321 §4.4); whole lines with
    /// CRLF, usually none. They belong to the delivery, not to the blob, which recipients share.
    pub prefix: Bytes,
    /// Octets of both together: RFC822.SIZE, and what usage counts.
    pub size: u64,
    /// Flags and keywords.
    pub flags: Flags,
    /// INTERNALDATE: when it arrived.
    pub internal_date: Timestamp,
    /// The MODSEQ at which it was appended: grows with the UID.
    pub appended: ModSeq,
    /// The MODSEQ at which it was last changed; when it is not `appended`, the index of changes has an entry.
    pub modseq: ModSeq,
    /// How well it was understood.
    pub parsed: Parsed,
    /// Envelope and body structure, in the versioned encoding of `message`; opaque here.
    pub structure: Option<Bytes>,
}

impl Record for MailboxMessage {
    const NAME: &'static str = "message";
    const VERSION: u8 = 1;
}

/// How well a message was understood when it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parsed {
    /// Its structure is complete.
    Whole,
    /// A limit of the parser cut the structure short.
    Partly,
    /// It was appended without being parsed, because parsing it failed more than once.
    Not,
}

/// An entry of the index of changed messages: its key says everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed;

impl Record for Changed {
    const NAME: &'static str = "change of a message";
    const VERSION: u8 = 1;
}

/// The UIDs that were expunged at one MODSEQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vanished {
    /// When.
    pub at: Timestamp,
    /// First and last UID of each run, growing.
    pub runs: Vec<(Uid, Uid)>,
}

impl Vanished {
    /// The record of these UIDs, which must be growing.
    #[must_use]
    pub fn new(at: Timestamp, uids: &[Uid]) -> Self {
        let mut runs: Vec<(Uid, Uid)> = Vec::new();
        for &uid in uids {
            match runs.last_mut() {
                Some((_, last)) if last.next() == Some(uid) => *last = uid,
                _ => runs.push((uid, uid)),
            }
        }
        Self { at, runs }
    }
}

impl Record for Vanished {
    const NAME: &'static str = "expunged messages";
    const VERSION: u8 = 1;
}

/// Octets of header fields before the octets of a message.
pub const MAX_PREFIX_OCTETS: usize = 1024;
/// Octets of a stored structure. A message with a larger one is stored without and parsed again when it is asked for:
/// a change of flags writes the record again, and many of them must fit one batch.
pub const MAX_STRUCTURE_OCTETS: usize = 12 << 10;
