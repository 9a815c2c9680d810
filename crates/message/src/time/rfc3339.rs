//! Reads the date-time of RFC 3339 §5.6: `2026-11-23T20:15:52.25+01:00`.

use super::{MILLIS_PER_DAY, Timestamp};

/// The moment, to the millisecond.
pub(super) fn parse(text: &[u8]) -> Option<Timestamp> {
    let mut rest = Rest(text);
    let year = rest.number(4)?;
    rest.mark(b"-")?;
    let month = rest.number(2)?;
    rest.mark(b"-")?;
    let day = rest.number(2)?;
    // RFC 3339 §5.6: T and Z may be small.
    rest.mark(b"Tt")?;
    let (hour, minute) = rest.hour_and_minute()?;
    rest.mark(b":")?;
    // A leap second is the first of the next minute.
    let second = rest.number(2).filter(|second| *second <= 60)?;
    let milli = rest.fraction()?;
    let east = rest.offset()?;
    if !rest.0.is_empty() {
        return None;
    }
    let in_day = i64::from(((hour * 60 + minute) * 60 + second) * 1000 + milli);
    let millis = days_since_epoch(year, month, day)? * i64::try_from(MILLIS_PER_DAY).ok()? + in_day - east;
    u64::try_from(millis).ok().map(Timestamp::from_millis)
}

/// What has not been read yet.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (&octet, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(octet)
    }

    fn mark(&mut self, marks: &[u8]) -> Option<u8> {
        self.octet().filter(|octet| marks.contains(octet))
    }

    /// A number of so many digits; never more than four.
    fn number(&mut self, digits: usize) -> Option<u32> {
        let mut number = 0;
        for _ in 0..digits {
            let digit = self.octet().filter(u8::is_ascii_digit)?;
            number = number * 10 + u32::from(digit - b'0');
        }
        Some(number)
    }

    fn hour_and_minute(&mut self) -> Option<(u32, u32)> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        self.mark(b":")?;
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        Some((hour, minute))
    }

    /// time-secfrac in milliseconds, if there is one; digits behind the third say nothing.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix(b".") else {
            return Some(0);
        };
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        let (fraction, rest) = rest.split_at_checked(digits)?;
        self.0 = rest;
        let padded = fraction.iter().chain(b"000").take(3);
        Some(padded.fold(0, |milli, digit| milli * 10 + u32::from(digit - b'0')))
    }

    /// time-offset in milliseconds, to the east.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.octet()? {
            b'Z' | b'z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, minutes) = self.hour_and_minute()?;
        Some(sign * i64::from((hours * 60 + minutes) * 60_000))
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar, if there is such a day: `civil_date` backwards.
fn days_since_epoch(year: u32, month: u32, day: u32) -> Option<i64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    // From March on, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn date_times_are_read() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(
                parse(text.as_bytes()).map(Timestamp::as_millis),
                expected,
                "{text}"
            );
        };
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01t00:00:00.5z", Some(500));
        check("1970-01-01T00:00:00.1239Z", Some(123));
        check("1970-01-01T01:00:00+01:00", Some(0));
        check("1969-12-31T23:30:00-00:30", Some(0));
        check("1969-12-31T23:59:59Z", None);
        check("2000-02-29T12:00:00Z", Some(951_825_600_000));
        check("2016-12-31T23:59:60Z", Some(1_483_228_800_000));
        for text in [
            "",
            "1970",
            "1970-01-01",
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00Zx",
            "1970-01-01T00:00:00+0100",
            "1970-01-01T00:00:00+24:00",
            "1970-1-01T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2001-04-31T00:00:00Z",
            "2001-00-01T00:00:00Z",
            "2001-13-01T00:00:00Z",
            "2001-01-00T00:00:00Z",
            "2001-01-01T24:00:00Z",
            "2001-01-01T00:60:00Z",
            "2001-01-01T00:00:61Z",
            "+001-01-01T00:00:00Z",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read(millis in 0_u64..253_402_300_800_000) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(parse(moment.to_string().as_bytes()), Some(moment));
            let second = Timestamp::from_secs(moment.as_secs());
            prop_assert_eq!(parse(moment.rfc3339().to_string().as_bytes()), Some(second));
        }

        #[test]
        fn arbitrary_octets_are_a_moment_or_none(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
