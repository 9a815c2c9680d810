//! Rights of others on a mailbox. RFC 4314

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one identifier may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who: a login, `anyone`, or either behind a `-` for rights that are taken away. RFC 4314 §2
    pub identifier: String,
    /// What.
    pub rights: Rights,
}

/// How many identifiers may have rights on one mailbox.
pub const MAX_GRANTS: usize = 256;

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights(u16);

/// The letters of RFC 4314 §2.1, in the order of the bits.
const LETTERS: &str = "lrswipkxtea";

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// All that RFC 4314 names.
    pub const ALL: Self = Self((1 << LETTERS.len()) - 1);

    /// The rights with these letters; `None` when one of them is not a right of RFC 4314 §2.1.
    #[must_use]
    pub fn parse(letters: &str) -> Option<Self> {
        letters.chars().try_fold(Self::NONE, |rights, letter| {
            let bit = LETTERS.find(letter)?;
            Some(Self(rights.0 | 1 << bit))
        })
    }

    /// Whether all of these are among them.
    #[must_use]
    pub const fn has(self, these: Self) -> bool {
        self.0 & these.0 == these.0
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = LETTERS.chars().zip(0..).filter(|(_, bit)| self.0 >> bit & 1 == 1);
        f.pad(&letters.map(|(letter, _)| letter).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_parse_and_print() {
        let check = |letters: &str, expected: Option<&str>| {
            assert_eq!(
                Rights::parse(letters).map(|rights| rights.to_string()).as_deref(),
                expected
            );
        };
        check("", Some(""));
        check("rl", Some("lr"));
        check("lrswipkxtea", Some("lrswipkxtea"));
        check("lz", None);
        assert!(Rights::ALL.has(Rights::parse("xa").expect("rights")));
        assert!(!Rights::NONE.has(Rights::ALL));
    }
}
