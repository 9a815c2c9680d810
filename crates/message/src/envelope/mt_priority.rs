//! MtPriority: the MT-PRIORITY of MAIL, what a sender wants sent first (RFC 6710 §3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ParameterError;

/// From -9, the last, to 9, the first; 0 is as good as nothing said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "i8", into = "i8")]
pub struct MtPriority(i8);

impl MtPriority {
    /// Parses the value of MT-PRIORITY.
    ///
    /// # Errors
    /// [`ParameterError`] for what is no number from -9 to 9.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        // priority-value = (["-"] NZDIGIT) / "0"
        match text {
            [b'0'] => Ok(Self(0)),
            [digit @ b'1'..=b'9'] => Self::try_from((digit - b'0').cast_signed()),
            [b'-', digit @ b'1'..=b'9'] => Self::try_from(-(digit - b'0').cast_signed()),
            _ => Err(OUTSIDE),
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl fmt::Display for MtPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<i8> for MtPriority {
    type Error = ParameterError;

    fn try_from(number: i8) -> Result<Self, ParameterError> {
        if (-9..=9).contains(&number) {
            Ok(Self(number))
        } else {
            Err(OUTSIDE)
        }
    }
}

impl From<MtPriority> for i8 {
    fn from(priority: MtPriority) -> Self {
        priority.0
    }
}

const OUTSIDE: ParameterError = ParameterError("MT-PRIORITY is a number from -9 to 9");
