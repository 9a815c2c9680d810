//! Offences: what an honest peer does rarely, and how much each weighs.

use crate::telemetry::{self, metric::Counter};

/// What a peer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Offence {
    /// A wrong password, or an account that does not exist.
    AuthFailure,
    /// A command that does not exist.
    UnknownCommand,
    /// Another command that was answered with a permanent error.
    ErrorReply,
    /// A recipient who does not exist.
    UnknownRecipient,
    /// It spoke before the greeting.
    EarlyTalker,
}

/// Points at which an address is banned: so many that the ten-thousandth part of it is nearly exact.
pub(super) const FULL: u32 = 1_000_000_000;

impl Offence {
    /// How much of [`FULL`] it is; 0 when it does not count.
    pub(super) const fn points(self, limits: &config::Limits) -> u32 {
        let limit = match self {
            Self::AuthFailure => limits.auth_failures,
            Self::UnknownCommand => limits.unknown_commands,
            Self::ErrorReply => limits.errors,
            Self::UnknownRecipient => limits.unknown_recipients,
            Self::EarlyTalker => limits.early_talkers,
        };
        match limit {
            0 => 0,
            // Upwards, so that so many are enough.
            limit => FULL.div_ceil(limit),
        }
    }

    /// Counts it, also where it does not count towards a ban.
    pub(super) const fn counter(self) -> &'static Counter {
        match self {
            Self::AuthFailure => &telemetry::SECURITY_OFFENCES_PASSWORDS,
            Self::UnknownCommand => &telemetry::SECURITY_OFFENCES_UNKNOWN_COMMANDS,
            Self::ErrorReply => &telemetry::SECURITY_OFFENCES_ERRORS,
            Self::UnknownRecipient => &telemetry::SECURITY_OFFENCES_UNKNOWN_RECIPIENTS,
            Self::EarlyTalker => &telemetry::SECURITY_OFFENCES_EARLY_TALKERS,
        }
    }

    /// As the reason of a ban, and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthFailure => "wrong passwords",
            Self::UnknownCommand => "unknown commands",
            Self::ErrorReply => "errors",
            Self::UnknownRecipient => "unknown recipients",
            Self::EarlyTalker => "talking before the greeting",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_settings_say_are_enough_and_no_fewer() {
        for count in [1, 3, 7, 50, 999, 9_999, 10_000] {
            let limits = config::Limits {
                errors: count,
                ..config::Limits::default()
            };
            let points = u64::from(Offence::ErrorReply.points(&limits));
            assert!(points * u64::from(count) >= u64::from(FULL), "{count}");
            assert!(points * u64::from(count - 1) < u64::from(FULL), "{count}");
        }
        let off = config::Limits {
            errors: 0,
            ..config::Limits::default()
        };
        assert_eq!(Offence::ErrorReply.points(&off), 0);
    }
}
