//! The parameters by which a sender asks for reports (DSN, RFC 3461 §4): RET, ENVID and NOTIFY. ORCPT is
//! [`super::OriginalRecipient`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ParameterError, xtext};

/// RET: how much of the message a report of failure returns. RFC 3461 §4.3
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Return {
    /// `FULL`: all of it.
    Full,
    /// `HDRS`: its header.
    Headers,
}

impl Return {
    /// Parses the value of RET.
    ///
    /// # Errors
    /// [`ParameterError`] for anything but `FULL` and `HDRS`, in any case.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        if text.eq_ignore_ascii_case(b"FULL") {
            Ok(Self::Full)
        } else if text.eq_ignore_ascii_case(b"HDRS") {
            Ok(Self::Headers)
        } else {
            Err(ParameterError("RET is FULL or HDRS"))
        }
    }
}

impl fmt::Display for Return {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        })
    }
}

/// Octets of an ENVID as written. RFC 3461 §4.4
pub const MAX_ENVELOPE_ID: usize = 100;

/// ENVID: by which name the sender knows this envelope, so that it finds it again in a report. RFC 3461 §4.4
///
/// Printable ASCII, decoded; displays as xtext.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvelopeId(Box<str>);

impl EnvelopeId {
    /// Parses the value of ENVID.
    ///
    /// # Errors
    /// [`ParameterError`] for what is no xtext, decodes to more than printable ASCII, or is too long.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError =
            ParameterError("ENVID is xtext of printable ASCII, at most 100 octets");
        if text.len() > MAX_ENVELOPE_ID {
            return Err(MALFORMED);
        }
        let octets = xtext::decode(text).ok_or(MALFORMED)?;
        if !octets.iter().all(xtext::is_printable) {
            return Err(MALFORMED);
        }
        let id = String::from_utf8(octets).map_err(|_| MALFORMED)?;
        Ok(Self(id.into()))
    }

    /// The name, decoded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        xtext::write(&self.0, f)
    }
}

impl TryFrom<String> for EnvelopeId {
    type Error = ParameterError;

    fn try_from(text: String) -> Result<Self, ParameterError> {
        Self::parse(text.as_bytes())
    }
}

impl From<EnvelopeId> for String {
    fn from(id: EnvelopeId) -> Self {
        id.to_string()
    }
}

/// NOTIFY: when the sender wants to hear of a recipient. RFC 3461 §4.1
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Notify {
    /// `NEVER`.
    Never,
    /// In these cases, of which there is at least one.
    On(Occasions),
}

/// The cases of [`Notify::On`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Occasions {
    /// `SUCCESS`: when the message was delivered.
    pub success: bool,
    /// `FAILURE`: when it never will be.
    pub failure: bool,
    /// `DELAY`: when it takes long.
    pub delay: bool,
}

impl Notify {
    /// Parses the value of NOTIFY.
    ///
    /// # Errors
    /// [`ParameterError`] for anything but `NEVER`, alone, or a list of `SUCCESS`, `FAILURE` and `DELAY`, in any case.
    pub fn parse(text: &[u8]) -> Result<Self, ParameterError> {
        const MALFORMED: ParameterError =
            ParameterError("NOTIFY is NEVER or a list of SUCCESS, FAILURE and DELAY");
        if text.eq_ignore_ascii_case(b"NEVER") {
            return Ok(Self::Never);
        }
        let mut on = Occasions::default();
        for word in text.split(|octet| *octet == b',') {
            let occasion = if word.eq_ignore_ascii_case(b"SUCCESS") {
                &mut on.success
            } else if word.eq_ignore_ascii_case(b"FAILURE") {
                &mut on.failure
            } else if word.eq_ignore_ascii_case(b"DELAY") {
                &mut on.delay
            } else {
                return Err(MALFORMED);
            };
            if std::mem::replace(occasion, true) {
                return Err(MALFORMED);
            }
        }
        Ok(Self::On(on))
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::On(on) = self else {
            return f.write_str("NEVER");
        };
        let words = [
            ("SUCCESS", on.success),
            ("FAILURE", on.failure),
            ("DELAY", on.delay),
        ];
        let mut comma = "";
        for (word, _) in words.into_iter().filter(|(_, wanted)| *wanted) {
            write!(f, "{comma}{word}")?;
            comma = ",";
        }
        Ok(())
    }
}
