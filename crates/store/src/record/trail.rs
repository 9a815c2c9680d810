//! The trail: what happened to a message, kept longer than the message.

mod version1;

use message::{
    address::{EmailAddress, ReversePath},
    envelope::{MailOptions, RecipientOptions},
    id::{AccountId, CommandId, MailboxId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{
    Record, fields_of,
    mailbox::{Parsed, Uid, UidValidity},
    spool::Arrival,
};

/// One step of a message's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailStep {
    /// When.
    pub at: Timestamp,
    /// Which command wrote it: a repeat of that command finds it here.
    pub command: CommandId,
    /// The path of the actor that proposed it, at most [`MAX_ACTOR_OCTETS`].
    pub actor: String,
    /// What happened.
    pub event: TrailEvent,
}

/// Octets of an actor's path.
pub const MAX_ACTOR_OCTETS: usize = 256;

impl Record for TrailStep {
    const NAME: &'static str = "trail step";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        match version {
            1 => fields_of::<version1::TrailStep>(fields).map(Self::from),
            _ => None,
        }
    }
}

/// What happened to a message or to one of its recipients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrailEvent {
    /// The message became ours.
    Accepted {
        /// When and from whom it came.
        arrival: Box<Arrival>,
        /// From whom it claims to be.
        reverse_path: ReversePath,
        /// What MAIL asked for besides.
        options: Box<MailOptions>,
        /// For whom, the first [`MAX_TRAIL_RECIPIENTS`] of them.
        recipients: Vec<TrailRecipient>,
        /// Octets of the message.
        octets: u64,
        /// What the peer was told.
        reply: String,
    },
    /// The message is in a mailbox.
    Appended {
        /// Whose.
        account: AccountId,
        /// Which.
        mailbox: MailboxId,
        /// In which life of it.
        uid_validity: UidValidity,
        /// Under which UID.
        uid: Uid,
        /// How well it was understood.
        parsed: Parsed,
    },
    /// An attempt ended.
    Settled(Settlement),
    /// An operator took the recipient out of the spool.
    Removed {
        /// Why.
        why: String,
    },
}

/// A recipient as the first step of a trail names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrailRecipient {
    /// Who.
    pub address: EmailAddress,
    /// What RCPT asked for besides.
    pub options: RecipientOptions,
}

/// How many recipients the first step of a trail names; the others have steps of their own when something happens.
pub const MAX_TRAIL_RECIPIENTS: usize = 100;

/// The end of an attempt at one recipient. Reasons are at most
/// [`MAX_FACT_OCTETS`](super::spool::MAX_FACT_OCTETS).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Settlement {
    /// It is done.
    Delivered {
        /// What the next hop said, or what we did.
        reply: String,
    },
    /// Not now.
    Deferred {
        /// When it may be tried again.
        next_due: Timestamp,
        /// Why.
        why: String,
    },
    /// Never.
    Bounced {
        /// Why.
        why: String,
    },
    /// Only an operator can help.
    Held {
        /// Why.
        why: String,
    },
}
