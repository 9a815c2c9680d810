//! Records of the directory.

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::Record;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name, unique on this store; see [`MAX_TENANT_NAME_OCTETS`].
    pub name: String,
    /// Since when.
    pub created: Timestamp,
}

/// Octets of a tenant's name.
pub const MAX_TENANT_NAME_OCTETS: usize = 64;

impl Record for Tenant {
    const NAME: &'static str = "tenant";
    const VERSION: u8 = 1;
}

/// Who has the name of a tenant or of a domain, over all tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub tenant: TenantId,
}

impl Record for Claim {
    const NAME: &'static str = "claim";
    const VERSION: u8 = 1;
}

/// A domain whose mail is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its name.
    pub name: DomainName,
    /// Who gets what no address of the domain matches; without it such mail is refused.
    pub catch_all: Option<EmailAddress>,
    /// Since when.
    pub created: Timestamp,
    /// How many addresses it has; it can be deleted only without any.
    pub addresses: u32,
}

impl Record for Domain {
    const NAME: &'static str = "domain";
    const VERSION: u8 = 1;
}

/// A login and owner of mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its login and first address.
    pub address: EmailAddress,
    /// The hash of its password as `auth` prints it; opaque here. Without it nobody can log in.
    pub password: Option<String>,
    /// Since when.
    pub created: Timestamp,
}

/// Octets of a password's hash.
pub const MAX_PASSWORD_OCTETS: usize = 1024;

impl Record for Account {
    const NAME: &'static str = "account";
    const VERSION: u8 = 1;
}

/// What stands behind an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address as it was given; its key is the folded form.
    pub address: EmailAddress,
    /// Who gets its mail.
    pub owner: AddressOwner,
}

impl Record for Address {
    const NAME: &'static str = "address";
    const VERSION: u8 = 1;
}

/// Who gets the mail of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AddressOwner {
    /// An account: this is its login.
    Account(AccountId),
    /// An alias: at most [`MAX_ALIAS_TARGETS`] other addresses.
    Alias(Vec<EmailAddress>),
}

/// How many addresses an alias may stand for.
pub const MAX_ALIAS_TARGETS: usize = 100;
