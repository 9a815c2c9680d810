//! The two kinds of time: [`Tick`] for deadlines, [`Timestamp`] for anything that is stored or shown.
//!
//! Neither reads a clock. A `Tick` means nothing outside the process that made it; a `Timestamp` may jump with the
//! operator's clock and is therefore no measure of waiting.

mod rfc3339;

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the monotonic clock of this process, in microseconds since a start of its own choosing.
///
/// Arithmetic saturates: a deadline that lies too far away is [`Tick::MAX`], "never".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(u64);

impl Tick {
    /// The start of the clock.
    pub const ZERO: Self = Self(0);
    /// The end of all time: a deadline that never comes.
    pub const MAX: Self = Self(u64::MAX);

    /// The point `micros` microseconds after the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// How long after `earlier` this point is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Tick {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(saturating_u64(wait.as_micros())))
    }
}

impl AddAssign<Duration> for Tick {
    fn add_assign(&mut self, wait: Duration) {
        *self = *self + wait;
    }
}

impl Sub<Duration> for Tick {
    type Output = Self;

    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_u64(wait.as_micros())))
    }
}

impl Sub for Tick {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A moment in UTC, in milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Displays as RFC 3339 with milliseconds: `2026-11-23T20:15:52.250Z`. Both textual forms have four digits for the
/// year, so moments after the year 9999 are shown as its last millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The moment `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The moment `secs` seconds after the epoch.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment that a date-time of RFC 3339 §5.6 names, to the millisecond; none if it is malformed, before 1970, or
    /// so far from UTC as no place is.
    #[must_use]
    pub fn parse_rfc3339(text: &[u8]) -> Option<Self> {
        rfc3339::parse(text)
    }

    /// The date-time of RFC 3339 in UTC and whole seconds: `2026-11-23T20:15:52Z`.
    #[must_use]
    pub const fn rfc3339(self) -> Rfc3339Date {
        Rfc3339Date(self)
    }

    /// The date-time of RFC 5322 §3.3 in UTC: `Mon, 23 Nov 2026 20:15:52 +0000`.
    #[must_use]
    pub const fn rfc5322(self) -> Rfc5322Date {
        Rfc5322Date(self)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Civil::of(*self);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.milli
        )
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(saturating_u64(wait.as_millis())))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, wait: Duration) -> Self {
        Self(self.0.saturating_sub(saturating_u64(wait.as_millis())))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A [`Timestamp`] that displays as the date-time of RFC 3339 in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339Date(Timestamp);

impl fmt::Display for Rfc3339Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Civil::of(self.0);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )
    }
}

/// A [`Timestamp`] that displays as the date-time of RFC 5322 §3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc5322Date(Timestamp);

impl fmt::Display for Rfc5322Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Civil::of(self.0);
        write!(
            f,
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
            c.day_name(),
            c.day,
            c.month_name(),
            c.year,
            c.hour,
            c.minute,
            c.second
        )
    }
}

/// 9999-12-31T23:59:59.999Z: the last moment whose year has four digits.
const LAST_FOUR_DIGIT_MILLI: u64 = 253_402_300_799_999;
const MILLIS_PER_DAY: u64 = 86_400_000;

/// A moment taken apart in the proleptic Gregorian calendar, UTC.
struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    milli: u64,
    days_since_epoch: u64,
}

impl Civil {
    fn of(moment: Timestamp) -> Self {
        let millis = moment.0.min(LAST_FOUR_DIGIT_MILLI);
        let days_since_epoch = millis / MILLIS_PER_DAY;
        let (year, month, day) = civil_date(days_since_epoch);
        let in_day = millis % MILLIS_PER_DAY;
        Self {
            year,
            month,
            day,
            hour: in_day / 3_600_000,
            minute: in_day / 60_000 % 60,
            second: in_day / 1000 % 60,
            milli: in_day % 1000,
            days_since_epoch,
        }
    }

