//! Names of mailboxes.

use std::fmt;

use serde::{Deserialize, Serialize, de};

/// A mailbox's name: UTF-8 (RFC 9051 §5.1), levels separated by [`SEPARATOR`], `INBOX` in capitals.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MailboxName(Box<str>);

/// What separates the levels of a name.
pub const SEPARATOR: char = '/';
/// Octets of a name.
pub const MAX_MAILBOX_NAME_OCTETS: usize = 512;
/// Levels of a name.
pub const MAX_MAILBOX_DEPTH: usize = 32;

const INBOX: &str = "INBOX";

impl MailboxName {
    /// The name that a client wrote. `inbox` in any case is the INBOX, also as the first level of a longer name.
    ///
    /// # Errors
    /// [`NameError`] when it is empty, too long, too deep, has an empty level, or a control character.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() || text.len() > MAX_MAILBOX_NAME_OCTETS {
            return Err(NameError::Length);
        }
        if text.split(SEPARATOR).any(str::is_empty) {
            return Err(NameError::EmptyLevel);
        }
        if text.split(SEPARATOR).count() > MAX_MAILBOX_DEPTH {
            return Err(NameError::Depth);
        }
        if text.chars().any(char::is_control) {
            return Err(NameError::Control);
        }
        let (first, rest) = text.split_at(text.find(SEPARATOR).unwrap_or(text.len()));
        if first.eq_ignore_ascii_case(INBOX) {
            return Ok(Self(format!("{INBOX}{rest}").into()));
        }
        Ok(Self(text.into()))
    }

    /// The mailbox that every account has. RFC 9051 §5.1
    #[must_use]
    pub fn inbox() -> Self {
        Self(INBOX.into())
    }

    /// Whether this is the INBOX.
    #[must_use]
    pub fn is_inbox(&self) -> bool {
        &*self.0 == INBOX
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name lies below the other.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&*other.0)
            .is_some_and(|rest| rest.starts_with(SEPARATOR))
    }

    /// What becomes of this name when the name above it (or itself) is renamed; `None` when it is not concerned.
    ///
    /// # Errors
    /// [`NameError`] when the new name is too long or too deep.
    pub fn renamed(&self, from: &Self, to: &Self) -> Option<Result<Self, NameError>> {
        let rest = self.0.strip_prefix(&*from.0)?;
        if !rest.is_empty() && !rest.starts_with(SEPARATOR) {
            return None;
        }
        Some(Self::new(&format!("{to}{rest}")))
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de> Deserialize<'de> for MailboxName {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::new(text).map_err(de::Error::custom)
    }
}

/// Why a text is no name of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty or longer than [`MAX_MAILBOX_NAME_OCTETS`].
    #[error("a mailbox name has 1 to {MAX_MAILBOX_NAME_OCTETS} octets")]
    Length,
    /// A separator at its begin or end, or two together.
    #[error("a mailbox name has no empty level")]
    EmptyLevel,
    /// More levels than [`MAX_MAILBOX_DEPTH`].
    #[error("a mailbox name has at most {MAX_MAILBOX_DEPTH} levels")]
    Depth,
    /// A control character.
    #[error("a mailbox name has no control characters")]
    Control,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> MailboxName {
        MailboxName::new(text).expect("a name")
    }

    #[test]
    fn names_are_checked_and_inbox_is_folded() {
        let check = |text: &str, expected: Result<&str, NameError>| {
            assert_eq!(
                MailboxName::new(text).as_ref().map(MailboxName::as_str),
                expected.as_ref().copied()
            );
        };
        check("inBox", Ok("INBOX"));
        check("inbox/Lists", Ok("INBOX/Lists"));
        check("inboxes", Ok("inboxes"));
        check("Entwürfe", Ok("Entwürfe"));
        check("", Err(NameError::Length));
        check(&"n".repeat(513), Err(NameError::Length));
        check("/a", Err(NameError::EmptyLevel));
        check("a//b", Err(NameError::EmptyLevel));
        check("a/", Err(NameError::EmptyLevel));
        check(&vec!["a"; 33].join("/"), Err(NameError::Depth));
        check("a\nb", Err(NameError::Control));
    }

    #[test]
    fn children_follow_a_rename() {
        let check = |text: &str, expected: Option<&str>| {
            let renamed = name(text).renamed(&name("a/b"), &name("c"));
            assert_eq!(
                renamed.map(|name| name.expect("a name").to_string()).as_deref(),
                expected
            );
        };
        check("a/b", Some("c"));
        check("a/b/d", Some("c/d"));
        check("a/bc", None);
        check("a", None);
        assert!(name("a/b/d").is_below(&name("a/b")) && !name("a/bc").is_below(&name("a/b")));
    }
}
