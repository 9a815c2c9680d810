//! Records of the spool: the durable contents of the queues.

mod version1;

use std::net::SocketAddr;

use message::{
    address::{DomainName, EmailAddress, ReversePath},
    envelope::{BodyKind, MailOptions, MtPriority, RecipientOptions},
    id::{AccountId, ConnectionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Record, fields_of};
use crate::blob::BlobRef;

/// A message on its way: it is here until the last of its recipients is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolMessage {
    /// Where a report of failure goes.
    pub reverse_path: ReversePath,
    /// What MAIL said about the octets of the body.
    pub body: BodyKind,
    /// Its octets.
    pub blob: BlobRef,
    /// When and from whom it came.
    pub arrival: Arrival,
    /// What goes first.
    pub priority: Priority,
    /// How many recipients it had; they are numbered from 0.
    pub recipients: u16,
    /// How many of them are not done.
    pub pending: u16,
    /// What MAIL asked for besides: whoever sends the message on asks for the same.
    pub options: MailOptions,
}

impl Record for SpoolMessage {
    const NAME: &'static str = "spooled message";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        match version {
            1 => fields_of::<version1::SpoolMessage>(fields).map(Self::from),
            _ => None,
        }
    }
}

/// When a message came, and from whom: peer facts. Strings are printable and at most [`MAX_FACT_OCTETS`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// On which connection; none for a message that we composed.
    pub connection: Option<ConnectionId>,
    /// The other end of it.
    pub peer: Option<SocketAddr>,
    /// What the peer called itself in EHLO or HELO.
    pub helo: String,
    /// The protocol as `Received` names it: `ESMTPS`. RFC 3848
    pub protocol: String,
    /// Version and cipher suite of TLS, as they are shown; none in the clear.
    pub tls: Option<String>,
    /// Who had logged in.
    pub login: Option<AccountId>,
    /// What was found out about the sender, each as it is shown: `spf=pass`. At most [`MAX_VERDICTS`].
    pub verdicts: Vec<String>,
}

impl Arrival {
    /// An arrival of which nothing but the time is known.
    #[must_use]
    pub const fn new(at: Timestamp) -> Self {
        Self {
            at,
            connection: None,
            peer: None,
            helo: String::new(),
            protocol: String::new(),
            tls: None,
            login: None,
            verdicts: Vec::new(),
        }
    }
}

/// Octets of one fact, reply or reason that is kept.
pub const MAX_FACT_OCTETS: usize = 1024;
/// How many verdicts are kept.
pub const MAX_VERDICTS: usize = 16;

/// The number of a recipient of a message, from 0, in the order of RCPT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecipientNumber(u16);

impl RecipientNumber {
    /// The number, with its meaning.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// How many recipients a message may have. RFC 5321 §4.5.3.1.8 asks for at least 100; a batch bounds it above.
pub const MAX_RECIPIENTS: usize = 1000;

/// A recipient that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolRecipient {
    /// Who.
    pub address: EmailAddress,
    /// The path as the client wrote it: what a report quotes.
    pub original: String,
    /// How it goes there.
    pub route: Route,
    /// What it waits for.
    pub state: RecipientState,
    /// How often it was settled without being done; the number of its last step on the trail.
    pub attempts: u32,
    /// The end of the last attempt.
    pub last: Option<Attempt>,
    /// What RCPT asked for besides.
    pub options: RecipientOptions,
}

impl Record for SpoolRecipient {
    const NAME: &'static str = "recipient";
    const VERSION: u8 = 2;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        match version {
            1 => fields_of::<version1::SpoolRecipient>(fields).map(Self::from),
            _ => None,
        }
    }
}

/// How a recipient gets the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Route {
    /// Into a mailbox of this account.
    Local(AccountId),
    /// To the mail exchangers of this domain.
    Remote(DomainName),
    /// Nowhere: the message is done without a delivery. For measuring intake alone.
    Discard,
}

impl Route {
    /// The queue that it waits in.
    #[must_use]
    pub fn destination(&self) -> Destination {
        match self {
            Self::Local(_) | Self::Discard => Destination::Local,
            Self::Remote(domain) => Destination::Remote(domain.clone()),
        }
    }
}

/// A queue: what the due index is divided by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Destination {
    /// This server.
    Local,
    /// A domain elsewhere.
    Remote(DomainName),
}

impl Destination {
    /// As keys have it: empty, or the domain.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Local => "",
            Self::Remote(domain) => domain.as_str(),
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::Local);
        }
        DomainName::parse(text.as_bytes()).ok().map(Self::Remote)
    }
}

/// What goes first; the lower the sooner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Priority {
    /// Before all others.
    High = 0,
    /// As they come.
    #[default]
    Normal = 1,
    /// When nothing else waits.
    Low = 2,
}

impl Priority {
    /// All, the first first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// Where a message stands whose sender said this of it. Three steps are enough for one server: MT-PRIORITY goes
    /// with the message and tells the others more. RFC 6710 §5
    #[must_use]
    pub fn of(said: Option<MtPriority>) -> Self {
        match said.map_or(0, MtPriority::get) {
            1.. => Self::High,
            0 => Self::Normal,
            ..0 => Self::Low,
        }
    }

    pub(crate) fn from_octet(octet: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|priority| *priority as u8 == octet)
    }
}

/// What a recipient waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecipientState {
    /// Its time: the due index has an entry.
    Due(Timestamp),
    /// An operator.
    Held {
        /// Since when.
        since: Timestamp,
        /// Why.
        why: String,
    },
}

/// The end of an attempt that did not get the recipient done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// Why not: a reply or a sentence of ours.
    pub why: String,
}

/// An entry of the due index: its key says everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due;

impl Record for Due {
    const NAME: &'static str = "due entry";
    const VERSION: u8 = 1;
}
