//! What an account is opened with. Opaque here: `auth` makes it and verifies by it.

use std::fmt;

use message::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::Record;

/// What the password of an account is verified by.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Password {
    /// Its hash, as `auth` prints it.
    pub hash: String,
    /// Its SCRAM verifier, as `auth` prints it; without it the password must be sent to be verified.
    pub scram: Option<String>,
}

impl Password {
    /// A password that must be sent to be verified.
    #[must_use]
    pub fn hashed(hash: impl Into<String>) -> Self {
        Self {
            hash: hash.into(),
            scram: None,
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password")
            .field("scram", &self.scram.is_some())
            .finish_non_exhaustive()
    }
}

/// Octets of a password's hash.
pub const MAX_PASSWORD_OCTETS: usize = 1024;
/// Octets of a password's SCRAM verifier.
pub const MAX_SCRAM_OCTETS: usize = 1024;

/// The password of one program.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    /// What its owner calls it: 1 to [`MAX_APP_PASSWORD_NAME_OCTETS`] octets, unique in the account.
    pub name: String,
    /// Its hash. The password is made by us and long, so one fast hash is enough.
    pub hash: [u8; APP_PASSWORD_HASH_OCTETS],
    /// What it opens; `None` is everything, also what comes later.
    pub protocols: Option<Vec<Protocol>>,
    /// Since when.
    pub created: Timestamp,
    /// Until when.
    pub expires: Option<Timestamp>,
}

impl AppPassword {
    /// Whether it opens this at this time.
    #[must_use]
    pub fn opens(&self, protocol: Protocol, now: Timestamp) -> bool {
        let in_time = self.expires.is_none_or(|end| now < end);
        let protocols = self.protocols.as_ref();
        in_time && protocols.is_none_or(|protocols| protocols.contains(&protocol))
    }
}

impl fmt::Debug for AppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppPassword")
            .field("name", &self.name)
            .field("protocols", &self.protocols)
            .field("created", &self.created)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// How many application passwords an account may have.
pub const MAX_APP_PASSWORDS: usize = 50;
/// Octets of the name of an application password.
pub const MAX_APP_PASSWORD_NAME_OCTETS: usize = 64;
/// Octets of the hash of an application password.
pub const APP_PASSWORD_HASH_OCTETS: usize = 32;

/// What a password may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Protocol {
    /// Sending.
    Smtp,
    /// Fetching.
    Pop3,
    /// Reading in place.
    Imap,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Smtp, Self::Pop3, Self::Imap];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Pop3 => "pop3",
            Self::Imap => "imap",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|protocol| protocol.word() == word)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The key from which the salts of accounts that do not exist are made. One for the store and for ever: a salt that
/// changes would show that nobody is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoyKey {
    /// Randomness.
    pub key: [u8; DECOY_KEY_OCTETS],
}

/// Octets of it.
pub const DECOY_KEY_OCTETS: usize = 32;

impl Record for DecoyKey {
    const NAME: &'static str = "key of decoys";
    const VERSION: u8 = 1;
}

impl fmt::Debug for DecoyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecoyKey(…)")
    }
}
