//! Domain: what stands behind the `@`, a name or an address literal.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::{AddressError, MAX_DOMAIN, MAX_LABEL};

/// Where an address lives: a name to be looked up, or an address in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// A domain name.
    Name(DomainName),
    /// An address literal, `[192.0.2.1]`.
    Literal(AddressLiteral),
}

impl Domain {
    /// Parses Domain or address-literal of RFC 5321 §4.1.2, ASCII only.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if text.first() == Some(&b'[') {
            return AddressLiteral::parse(text).map(Self::Literal);
        }
        DomainName::parse(text).map(Self::Name)
    }

    /// Parses the same; a name may be written in U-labels.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_utf8(text: &str) -> Result<Self, AddressError> {
        if text.is_ascii() {
            Self::parse(text.as_bytes())
        } else {
            DomainName::parse_utf8(text).map(Self::Name)
        }
    }

    /// The name, if it is one.
    #[must_use]
    pub const fn name(&self) -> Option<&DomainName> {
        match self {
            Self::Name(name) => Some(name),
            Self::Literal(_) => None,
        }
    }

    /// Octets of what `Display` prints; of a literal, at most that.
    pub(super) fn written_length(&self) -> usize {
        match self {
            Self::Name(name) => name.as_str().len(),
            Self::Literal(_) => MAX_LITERAL,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Literal(literal) => literal.fmt(f),
        }
    }
}

impl From<DomainName> for Domain {
    fn from(name: DomainName) -> Self {
        Self::Name(name)
    }
}

/// A domain name: lower case, A-labels, no trailing dot, each label letters, digits and inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// Parses Domain of RFC 5321 §4.1.2; a label that claims to be an A-label must be one.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        if text.len() > MAX_DOMAIN {
            return Err(AddressError::TooLong {
                what: "domain",
                limit: MAX_DOMAIN,
            });
        }
        let mut has_a_label = false;
        for label in text.split(|octet| *octet == b'.') {
            check_label(label)?;
            has_a_label |= label
                .get(..4)
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--"));
        }
        if has_a_label {
            return to_a_labels(text);
        }
        Ok(Self(String::from_utf8_lossy(text).to_ascii_lowercase().into()))
    }

    /// Parses a name that may hold U-labels and turns them into A-labels (UTS 46, non-transitional).
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_utf8(text: &str) -> Result<Self, AddressError> {
        if text.is_ascii() {
            return Self::parse(text.as_bytes());
        }
        if text.len() > 4 * MAX_DOMAIN {
            return Err(AddressError::TooLong {
                what: "domain",
                limit: MAX_DOMAIN,
            });
        }
        // Once more through the strict parser: mapping may have made dots or characters that RFC 5321 refuses.
        to_a_labels(text.as_bytes()).and_then(|name| Self::parse(name.0.as_bytes()))
    }

    /// The name as it stands in a query to the DNS, without the trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = AddressError;

    /// As [`DomainName::parse`]: ASCII only.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text.as_bytes())
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for DomainName {
    /// Its text, in every format.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DomainName {
    /// Its text, checked as [`DomainName::parse_utf8`] does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(DomainText)
    }
}

/// An address literal of RFC 5321 §4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AddressLiteral(pub IpAddr);

impl AddressLiteral {
    /// Parses a literal with its brackets. General-address-literal is refused: nothing is assigned to it.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        const MALFORMED: AddressError = AddressError::Syntax("malformed address literal");
        if text.len() > MAX_LITERAL {
            return Err(AddressError::TooLong {
                what: "address literal",
                limit: MAX_LITERAL,
            });
        }
        let inner = text
            .strip_prefix(b"[")
            .and_then(|rest| rest.strip_suffix(b"]"))
            .ok_or(MALFORMED)?;
        let inner = std::str::from_utf8(inner).map_err(|_| AddressError::NotAscii)?;
        let Some((tag, rest)) = inner.split_once(':') else {
            return inner
                .parse::<Ipv4Addr>()
                .map(|v4| Self(v4.into()))
                .map_err(|_| MALFORMED);
        };
        if !tag.eq_ignore_ascii_case("IPv6") {
            return Err(AddressError::UnacceptableDomain(
                "unknown kind of address literal",
            ));
        }
        rest.parse::<Ipv6Addr>()
            .map(|v6| Self(v6.into()))
            .map_err(|_| MALFORMED)
    }
}

impl fmt::Display for AddressLiteral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => write!(f, "[{v4}]"),
            IpAddr::V6(v6) => write!(f, "[IPv6:{v6}]"),
        }
    }
}

/// Octets of the longest literal: `[IPv6:` and the longest text of an IPv6 address (45) and `]`.
const MAX_LITERAL: usize = 52;

/// sub-domain of RFC 5321 §4.1.2, at most [`MAX_LABEL`] octets.
fn check_label(label: &[u8]) -> Result<(), AddressError> {
    if label.len() > MAX_LABEL {
        return Err(AddressError::TooLong {
            what: "label of the domain",
            limit: MAX_LABEL,
        });
    }
    let (Some(first), Some(last)) = (label.first(), label.last()) else {
        return Err(AddressError::Syntax("empty label in domain"));
    };
    if !first.is_ascii_alphanumeric() || !last.is_ascii_alphanumeric() {
        return Err(AddressError::Syntax(
            "label of the domain begins or ends with no letter or digit",
        ));
    }
    if !label
        .iter()
        .all(|octet| octet.is_ascii_alphanumeric() || *octet == b'-')
    {
        return Err(AddressError::Syntax(
            "domain holds more than letters, digits and hyphens",
        ));
    }
    Ok(())
}

/// UTS 46: maps, checks (bidi, joiners, unassigned) and writes A-labels. Existing A-labels are decoded and checked.
fn to_a_labels(name: &[u8]) -> Result<DomainName, AddressError> {
    Uts46::new()
        .to_ascii(
            name,
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map(|name| DomainName(name.into()))
        .map_err(|_| AddressError::UnacceptableDomain("not a valid internationalised name"))
}

struct DomainText;

impl Visitor<'_> for DomainText {
    type Value = DomainName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a domain such as example.org")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DomainName, E> {
        DomainName::parse_utf8(text).map_err(E::custom)
    }
}
