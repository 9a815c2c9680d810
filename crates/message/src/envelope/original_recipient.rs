//! OriginalRecipient: the ORCPT of RCPT, to whom a message was addressed at first (RFC 3461 §4.2, RFC 6533 §3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ParameterError, xtext};
use crate::address::is_unfit;

/// Octets of an ORCPT as written. RFC 3461 §4.2
pub const MAX_ORIGINAL_RECIPIENT: usize = 500;

/// An address of any kind of mail, with its kind: `rfc822;alice@example.org`.
///
/// The address is decoded: printable ASCII, or with the kind `utf-8` any text without control characters. It need not
/// be an address in our eyes, and nobody is sent anything because of it. Displays as written, in ASCII always.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OriginalRecipient {
    kind: Box<str>,
    address: Box<str>,
}

impl OriginalRecipient {
    /// Parses the value of ORCPT. UTF-8 as it is, which only the kind `utf-8` can hold, is taken too; whether the
    /// client may send it is the protocol's to say (RFC 6533 §3).
    ///
    /// # Errors
    /// [`ParameterError`] for what is not in the grammar, decodes to what no report can hold, or is too long.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        if text.len() > MAX_ORIGINAL_RECIPIENT {
            return Err(MALFORMED);
        }
        let semicolon = memchr::memchr(b';', text).ok_or(MALFORMED)?;
        let (kind, address) = text.split_at(semicolon);
        let address = address.get(1..).unwrap_or_default();
        // An atom, of which no registered kind uses more than this.
        let is_kind = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
        if kind.is_empty() || !kind.iter().all(is_kind) {
            return Err(MALFORMED);
        }
        let kind = std::str::from_utf8(kind).map_err(|_| MALFORMED)?;
        let address = if is_utf8(kind) {
            decode_utf8(address)
        } else {
            decode_ascii(address)
        };
        let original = Self {
            kind: kind.into(),
            address: address.ok_or(MALFORMED)?.into(),
        };
        // In ASCII it is longer than in UTF-8.
        if original.written_length() > MAX_ORIGINAL_RECIPIENT {
            return Err(MALFORMED);
        }
        Ok(original)
    }

    /// The kind of address, as the client wrote it: `rfc822`, `utf-8`, `x400`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The address, decoded.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    fn written_length(&self) -> usize {
        let address = if is_utf8(&self.kind) {
            let length = |character| {
                if is_qchar(character) {
                    1
                } else {
                    hex_length(character) + 4
                }
            };
            self.address.chars().map(length).sum()
        } else {
            xtext::length(&self.address)
        };
        self.kind.len() + 1 + address
    }
}

impl fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};", self.kind)?;
        if !is_utf8(&self.kind) {
            return xtext::write(&self.address, f);
        }
        for character in self.address.chars() {
            if is_qchar(character) {
                fmt::Write::write_char(f, character)?;
            } else {
                write!(f, "\\x{{{:02X}}}", u32::from(character))?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for OriginalRecipient {
    type Error = ParameterError;

    fn try_from(text: String) -> Result<Self, ParameterError> {
        Self::parse(text.as_bytes())
    }
}

impl From<OriginalRecipient> for String {
    fn from(original: OriginalRecipient) -> Self {
        original.to_string()
    }
}

const MALFORMED: ParameterError =
    ParameterError("ORCPT is a kind, a semicolon and an encoded address, at most 500 octets");

/// Digits of the greatest code point.
const MAX_HEX_DIGITS: usize = 6;

fn is_utf8(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("utf-8")
}

fn decode_ascii(text: &[u8]) -> Option<String> {
    let octets = xtext::decode(text)?;
    if !octets.iter().all(xtext::is_printable) {
        return None;
    }
    String::from_utf8(octets).ok()
}

/// utf-8-addr-xtext and utf-8-addr-unitext of RFC 6533 §3: `\x{…}` for what may not stand for itself.
fn decode_utf8(text: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(text).ok()?;
    let mut address = String::with_capacity(rest.len());
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..)?;
        let decoded = match character {
            '\\' => {
                let (digits, behind) = rest.strip_prefix("x{")?.split_once('}')?;
                rest = behind;
                code_point(digits)?
            }
            _ if is_qchar(character) || !character.is_ascii() => character,
            _ => return None,
        };
        if is_unfit(decoded) {
            return None;
        }
        address.push(decoded);
    }
    (!address.is_empty()).then_some(address)
}

fn code_point(digits: &str) -> Option<char> {
    let is_hex = digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    if !is_hex || !(2..=MAX_HEX_DIGITS).contains(&digits.len()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

/// QCHAR of RFC 6533 §3, which stands for itself.
const fn is_qchar(character: char) -> bool {
    matches!(character, '!'..='~') && !matches!(character, '+' | '=' | '\\')
}

/// Digits of a code point in hexadecimal, at least two.
fn hex_length(character: char) -> usize {
    let bits = u32::BITS - u32::from(character).leading_zeros();
    usize::try_from(bits.div_ceil(4)).unwrap_or(MAX_HEX_DIGITS).max(2)
}
