//! Flags and keywords of a message. RFC 9051 §2.3.2

use serde::{Deserialize, Serialize, de};

/// The flags of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// Those that the RFC names.
    pub system: SystemFlags,
    /// Those that clients name: sorted, none twice, at most [`MAX_KEYWORDS`].
    keywords: Vec<Keyword>,
}

/// How many keywords a message may have.
pub const MAX_KEYWORDS: usize = 64;

impl Flags {
    /// These flags; keywords in any order, repeated ones count once.
    #[must_use]
    pub fn new(system: SystemFlags, keywords: impl IntoIterator<Item = Keyword>) -> Self {
        let mut keywords: Vec<Keyword> = keywords.into_iter().collect();
        keywords.sort_unstable();
        keywords.dedup();
        Self { system, keywords }
    }

    /// The keywords, sorted.
    #[must_use]
    pub fn keywords(&self) -> &[Keyword] {
        &self.keywords
    }

    /// Both together.
    #[must_use]
    pub fn with(&self, more: &Self) -> Self {
        Self::new(
            self.system.with(more.system),
            self.keywords.iter().chain(&more.keywords).cloned(),
        )
    }

    /// What is left without the others.
    #[must_use]
    pub fn without(&self, less: &Self) -> Self {
        let left = self
            .keywords
            .iter()
            .filter(|keyword| less.keywords.binary_search(keyword).is_err());
        Self::new(self.system.without(less.system), left.cloned())
    }

    /// Whether the message counts as unseen.
    #[must_use]
    pub const fn unseen(&self) -> bool {
        !self.system.has(SystemFlags::SEEN)
    }
}

/// A set of the flags that RFC 9051 §2.3.2 names. `\Recent` is gone with it and never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SystemFlags(u8);

impl SystemFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// `\Seen`
    pub const SEEN: Self = Self(1);
    /// `\Answered`
    pub const ANSWERED: Self = Self(2);
    /// `\Flagged`
    pub const FLAGGED: Self = Self(4);
    /// `\Deleted`
    pub const DELETED: Self = Self(8);
    /// `\Draft`
    pub const DRAFT: Self = Self(16);

    /// Both together.
    #[must_use]
    pub const fn with(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }

    /// What is left without the others.
    #[must_use]
    pub const fn without(self, less: Self) -> Self {
        Self(self.0 & !less.0)
    }

    /// Whether all of these are set.
    #[must_use]
    pub const fn has(self, these: Self) -> bool {
        self.0 & these.0 == these.0
    }
}

/// A keyword: an atom of a client's choice, in lower case, because keywords are compared without case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Keyword(Box<str>);

/// Octets of a keyword.
pub const MAX_KEYWORD_OCTETS: usize = 64;

impl Keyword {
    /// The keyword that a client wrote.
    ///
    /// # Errors
    /// [`KeywordError`] when it is no atom (RFC 9051 §9, `flag-keyword`) or too long.
    pub fn new(text: &str) -> Result<Self, KeywordError> {
        let special = |byte: u8| matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']');
        let atom = |byte: u8| byte.is_ascii_graphic() && !special(byte);
        if text.is_empty() || text.len() > MAX_KEYWORD_OCTETS || !text.bytes().all(atom) {
            return Err(KeywordError);
        }
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Keyword {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        Self::new(text).map_err(de::Error::custom)
    }
}

/// A text is no keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a keyword: expected an atom of at most {MAX_KEYWORD_OCTETS} octets")]
pub struct KeywordError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_atoms_in_lower_case() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                Keyword::new(text).ok().as_ref().map(Keyword::as_str),
                expected,
                "{text:?}"
            );
        };
        check("$Forwarded", Some("$forwarded"));
        check("a[b", Some("a[b"));
        check(&"k".repeat(64), Some(&"k".repeat(64)));
        for bad in ["", "a b", "a(b", "\\Seen", "ü", "a\r", &"k".repeat(65)] {
            check(bad, None);
        }
    }

    #[test]
    fn flags_are_sets() {
        let flags = |system, keywords: &[&str]| {
            Flags::new(
                system,
                keywords.iter().map(|text| Keyword::new(text).expect("a keyword")),
            )
        };
        let some = flags(SystemFlags::SEEN, &["b", "A", "a"]);
        assert_eq!(some, flags(SystemFlags::SEEN, &["a", "b"]));
        let more = flags(SystemFlags::DRAFT, &["c", "b"]);
        let both = some.with(&more);
        assert_eq!(
            both,
            flags(SystemFlags::SEEN.with(SystemFlags::DRAFT), &["a", "b", "c"])
        );
        assert_eq!(both.without(&more), flags(SystemFlags::SEEN, &["a"]));
        assert!(!both.unseen() && more.unseen());
    }
}
