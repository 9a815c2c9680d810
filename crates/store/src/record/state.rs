//! Usage, limits and counters of tenants and accounts: small records, written with every append.

use serde::{Deserialize, Serialize};

use super::{
    Record,
    mailbox::{ModSeq, UidValidity},
};

/// What is stored: of a mailbox, an account or a tenant.
///
/// Octets are those of messages as they are read, not of the disk: a message in two mailboxes counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Octets of all messages.
    pub octets: u64,
    /// How many messages.
    pub messages: u64,
}

impl Usage {
    /// One message of this size.
    #[must_use]
    pub const fn of_message(octets: u64) -> Self {
        Self { octets, messages: 1 }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            octets: self.octets.saturating_add(more.octets),
            messages: self.messages.saturating_add(more.messages),
        }
    }

    /// What is left without the other.
    #[must_use]
    pub const fn minus(self, less: Self) -> Self {
        Self {
            octets: self.octets.saturating_sub(less.octets),
            messages: self.messages.saturating_sub(less.messages),
        }
    }
}

/// What may be stored; what is absent is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The most octets of all messages.
    pub octets: Option<u64>,
    /// The most messages.
    pub messages: Option<u64>,
}

impl Limits {
    /// Whether this usage is within the limits.
    #[must_use]
    pub fn allow(&self, usage: Usage) -> bool {
        self.octets.is_none_or(|most| usage.octets <= most)
            && self.messages.is_none_or(|most| usage.messages <= most)
    }
}

/// What a tenant has and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantState {
    /// The sum over its accounts.
    pub usage: Usage,
    /// What it may store.
    pub limits: Limits,
    /// How many accounts it may have; unlimited if absent.
    pub max_accounts: Option<u32>,
    /// How many accounts it has.
    pub accounts: u32,
    /// How many domains it has.
    pub domains: u32,
    /// No new account begins with a lower UIDVALIDITY, so that the mailboxes of an account that is deleted and
    /// created again are never taken for the old ones.
    pub next_uid_validity: UidValidity,
}

impl Record for TenantState {
    const NAME: &'static str = "tenant state";
    const VERSION: u8 = 1;
}

/// What an account has and may have. Deleted with the account: whoever delivers finds out here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// The sum over its mailboxes.
    pub usage: Usage,
    /// What it may store.
    pub limits: Limits,
    /// The MODSEQ of its newest change. One counter serves all mailboxes of the account (RFC 7162 §3.1 asks only for
    /// growth within a mailbox): the record is written with every append anyway, and it gives JMAP its one state.
    pub modseq: ModSeq,
    /// The UIDVALIDITY of its next mailbox: a name that is used again never gets one that it had.
    pub next_uid_validity: UidValidity,
    /// The MODSEQ at which a mailbox was last created, renamed or deleted.
    pub list_modseq: ModSeq,
    /// How many mailboxes it has.
    pub mailboxes: u32,
}

impl Record for AccountState {
    const NAME: &'static str = "account state";
    const VERSION: u8 = 1;
}

/// Who owns a partition of a tenant; absent while the node is alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceRow {
    /// Grows with every take-over; commands of an earlier epoch are refused.
    pub epoch: u64,
}

impl Record for FenceRow {
    const NAME: &'static str = "fence";
    const VERSION: u8 = 1;
}
