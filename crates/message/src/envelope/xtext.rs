//! Xtext: how a parameter carries octets for which its syntax has no room (RFC 3461 §4), `+` and two digits for each.

use std::fmt;

/// The octets in an xtext; none if it is malformed or empty. What they are good for is for the caller to check.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = behind;
        octets.push(match octet {
            b'+' => {
                let (&[high, low], behind) = rest.split_first_chunk()?;
                rest = behind;
                digit(high)? << 4 | digit(low)?
            }
            _ if is_xchar(octet) => octet,
            _ => return None,
        });
    }
    (!octets.is_empty()).then_some(octets)
}

/// Writes a value as xtext.
pub(super) fn write(value: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for octet in value.bytes() {
        if is_xchar(octet) {
            fmt::Write::write_char(f, char::from(octet))?;
        } else {
            write!(f, "+{octet:02X}")?;
        }
    }
    Ok(())
}

/// Octets of a value written as xtext.
pub(super) fn length(value: &str) -> usize {
    value
        .bytes()
        .map(|octet| if is_xchar(octet) { 1 } else { 3 })
        .sum()
}

/// Whether a decoded value may stand in a report: printable ASCII. RFC 3461 §4.2, §4.4
pub(super) fn is_printable(octet: &u8) -> bool {
    matches!(octet, b' '..=b'~')
}

/// xchar of RFC 3461 §4, which stands for itself.
const fn is_xchar(octet: u8) -> bool {
    matches!(octet, b'!'..=b'~') && !matches!(octet, b'+' | b'=')
}

/// The RFC wants capitals; small letters mean nothing else.
fn digit(octet: u8) -> Option<u8> {
    char::from(octet)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
