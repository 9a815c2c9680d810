//! The parameters of MAIL: SIZE (RFC 1870) and BODY (RFC 6152). AUTH, SMTPUTF8, RET and ENVID will be fields beside them.

use message::BodyKind;

use crate::reply::{Reply, table};

/// What stands behind the reverse-path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    /// The size of the message as the client declares it, in octets; what exceeds 64 bits is the largest number.
    pub(crate) size: Option<u64>,
    pub(crate) body: Option<BodyKind>,
}

impl Parameters {
    /// Parses ` KEYWORD=value KEYWORD=value`. RFC 5321 §4.1.2
    pub(super) fn parse(text: &[u8]) -> Result<Self, Reply> {
        let mut parameters = Self::default();
        if !text.is_empty() && !text.starts_with(b" ") {
            return Err(table::BAD_ARGUMENT);
        }
        for word in text.split(|octet| *octet == b' ').filter(|word| !word.is_empty()) {
            parameters.take(word)?;
        }
        Ok(parameters)
    }

    /// Whether none was given, as it must be behind HELO.
    pub(crate) const fn is_empty(&self) -> bool {
        self.size.is_none() && self.body.is_none()
    }

    fn take(&mut self, word: &[u8]) -> Result<(), Reply> {
        let (keyword, value) = match memchr::memchr(b'=', word) {
            Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
            None => (word, None),
        };
        if keyword.eq_ignore_ascii_case(b"SIZE") {
            once(&mut self.size, size(value.unwrap_or_default())?)
        } else if keyword.eq_ignore_ascii_case(b"BODY") {
            once(&mut self.body, body(value.unwrap_or_default())?)
        } else {
            Err(table::UNKNOWN_PARAMETER)
        }
    }
}

/// Digits of a SIZE. RFC 1870 §4
const SIZE_DIGITS: usize = 20;

fn size(value: &[u8]) -> Result<u64, Reply> {
    if value.is_empty() || value.len() > SIZE_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(table::BAD_ARGUMENT);
    }
    Ok(value.iter().fold(0_u64, |number, digit| {
        number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    }))
}

fn body(value: &[u8]) -> Result<BodyKind, Reply> {
    if value.eq_ignore_ascii_case(b"7BIT") {
        Ok(BodyKind::SevenBit)
    } else if value.eq_ignore_ascii_case(b"8BITMIME") {
        Ok(BodyKind::EightBitMime)
    } else {
        // BINARYMIME (RFC 3030) and whatever else was not offered.
        Err(table::UNKNOWN_PARAMETER)
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Reply> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(table::BAD_ARGUMENT),
    }
}
