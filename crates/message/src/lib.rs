//! The words of mail: addresses, envelopes, header fields, MIME structure, ids, and the two kinds of time.
//!
//! Everything here is a value: no clock is read, no random number drawn, no socket opened. Bytes that a stranger
//! sent are ordinary input; every parser is bounded by named constants and none of them panics or recurses.

pub mod address;
pub mod binary;
pub mod envelope;
pub mod header;
pub mod hops;
pub mod id;
pub mod received;
pub mod structure;
pub mod submission;
pub mod time;

pub use address::{
    AddressError, AddressLiteral, Domain, DomainName, EmailAddress, ForwardPath, LocalPart, ReversePath,
};
pub use envelope::{BodyKind, MailOptions, ParameterError, RecipientOptions};
pub use header::{HeaderExcess, HeaderGauge, HeaderLimits};
pub use hops::{HopCounter, MAX_HOPS};
pub use id::{
    AccountId, BlobId, CommandId, ConnectionId, Id, IdError, MailboxId, MessageId, NodeId, ReceiptId,
    TenantId,
};
pub use received::{Greeting, Received, TlsFacts, With, return_path_line};
pub use structure::{ImapEnvelope, Structure, StructureScanner};
pub use time::{Tick, Timestamp};
