//! Records of the directory.

mod credential;

use message::{
    address::{DomainName, EmailAddress},
    id::{AccountId, TenantId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Record, fields_of};
pub use credential::{
    APP_PASSWORD_HASH_OCTETS, AppPassword, DECOY_KEY_OCTETS, DecoyKey, MAX_APP_PASSWORD_NAME_OCTETS,
    MAX_APP_PASSWORDS, MAX_PASSWORD_OCTETS, MAX_SCRAM_OCTETS, Password, Protocol,
};

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
    /// What its password is verified by. Without it only application passwords open the account.
    pub password: Option<Password>,
    /// Passwords of single programs: at most [`MAX_APP_PASSWORDS`], each with a name of its own.
    pub app_passwords: Vec<AppPassword>,
    /// What it may send as, besides its own address: at most [`MAX_IDENTITIES`].
    pub identities: Vec<Identity>,
    /// Since when.
    pub created: Timestamp,
    /// Whether nobody may log in, and since when.
    pub suspended: Option<Suspension>,
}

/// Nobody may log in to an account. What it has and is stays, and so does the way of its mail, unless that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Since when.
    pub since: Timestamp,
    /// Whether mail for it is refused, too.
    pub refuses_mail: bool,
}

impl Record for Account {
    const NAME: &'static str = "account";
    const VERSION: u8 = 3;

    fn older(version: u8, fields: &[u8]) -> Option<Self> {
        /// Version 1 knew one password and nothing else.
        #[derive(Deserialize)]
        struct First {
            address: EmailAddress,
            password: Option<String>,
            created: Timestamp,
        }
        /// Version 2 knew no suspension.
        #[derive(Deserialize)]
        struct Second {
            address: EmailAddress,
            password: Option<Password>,
            app_passwords: Vec<AppPassword>,
            identities: Vec<Identity>,
            created: Timestamp,
        }
        let second = match version {
            1 => {
                let first: First = fields_of(fields)?;
                Second {
                    address: first.address,
                    password: first.password.map(|hash| Password { hash, scram: None }),
                    app_passwords: Vec::new(),
                    identities: Vec::new(),
                    created: first.created,
                }
            }
            2 => fields_of(fields)?,
            _ => return None,
        };
        Some(Self {
            address: second.address,
            password: second.password,
            app_passwords: second.app_passwords,
            identities: second.identities,
            created: second.created,
            suspended: None,
        })
    }
}

/// What an account may send as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// One address, with any `+tag`.
    Address(EmailAddress),
    /// Every address of a domain.
    Domain(DomainName),
}

impl Identity {
    /// The domain that it is in; `None` for an address literal.
    #[must_use]
    pub const fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Address(address) => address.domain().name(),
            Self::Domain(domain) => Some(domain),
        }
    }

    /// Whether both mean the same, as addresses are compared.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(one), Self::Address(other)) => one.lookup_key() == other.lookup_key(),
            (Self::Domain(one), Self::Domain(other)) => one == other,
            _ => false,
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => write!(f, "@{domain}"),
        }
    }
}

/// How many identities an account may have.
pub const MAX_IDENTITIES: usize = 100;

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
