//! PLAIN (RFC 4616), and what LOGIN and EXTERNAL have of it: names and passwords in clear.

use super::Refusal;
use crate::password::PASSWORD_LENGTH_LIMIT;
use crate::secret::Secret;

/// Octets of a name, at most: an address has at most 256, and nobody's is longer in another form.
const NAME_LENGTH_LIMIT: usize = 512;

/// The one message of PLAIN.
pub(super) struct Plain<'a> {
    /// For whom the client wants to act; `None` for itself.
    pub(super) acting_for: Option<&'a str>,
    pub(super) name: &'a str,
    pub(super) password: Secret,
}

impl<'a> Plain<'a> {
    /// `[authzid] NUL authcid NUL passwd`. RFC 4616 §2
    pub(super) fn parse(message: &'a [u8]) -> Result<Self, Refusal> {
        let mut parts = message.split(|octet| *octet == 0);
        let (Some(acting_for), Some(given), Some(secret), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refusal::Malformed("not three parts between two NULs"));
        };
        Ok(Self {
            acting_for: if acting_for.is_empty() {
                None
            } else {
                Some(name(acting_for)?)
            },
            name: name(given)?,
            password: password(secret)?,
        })
    }
}

/// A name: UTF-8, and something.
pub(super) fn name(octets: &[u8]) -> Result<&str, Refusal> {
    if octets.is_empty() || octets.len() > NAME_LENGTH_LIMIT || octets.contains(&0) {
        return Err(Refusal::Malformed("a name"));
    }
    std::str::from_utf8(octets).map_err(|_| Refusal::Malformed("a name that is not UTF-8"))
}

/// A password: UTF-8, and something.
pub(super) fn password(octets: &[u8]) -> Result<Secret, Refusal> {
    if octets.is_empty() || octets.len() > PASSWORD_LENGTH_LIMIT || octets.contains(&0) {
        return Err(Refusal::Malformed("a password"));
    }
    if std::str::from_utf8(octets).is_err() {
        return Err(Refusal::Malformed("a password that is not UTF-8"));
    }
    Ok(Secret::new(octets))
}
