//! Why a command changes nothing.

use crate::record::{Damaged, RecordError};

/// Why a command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The tenant is not there.
    #[error("no such tenant")]
    NoSuchTenant,
    /// The domain is not there, or belongs to another tenant.
    #[error("no such domain")]
    NoSuchDomain,
    /// The account is not there.
    #[error("no such account")]
    NoSuchAccount,
    /// The alias is not there.
    #[error("no such alias")]
    NoSuchAlias,
    /// The network is not banned.
    #[error("no such ban")]
    NoSuchBan,
    /// The mailbox is not there, or is not this account's.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// The message is not in the spool.
    #[error("no such message")]
    NoSuchMessage,
    /// The recipient is done, or never was one.
    #[error("no such recipient")]
    NoSuchRecipient,
    /// The account has no such application password.
    #[error("no such application password")]
    NoSuchAppPassword,
    /// The account has no such identity.
    #[error("no such identity")]
    NoSuchIdentity,
    /// The account is not suspended.
    #[error("the account is not suspended")]
    NotSuspended,
    /// The name or id is taken.
    #[error("{0} exists")]
    Exists(Noun),
    /// It still has others in it.
    #[error("{0} is not empty")]
    NotEmpty(Noun),
    /// What no proposer may ask for.
    #[error("not permitted: {0}")]
    NotPermitted(&'static str),
    /// There is no room.
    #[error("over the quota of the {whose}")]
    OverQuota {
        /// Whose.
        whose: Noun,
    },
    /// The proposer looked before somebody else changed what it saw: look again.
    #[error("out of date: {0}")]
    Stale(&'static str),
    /// Something is larger or longer than may be.
    #[error("{what} is more than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// How much it may be, in octets or pieces.
        limit: usize,
    },
    /// Another node owns the partition now.
    #[error("fenced: epoch {0} has begun")]
    Fenced(u64),
    /// A record that must be read cannot be.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The command read a key outside its footprint, or records contradict each other: our bug.
    #[error("broken: {0}")]
    Broken(String),
}

impl Rejected {
    /// Records that contradict each other.
    pub(crate) fn broken(sentence: &str) -> Self {
        Self::Broken(sentence.to_owned())
    }
}

/// What a rejection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Noun {
    /// A tenant, or its name.
    Tenant,
    /// A domain.
    Domain,
    /// An account.
    Account,
    /// An address.
    Address,
    /// A mailbox, or its name.
    Mailbox,
    /// A message.
    Message,
    /// The name of an application password.
    AppPassword,
    /// What an account may send as.
    Identity,
    /// A suspension of the account, on the same terms.
    Suspension,
    /// The key of decoys.
    DecoyKey,
    /// A ban that holds.
    Ban,
    /// An entry of the audit that has ended.
    AuditEntry,
}

impl std::fmt::Display for Noun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tenant => "tenant",
            Self::Domain => "domain",
            Self::Account => "account",
            Self::Address => "address",
            Self::Mailbox => "mailbox",
            Self::Message => "message",
            Self::AppPassword => "application password",
            Self::Identity => "identity",
            Self::Suspension => "suspension",
            Self::DecoyKey => "key of decoys",
            Self::Ban => "ban",
            Self::AuditEntry => "audit entry",
        })
    }
}

impl From<RecordError> for Rejected {
    /// Only for writing: what cannot be written is our bug.
    fn from(error: RecordError) -> Self {
        Self::Broken(error.to_string())
    }
}
