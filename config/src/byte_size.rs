//! An amount of bytes as an operator writes it: `"50MiB"`, `"50MB"`, `"512B"`; never a bare integer.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An amount of bytes.
///
/// Written as a whole number and a unit: `B`; `kB`, `MB`, `GB`, `TB` (powers of 1,000); `KiB`, `MiB`, `GiB`,
/// `TiB` (powers of 1,024). Printed in the largest unit that divides it, so printing and parsing are inverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

/// The text is not a whole number followed by a unit, or it does not fit 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a size such as \"50MiB\"")]
pub struct NotAByteSize;

/// Longest text that is looked at: twenty digits and a unit.
const MAX_TEXT: usize = 24;

/// Units from the largest to the smallest; the last one divides everything.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteSize {
    /// So many bytes.
    #[must_use]
    pub const fn bytes(count: u64) -> Self {
        Self(count)
    }

    /// So many times 1,024 bytes; saturates at the largest amount.
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 10))
    }

    /// So many times 1,024² bytes; saturates at the largest amount.
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 20))
    }

    /// So many times 1,024³ bytes; saturates at the largest amount.
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self(count.saturating_mul(1 << 30))
    }

    /// The amount in bytes.
    #[must_use]
    pub const fn as_bytes(self) -> u64 {
        self.0
    }

    /// The amount in bytes as a length in memory; the largest length where it does not fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0B");
        }
        for (unit, factor) in UNITS {
            if self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        Ok(())
    }
}

impl FromStr for ByteSize {
    type Err = NotAByteSize;

    fn from_str(text: &str) -> Result<Self, NotAByteSize> {
        if text.len() > MAX_TEXT {
            return Err(NotAByteSize);
        }
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or(NotAByteSize)?;
        let (count, unit) = text.split_at(split);
        let count: u64 = count.parse().map_err(|_| NotAByteSize)?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(NotAByteSize)?;
        count.checked_mul(*factor).map(Self).ok_or(NotAByteSize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(
            text.parse::<ByteSize>().ok().map(ByteSize::as_bytes),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn reads_a_number_with_its_unit() {
        check("0B", Some(0));
        check("512B", Some(512));
        check("2kB", Some(2_000));
        check("50MB", Some(50_000_000));
        check("50MiB", Some(52_428_800));
        check("1GiB", Some(1_073_741_824));
        check("18446744073709551615B", Some(u64::MAX));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "B",
            "50",
            "50mb",
            "50 MB",
            "-1B",
            "1.5GB",
            "50MiBs",
            "٥MB",
            "+5B",
            "18446744073709551616B",
            "99999999999TiB",
            "00000000000000000000000000000001B",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn prints_the_largest_exact_unit() {
        for text in ["0B", "1B", "1500B", "3kB", "50MB", "50MiB", "1GiB", "7TB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(count: u64, shift in 0_u32..64) {
            let size = ByteSize::bytes(count >> shift);
            prop_assert_eq!(size.to_string().parse::<ByteSize>(), Ok(size));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
