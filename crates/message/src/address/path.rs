//! Paths: what MAIL and RCPT carry between angle brackets.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{AddressError, Domain, DomainName, EmailAddress, LocalPart, MAX_PATH, is_unfit};

/// The argument of MAIL: where a report of failure goes. RFC 5321 §4.1.1.2
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ReversePath {
    /// `<>`: nobody wants a report, because this is one. RFC 5321 §4.5.5
    Null,
    /// An address.
    Address(EmailAddress),
}

impl ReversePath {
    /// Parses a whole path with its angle brackets.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        whole(Self::parse_prefix(text)?)
    }

    /// Parses a path at the beginning of `text`; gives it and what follows its closing bracket.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_prefix(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        Self::parse_prefix_as(text, Charset::Ascii)
    }

    /// Parses the same; local part and domain may be internationalised. RFC 6531 §3.3
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_prefix_utf8(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        Self::parse_prefix_as(text, Charset::Utf8)
    }

    fn parse_prefix_as(text: &[u8], charset: Charset) -> Result<(Self, &[u8]), AddressError> {
        if let Some(rest) = text.strip_prefix(b"<>") {
            return Ok((Self::Null, rest));
        }
        let (path, rest) = inside(text)?;
        Ok((Self::Address(charset.mailbox(path)?), rest))
    }

    /// The address, if there is one.
    #[must_use]
    pub const fn address(&self) -> Option<&EmailAddress> {
        match self {
            Self::Null => None,
            Self::Address(address) => Some(address),
        }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

/// The argument of RCPT: whom the message is for. RFC 5321 §4.1.1.3
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ForwardPath {
    /// `<postmaster>`, in any case and without a domain: whoever looks after this host.
    Postmaster,
    /// An address.
    Address(EmailAddress),
}

impl ForwardPath {
    /// Parses a whole path with its angle brackets. A source route is checked and dropped (RFC 5321 §4.1.1.3).
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        whole(Self::parse_prefix(text)?)
    }

    /// Parses a path at the beginning of `text`; gives it and what follows its closing bracket.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_prefix(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        Self::parse_prefix_as(text, Charset::Ascii)
    }

    /// Parses the same; local part and domain may be internationalised. RFC 6531 §3.3
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_prefix_utf8(text: &[u8]) -> Result<(Self, &[u8]), AddressError> {
        Self::parse_prefix_as(text, Charset::Utf8)
    }

    fn parse_prefix_as(text: &[u8], charset: Charset) -> Result<(Self, &[u8]), AddressError> {
        let (path, rest) = inside(text)?;
        if path.eq_ignore_ascii_case(b"postmaster") {
            return Ok((Self::Postmaster, rest));
        }
        Ok((Self::Address(charset.mailbox(path)?), rest))
    }

    /// The address; `<postmaster>` is the postmaster of `home`.
    ///
    /// # Errors
    /// [`AddressError::TooLong`] never in practice: only if `home` leaves no room for `postmaster@`.
    pub fn resolve(self, home: &Domain) -> Result<EmailAddress, AddressError> {
        match self {
            Self::Postmaster => EmailAddress::new(LocalPart::postmaster(), home.clone()),
            Self::Address(address) => Ok(address),
        }
    }
}

impl fmt::Display for ForwardPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postmaster => f.write_str("<postmaster>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}

fn whole<T>((path, rest): (T, &[u8])) -> Result<T, AddressError> {
    if rest.is_empty() {
        Ok(path)
    } else {
        Err(AddressError::Syntax("text behind the path"))
    }
}

/// What stands between the angle brackets, and what follows them. A `>` inside a quoted local part does not end it.
fn inside(text: &[u8]) -> Result<(&[u8], &[u8]), AddressError> {
    let path = text
        .strip_prefix(b"<")
        .ok_or(AddressError::Syntax("no angle bracket"))?;
    let (mut quoted, mut escaped) = (false, false);
    // One octet more than the limit: enough to find the bracket behind the longest path.
    for (length, octet) in path.iter().take(MAX_PATH + 1).enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => {
                let (path, rest) = path.split_at(length);
                return Ok((path, rest.get(1..).unwrap_or_default()));
            }
            _ => {}
        }
    }
    if path.len() > MAX_PATH {
        return Err(AddressError::TooLong {
            what: "path",
            limit: MAX_PATH,
        });
    }
    Err(AddressError::Syntax("path without its closing bracket"))
}

/// What a path may be written in.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    /// RFC 6531 §3.3
    Utf8,
}

impl Charset {
    /// The address at the end of a path, behind a source route or without one.
    fn mailbox(self, path: &[u8]) -> Result<EmailAddress, AddressError> {
        match self {
            Self::Ascii => {
                let address = without_source_route(path, DomainName::parse)?;
                EmailAddress::parse(address)
            }
            Self::Utf8 => {
                let path = text_of(path)?;
                // Also where a name would lose them on its way to A-labels: the path is quoted as it was written.
                if path.contains(is_unfit) {
                    return Err(AddressError::Syntax("control character in path"));
                }
                let parse_hop = |hop: &[u8]| DomainName::parse_utf8(text_of(hop)?);
                let address = without_source_route(path.as_bytes(), parse_hop)?;
                EmailAddress::parse_utf8(text_of(address)?)
            }
        }
    }
}

/// Well-formed UTF-8, in which each character has one form only. RFC 3629 §3
fn text_of(octets: &[u8]) -> Result<&str, AddressError> {
    std::str::from_utf8(octets).map_err(|_| AddressError::Syntax("not UTF-8"))
}

/// Drops `@a,@b:` from the beginning of a path (A-d-l of RFC 5321 §4.1.2), after looking that it is one.
fn without_source_route(
    path: &[u8],
    parse_hop: impl Fn(&[u8]) -> Result<DomainName, AddressError>,
) -> Result<&[u8], AddressError> {
    if path.first() != Some(&b'@') {
        return Ok(path);
    }
    let colon = memchr::memchr(b':', path).ok_or(AddressError::Syntax("source route without its colon"))?;
    let (route, address) = path.split_at(colon);
    for hop in route.split(|octet| *octet == b',') {
        let domain = hop
            .strip_prefix(b"@")
            .ok_or(AddressError::Syntax("malformed source route"))?;
        parse_hop(domain)?;
    }
    Ok(address.get(1..).unwrap_or_default())
}
