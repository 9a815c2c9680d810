//! DeliverBy: the BY of MAIL, by when a sender wants its message delivered (DELIVERBY, RFC 2852 §4).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ParameterError;

/// By when, and what to do if it is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DeliverBy {
    seconds: i32,
    lateness: Lateness,
    trace: bool,
}

/// What is to be done with a message that is late: by-mode of RFC 2852 §4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Lateness {
    /// `R`: it is returned as undeliverable.
    Return,
    /// `N`: the sender is told, and it is delivered as ever.
    Notify,
}

impl DeliverBy {
    /// Parses the value of BY: `3600;R`, `-20;NT`.
    ///
    /// # Errors
    /// [`ParameterError`] for what is not in the grammar, and for a message that is to be returned at once.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError = ParameterError("BY is seconds, a semicolon, R or N, and perhaps T");
        let text = std::str::from_utf8(text).map_err(|_| MALFORMED)?;
        let (time, mode) = text.split_once(';').ok_or(MALFORMED)?;
        let digits = time.strip_prefix(['-', '+']).unwrap_or(time);
        if !(1..=MAX_DIGITS).contains(&digits.len()) || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(MALFORMED);
        }
        let seconds: i32 = time.parse().map_err(|_| MALFORMED)?;
        let (lateness, trace) = match mode.as_bytes() {
            [b'R' | b'r', rest @ ..] => (Lateness::Return, rest),
            [b'N' | b'n', rest @ ..] => (Lateness::Notify, rest),
            _ => return Err(MALFORMED),
        };
        let trace = match trace {
            [] => false,
            [b'T' | b't'] => true,
            _ => return Err(MALFORMED),
        };
        if lateness == Lateness::Return && seconds <= 0 {
            return Err(ParameterError("BY with R wants a time that is still to come"));
        }
        Ok(Self {
            seconds,
            lateness,
            trace,
        })
    }

    /// Seconds from now; below zero when the time was over before the message came here.
    #[must_use]
    pub const fn seconds(&self) -> i32 {
        self.seconds
    }

    /// What is to be done when it is late.
    #[must_use]
    pub const fn lateness(&self) -> Lateness {
        self.lateness
    }

    /// Whether each hop is to report that it handed the message on.
    #[must_use]
    pub const fn trace(&self) -> bool {
        self.trace
    }
}

impl fmt::Display for DeliverBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.lateness {
            Lateness::Return => 'R',
            Lateness::Notify => 'N',
        };
        let trace = if self.trace { "T" } else { "" };
        write!(f, "{};{mode}{trace}", self.seconds)
    }
}

/// Digits of by-time. RFC 2852 §4
const MAX_DIGITS: usize = 9;
