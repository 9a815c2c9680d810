//! A span of time as an operator writes it: `"30s"`, `"5m"`, `"1h30m"`; never a bare integer.
//!
//! The settings carry `std::time::Duration`; this file is only its text.

use std::time::Duration;

/// Longest text that is looked at: every unit once with a long number.
const MAX_TEXT: usize = 64;

/// Units from the largest to the smallest, in milliseconds. A text names each at most once, in this order.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads whole numbers with units, largest first: `"90s"`, `"1h30m"`. Milliseconds are the finest unit.
/// `None` for anything else, and for more milliseconds than 64 bits hold.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text.is_empty() || text.len() > MAX_TEXT {
        return None;
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(*factor)?)?;
        rest = next;
    }
    Some(Duration::from_millis(total))
}

/// Writes a span in the largest unit that divides it: `"90s"`, `"5m"`. What is finer than a millisecond is
/// dropped; no setting is.
#[must_use]
pub fn print_duration(duration: Duration) -> String {
    let total = duration.as_millis();
    if total == 0 {
        return "0s".to_owned();
    }
    for (unit, factor) in UNITS {
        if total.is_multiple_of(u128::from(factor)) {
            return format!("{}{unit}", total / u128::from(factor));
        }
    }
    format!("{total}ms")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(
            parse_duration(text),
            expected.map(Duration::from_millis),
            "{text:?}"
        );
    }

    #[test]
    fn reads_numbers_with_units_in_order() {
        check("0s", Some(0));
        check("250ms", Some(250));
        check("30s", Some(30_000));
        check("5m", Some(300_000));
        check("1h30m", Some(5_400_000));
        check("14d", Some(1_209_600_000));
        check("1d1h1m1s1ms", Some(90_061_001));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "5",
            "m",
            "5 m",
            "-5m",
            "1.5h",
            "5min",
            "30m1h",
            "5m5m",
            "5M",
            "5µs",
            "99999999999999999999d",
        ] {
            check(text, None);
        }
        check("999999999999d", None);
        check(&"1".repeat(100), None);
    }

    #[test]
    fn prints_the_largest_exact_unit() {
        for text in ["0s", "250ms", "90s", "5m", "36h", "14d"] {
            assert_eq!(parse_duration(text).map(print_duration).as_deref(), Some(text));
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(milliseconds: u64, shift in 0_u32..64) {
            let duration = Duration::from_millis(milliseconds >> shift);
            prop_assert_eq!(parse_duration(&print_duration(duration)), Some(duration));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}
