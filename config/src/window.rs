//! A part of each day, as an operator writes it: `"02:00-05:00"`, in UTC. It may go over midnight: `"23:00-01:30"`.

use std::fmt;

use crate::found::Found;
use crate::setting::{Setting, quoted};

/// A part of each day, from one minute on and up to another. Never empty; both ends alike mean the whole day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    from: u16,
    until: u16,
}

const MINUTES_OF_HOUR: u16 = 60;
const MINUTES_OF_DAY: u16 = 24 * MINUTES_OF_HOUR;

impl Window {
    /// From one hour on and up to another.
    pub(crate) const fn hours(from: u16, until: u16) -> Self {
        Self {
            from: from * MINUTES_OF_HOUR % MINUTES_OF_DAY,
            until: until * MINUTES_OF_HOUR % MINUTES_OF_DAY,
        }
    }

    /// Whether a moment is in it, given in seconds since the beginning of 1970 (UTC; days have no leap seconds).
    #[must_use]
    pub fn contains(&self, seconds: u64) -> bool {
        let minute = (seconds / 60 % u64::from(MINUTES_OF_DAY)) as u16;
        if self.from < self.until {
            (self.from..self.until).contains(&minute)
        } else {
            minute >= self.from || minute < self.until
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (from, until) = text.split_once('-')?;
        Some(Self {
            from: minute(from)?,
            until: minute(until)?,
        })
    }
}

/// The minute of a day: `02:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < MINUTES_OF_HOUR).then_some(hour * MINUTES_OF_HOUR + minute)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from, self.until].map(|at| (at / MINUTES_OF_HOUR, at % MINUTES_OF_HOUR));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, until.0, until.1)
    }
}

impl Setting for Window {
    const NOUN: &'static str = "a part of the day in UTC";
    const EXAMPLE: &'static str = "\"02:00-05:00\"";

    fn read(found: &Found) -> Option<Self> {
        Self::parse(found.text()?)
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_window_may_go_over_midnight() {
        let check = |text: &str, inside: &[u64], outside: &[u64]| {
            let window = Window::parse(text).unwrap();
            assert_eq!(window.to_string(), text);
            for minute in inside {
                assert!(
                    window.contains(minute * 60 + 59 + 86_400 * 20_000),
                    "{text} at {minute}"
                );
            }
            for minute in outside {
                assert!(!window.contains(minute * 60), "{text} at {minute}");
            }
        };
        check("02:00-05:00", &[120, 299], &[0, 119, 300, 1439]);
        check("23:30-01:00", &[1410, 1439, 0, 59], &[60, 1409]);
        check("00:00-00:00", &[0, 700, 1439], &[]);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in [
            "",
            "-",
            "2:00-5:00",
            "02:00",
            "02:00-24:00",
            "02:60-03:00",
            "02:00-05:00 ",
            "+2:00-05:00",
        ] {
            assert_eq!(Window::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,20}") {
            if let Some(window) = Window::parse(&text) {
                assert_eq!(window.to_string(), text);
            }
        }
    }
}