    fn day_name(&self) -> &'static str {
        // 1970-01-01 was a Thursday.
        match self.days_since_epoch % 7 {
            0 => "Thu",
            1 => "Fri",
            2 => "Sat",
            3 => "Sun",
            4 => "Mon",
            5 => "Tue",
            _ => "Wed",
        }
    }

    fn month_name(&self) -> &'static str {
        match self.month {
            1 => "Jan",
            2 => "Feb",
            3 => "Mar",
            4 => "Apr",
            5 => "May",
            6 => "Jun",
            7 => "Jul",
            8 => "Aug",
            9 => "Sep",
            10 => "Oct",
            11 => "Nov",
            _ => "Dec",
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Years are counted from 1 March of the year 0, so that the leap day is the last of its year and a month's first
/// day is a linear function of the month; 400 years have 146,097 days.
fn civil_date(days_since_epoch: u64) -> (u64, u64, u64) {
    const DAYS_FROM_MARCH_OF_YEAR_0: u64 = 719_468;
    let days = days_since_epoch + DAYS_FROM_MARCH_OF_YEAR_0;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

fn saturating_u64(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_shown_in_both_forms() {
        let check = |millis: u64, rfc3339: &str, rfc5322: &str| {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(moment.to_string(), rfc3339);
            assert_eq!(moment.rfc5322().to_string(), rfc5322);
        };
        check(0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 +0000");
        check(
            951_782_400_000,
            "2000-02-29T00:00:00.000Z",
            "Tue, 29 Feb 2000 00:00:00 +0000",
        );
        check(
            951_868_799_999,
            "2000-02-29T23:59:59.999Z",
            "Tue, 29 Feb 2000 23:59:59 +0000",
        );
        check(
            1_000_000_000_000,
            "2001-09-09T01:46:40.000Z",
            "Sun, 09 Sep 2001 01:46:40 +0000",
        );
        check(
            1_795_464_952_250,
            "2026-11-23T20:15:52.250Z",
            "Mon, 23 Nov 2026 20:15:52 +0000",
        );
        check(
            4_107_542_400_000,
            "2100-03-01T00:00:00.000Z",
            "Mon, 01 Mar 2100 00:00:00 +0000",
        );
        check(
            4_107_542_399_000,
            "2100-02-28T23:59:59.000Z",
            "Sun, 28 Feb 2100 23:59:59 +0000",
        );
        check(
            LAST_FOUR_DIGIT_MILLI,
            "9999-12-31T23:59:59.999Z",
            "Fri, 31 Dec 9999 23:59:59 +0000",
        );
        check(
            u64::MAX,
            "9999-12-31T23:59:59.999Z",
            "Fri, 31 Dec 9999 23:59:59 +0000",
        );
    }

    #[test]
    fn every_day_of_the_calendar_follows_the_one_before() {
        let is_leap =
            |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let length = |year: u64, month: u64| match month {
            2 => 28 + u64::from(is_leap(year)),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..=LAST_FOUR_DIGIT_MILLI / MILLIS_PER_DAY {
            assert_eq!(civil_date(days), (year, month, day), "day {days}");
            day += 1;
            if day > length(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (10_000, 1, 1));
    }

    #[test]
    fn arithmetic_saturates() {
        let second = Duration::from_secs(1);
        assert_eq!(Tick::from_micros(5) + second, Tick::from_micros(1_000_005));
        assert_eq!(Tick::MAX + second, Tick::MAX);
        assert_eq!(Tick::ZERO + Duration::MAX, Tick::MAX);
        assert_eq!(Tick::from_micros(5) - second, Tick::ZERO);
        assert_eq!(Tick::from_micros(5) - Tick::from_micros(9), Duration::ZERO);
        assert_eq!(
            Tick::from_micros(9) - Tick::from_micros(5),
            Duration::from_micros(4)
        );
        assert_eq!(
            Timestamp::from_millis(u64::MAX) + second,
            Timestamp::from_millis(u64::MAX)
        );
        assert_eq!(Timestamp::EPOCH - second, Timestamp::EPOCH);
        assert_eq!(Timestamp::from_secs(2) - Timestamp::from_secs(3), Duration::ZERO);
        assert_eq!(Timestamp::from_secs(3).since(Timestamp::from_secs(2)), second);
    }
}
