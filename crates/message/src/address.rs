//! Addresses as RFC 5321 §4.1.2 writes them: local part, domain or address literal, and the two kinds of path.
//!
//! The parsers take octets as they came from a peer and refuse whatever is not in the grammar: control characters,
//! NUL, bare CR and LF, eight-bit octets (unless a constructor for SMTPUTF8 is called by name). What they accept is
//! kept in one canonical form: the local part unquoted with its case preserved, the domain lower-case and in A-labels.
//! `Display` prints a form that parses back to the same value.

mod domain;
mod local_part;
mod path;
mod shown;

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

pub(crate) use local_part::is_unfit;

pub use domain::{AddressLiteral, Domain, DomainName};
pub use local_part::LocalPart;
pub use path::{ForwardPath, ReversePath};
pub use shown::Shown;

/// Octets of a local part as written, quotes included. RFC 5321 §4.5.3.1.1
pub const MAX_LOCAL_PART: usize = 64;
/// Octets of a domain. RFC 5321 §4.5.3.1.2
pub const MAX_DOMAIN: usize = 255;
/// Octets of one label of a domain. RFC 1035 §2.3.4
pub const MAX_LABEL: usize = 63;
/// Octets of a path between its angle brackets. RFC 5321 §4.5.3.1.3
pub const MAX_PATH: usize = 256;

/// A mailbox address: `local@domain`.
///
/// `"john"@x` and `john@x` are equal, and so are `x@Example.Org` and `x@example.org`; `John@x` and `john@x` are not:
/// whoever looks an address up uses [`EmailAddress::lookup_key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    local: LocalPart,
    domain: Domain,
}

impl EmailAddress {
    /// Puts an address together.
    ///
    /// # Errors
    /// [`AddressError::TooLong`] if both together exceed [`MAX_PATH`].
    pub fn new(local: LocalPart, domain: Domain) -> Result<Self, AddressError> {
        if local.written_length() + 1 + domain.written_length() > MAX_PATH {
            return Err(AddressError::TooLong {
                what: "address",
                limit: MAX_PATH,
            });
        }
        Ok(Self { local, domain })
    }

    /// Parses `local@domain` without angle brackets: Mailbox of RFC 5321 §4.1.2, ASCII only.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        let (local, domain) = split(text)?;
        Self::new(LocalPart::parse(local)?, Domain::parse(domain)?)
    }

    /// Parses an internationalised address: UTF-8 in the local part is kept, a U-label becomes an A-label (RFC 6531).
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_utf8(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = split(text.as_bytes())?;
        // Both halves end at an ASCII octet of a valid text, hence are valid texts.
        let as_text = |half| std::str::from_utf8(half).map_err(|_| AddressError::Syntax("not UTF-8"));
        Self::new(
            LocalPart::parse_utf8(as_text(local)?)?,
            Domain::parse_utf8(as_text(domain)?)?,
        )
    }

    /// What stands before the `@`.
    #[must_use]
    pub const fn local(&self) -> &LocalPart {
        &self.local
    }

    /// What stands behind the `@`.
    #[must_use]
    pub const fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The tag of a tagged address: `tag` of `user+tag@x`.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.local.detail()
    }

    /// The address without its tag: `user@x` of `user+tag@x`; the same address if it has none.
    #[must_use]
    pub fn base(&self) -> Self {
        Self {
            local: self.local.base(),
            domain: self.domain.clone(),
        }
    }

    /// The key under which a directory knows this address: unquoted local part in NFC and lower case, `@`, domain.
    ///
    /// Not an address: it is not quoted and does not parse back. Two addresses with one key are one mailbox.
    #[must_use]
    pub fn lookup_key(&self) -> String {
        let mut key = self.local.folded();
        key.push('@');
        key.push_str(&self.domain.to_string());
        key
    }

    /// Whether the local part needs SMTPUTF8 (RFC 6531) to travel.
    #[must_use]
    pub fn needs_utf8(&self) -> bool {
        !self.local.as_str().is_ascii()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FromStr for EmailAddress {
    type Err = AddressError;

    /// As [`EmailAddress::parse`]: ASCII only.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text.as_bytes())
    }
}

impl Serialize for EmailAddress {
    /// Its text, in every format.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    /// Its text, checked as [`EmailAddress::parse_utf8`] does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AddressText)
    }
}

/// Why a text is no address. What a peer is told is the reply code named at each variant, and never the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not in the grammar: 501 5.1.3 for a recipient, 501 5.1.7 for a sender.
    #[error("malformed address: {0}")]
    Syntax(&'static str),
    /// A limit of RFC 5321 §4.5.3.1 is exceeded: 501.
    #[error("{what} is longer than {limit} octets")]
    TooLong {
        /// Which part.
        what: &'static str,
        /// Its limit in octets.
        limit: usize,
    },
    /// Eight-bit octets without SMTPUTF8: 553 5.6.7.
    #[error("address is not ASCII")]
    NotAscii,
    /// A domain that IDNA refuses (bidi, unassigned, malformed A-label) or an unknown kind of literal: 553.
    #[error("unacceptable domain: {0}")]
    UnacceptableDomain(&'static str),
}

/// Splits at the `@` that ends the local part: the last one, because no domain can hold another.
fn split(text: &[u8]) -> Result<(&[u8], &[u8]), AddressError> {
    let at = memchr::memrchr(b'@', text).ok_or(AddressError::Syntax("no @"))?;
    let (local, rest) = text.split_at(at);
    Ok((local, rest.get(1..).unwrap_or_default()))
}

struct AddressText;

impl Visitor<'_> for AddressText {
    type Value = EmailAddress;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address such as user@example.org")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<EmailAddress, E> {
        EmailAddress::parse_utf8(text).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests;
