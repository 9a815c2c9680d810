//! Claimant: who a client says it is, before anything is proven.

use std::fmt;

use message::Domain;

use crate::login::Login;

/// The name that a client gave, as it wrote it and in its one form.
///
/// Not proven: it says neither that there is such an account nor that the client may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    given: String,
    login: Option<Login>,
}

impl Claimant {
    /// Takes a name as it was given. A name without a domain belongs to `default_domain`, if there is one.
    #[must_use]
    pub fn new(given: impl Into<String>, default_domain: Option<&Domain>) -> Self {
        let given = given.into();
        let login = Login::parse(&given, default_domain).ok();
        Self { given, login }
    }

    /// The name in its one form; `None` when no account can have it.
    #[must_use]
    pub const fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// What stands for the claimant where known and unknown names are treated alike: the one form, else the name as
    /// it was given.
    #[must_use]
    pub fn key(&self) -> &str {
        self.login.as_ref().map_or(&self.given, Login::as_str)
    }

    /// Whether another name, as the same client gives it, means the same account.
    pub(crate) fn is_also(&self, given: &str, default_domain: Option<&Domain>) -> bool {
        match (&self.login, Login::parse(given, default_domain).ok()) {
            (Some(mine), Some(other)) => *mine == other,
            _ => self.given == given,
        }
    }
}

/// The name as it was given, for a log: control characters and what is not ASCII are escaped, and it is cut after
/// [`SHOWN_CHARACTERS`].
impl fmt::Display for Claimant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.given.chars().take(SHOWN_CHARACTERS) {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => write!(f, "{character}")?,
                _ => write!(f, "{}", character.escape_unicode())?,
            }
        }
        if self.given.chars().nth(SHOWN_CHARACTERS).is_some() {
            f.write_str("…")?;
        }
        Ok(())
    }
}

/// Characters of a name that a log shows: more than any address has that anyone reads.
pub const SHOWN_CHARACTERS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimant_is_shown_without_what_could_deceive_a_reader() {
        let check = |given: &str, shown: &str| assert_eq!(Claimant::new(given, None).to_string(), shown);
        check("ada@example.org", "ada@example.org");
        check("a\r\nb\0\u{1b}[2J", "a\\u{d}\\u{a}b\\u{0}\\u{1b}[2J");
        check("\u{202e}ada", "\\u{202e}ada");
        check("say \"\\\"", "say \\\"\\\\\\\"");
        check(&"a".repeat(101), &format!("{}…", "a".repeat(100)));
    }

    #[test]
    fn one_account_has_one_key() {
        let home = Domain::parse(b"example.org").unwrap();
        for given in ["ada", "ADA+x", "ada@Example.org"] {
            assert_eq!(Claimant::new(given, Some(&home)).key(), "ada@example.org");
        }
        assert_eq!(Claimant::new("ada", None).key(), "ada");
        let ada = Claimant::new("ada", Some(&home));
        assert!(ada.is_also("Ada@example.org", Some(&home)));
        assert!(!ada.is_also("bob", Some(&home)));
        assert!(Claimant::new("?", None).is_also("?", None));
        assert!(!Claimant::new("?", None).is_also("!", None));
    }
}
