//! Hold: HOLDFOR and HOLDUNTIL, by which a sender wants its message held back (FUTURERELEASE, RFC 4865 §3).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ParameterError;
use crate::time::Timestamp;

/// The longest HOLDFOR: nine digits of seconds. RFC 4865 §3
pub const MAX_HOLD: Duration = Duration::from_secs(999_999_999);

/// When a message may be delivered at the earliest, in whole seconds.
///
/// Displays as the whole parameter, because the keyword tells what the value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hold(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Kind {
    /// Seconds from the acceptance on.
    For(u32),
    /// Seconds since the epoch.
    Until(u64),
}

impl Hold {
    /// Parses the value of HOLDFOR: seconds, from 1 on.
    ///
    /// # Errors
    /// [`ParameterError`] for what is no such number, or more than [`MAX_HOLD`].
    pub fn parse_for(text: &[u8]) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError = ParameterError("HOLDFOR is one to nine digits of seconds");
        // future-release-integer = %x31-39 *8DIGIT
        let is_number = (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
        if !is_number || text.first() == Some(&b'0') {
            return Err(MALFORMED);
        }
        let text = std::str::from_utf8(text).map_err(|_| MALFORMED)?;
        text.parse()
            .map(|seconds| Self(Kind::For(seconds)))
            .map_err(|_| MALFORMED)
    }

    /// Parses the value of HOLDUNTIL: a date-time of RFC 3339. A part of a second is a whole one.
    ///
    /// # Errors
    /// [`ParameterError`] for what is no such date-time, or before 1970.
    pub fn parse_until(text: &[u8]) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError = ParameterError("HOLDUNTIL is a date-time of RFC 3339");
        let moment = Timestamp::parse_rfc3339(text).ok_or(MALFORMED)?;
        let seconds = moment.as_millis().div_ceil(1000);
        if seconds > LAST_SECOND {
            return Err(MALFORMED);
        }
        Ok(Self(Kind::Until(seconds)))
    }

    /// How long after its acceptance; none if a moment was named.
    #[must_use]
    pub const fn interval(&self) -> Option<Duration> {
        match self.0 {
            Kind::For(seconds) => Some(Duration::from_secs(seconds as u64)),
            Kind::Until(_) => None,
        }
    }

    /// When a message may be delivered that was accepted then.
    #[must_use]
    pub fn due(&self, accepted: Timestamp) -> Timestamp {
        match self.0 {
            Kind::For(seconds) => accepted + Duration::from_secs(seconds.into()),
            Kind::Until(seconds) => accepted.max(Timestamp::from_secs(seconds)),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::For(seconds) => write!(f, "HOLDFOR={seconds}"),
            Kind::Until(seconds) => write!(f, "HOLDUNTIL={}", Timestamp::from_secs(seconds).rfc3339()),
        }
    }
}

/// 9999-12-31T23:59:59Z: the last second that has a date-time.
const LAST_SECOND: u64 = 253_402_300_799;
