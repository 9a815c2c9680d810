//! How addresses and domains are shown to people: in U-labels, as they are written where they come from, if nobody can
//! be deceived by that.
//!
//! Never for a machine: what goes over a wire, into a record or into a comparison is what `Display` prints.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use idna::AsciiDenyList;
use idna::uts46::{Hyphens, Uts46};
use unicode_security::confusable_detection::skeleton;
use unicode_security::{RestrictionLevel, RestrictionLevelDetection};

use super::{Domain, DomainName, EmailAddress, ReversePath};

/// The U-label of an A-label, if it may be shown.
///
/// Not one whose letters come from scripts that are not written together (UTS 39 §5.2), that is drawn like a name in
/// ASCII, or that is written from right to left: within a line it would rearrange what stands around it.
fn u_label(label: &str) -> Option<String> {
    if !label.starts_with("xn--") {
        return None;
    }
    let (shown, checked) =
        Uts46::new().to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    checked.ok()?;
    let is_plain = shown.check_restriction_level(RestrictionLevel::HighlyRestrictive)
        && !shown.chars().any(is_right_to_left)
        && !skeleton(&shown).all(|character| character.is_ascii());
    let back = DomainName::parse_utf8(&shown).ok()?;
    (is_plain && back.as_str() == label).then(|| shown.into_owned())
}

/// The blocks whose characters are written from right to left, assigned or not. UAX #9, table 4 of DerivedBidiClass
const RIGHT_TO_LEFT: [RangeInclusive<char>; 5] = [
    '\u{590}'..='\u{8ff}',
    '\u{fb1d}'..='\u{fdff}',
    '\u{fe70}'..='\u{feff}',
    '\u{10800}'..='\u{10fff}',
    '\u{1e800}'..='\u{1efff}',
];

fn is_right_to_left(character: char) -> bool {
    RIGHT_TO_LEFT.iter().any(|block| block.contains(&character))
}

/// Something as it is shown to people.
#[derive(Debug, Clone, Copy)]
pub struct Shown<T>(T);

impl DomainName {
    /// As it is shown to people: `bücher.example`.
    #[must_use]
    pub const fn shown(&self) -> Shown<&Self> {
        Shown(self)
    }
}

impl EmailAddress {
    /// As it is shown to people: `anna@bücher.example`.
    #[must_use]
    pub const fn shown(&self) -> Shown<&Self> {
        Shown(self)
    }
}

impl ReversePath {
    /// As it is shown to people: `<anna@bücher.example>`.
    #[must_use]
    pub const fn shown(&self) -> Shown<&Self> {
        Shown(self)
    }
}

impl fmt::Display for Shown<&DomainName> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut dot = "";
        for label in self.0.as_str().split('.') {
            let label = u_label(label).map_or(Cow::Borrowed(label), Cow::Owned);
            write!(f, "{dot}{label}")?;
            dot = ".";
        }
        Ok(())
    }
}

impl fmt::Display for Shown<&EmailAddress> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.0.local())?;
        match self.0.domain() {
            Domain::Name(name) => name.shown().fmt(f),
            Domain::Literal(literal) => literal.fmt(f),
        }
    }
}

impl fmt::Display for Shown<&ReversePath> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ReversePath::Null => f.write_str("<>"),
            ReversePath::Address(address) => write!(f, "<{}>", address.shown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse_utf8(text).unwrap()
    }

    #[test]
    fn a_name_is_shown_as_it_is_written_at_home() {
        for text in [
            "example.org",
            "b\u{fc}cher.example",
            "stra\u{df}e.example",
            "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}",
            "\u{3c0}\u{3b1}\u{3c1}\u{3ac}\u{3b4}\u{3b5}\u{3b9}\u{3b3}\u{3bc}\u{3b1}.example",
            "\u{65e5}\u{672c}\u{8a9e}.jp",
            "\u{30c6}\u{30b9}\u{30c8}abc.jp",
            "\u{d55c}\u{ad6d}.kr",
            "\u{92d}\u{93e}\u{930}\u{924}.example",
        ] {
            assert_eq!(name(text).shown().to_string(), text);
        }
        let address = EmailAddress::parse_utf8("j\u{fc}rgen@b\u{fc}cher.example").unwrap();
        assert_eq!(address.shown().to_string(), "j\u{fc}rgen@b\u{fc}cher.example");
        assert_eq!(address.to_string(), "j\u{fc}rgen@xn--bcher-kva.example");
        let path = ReversePath::Address(address);
        assert_eq!(path.shown().to_string(), "<j\u{fc}rgen@b\u{fc}cher.example>");
        assert_eq!(ReversePath::Null.shown().to_string(), "<>");
    }

    /// Attack 30.
    #[test]
    fn a_name_that_could_deceive_is_shown_in_a_labels() {
        for (text, why) in [
            ("\u{430}pple.example", "Cyrillic and Latin"),
            ("goog\u{3bb}e.example", "Greek and Latin"),
            (
                "\u{430}\u{440}\u{440}\u{4cf}\u{435}.example",
                "Cyrillic that looks like Latin",
            ),
            ("\u{455}\u{441}\u{43e}\u{440}\u{435}.example", "the same"),
            ("\u{3bf}\u{3bd}.example", "Greek that looks like Latin"),
            ("pa\u{1d0f}pal.example", "small capitals"),
            ("pay\u{4cf}.example", "a palochka"),
            ("\u{131}.example", "a dotless i alone"),
            ("\u{5d0}\u{5d1}.example", "right to left"),
            ("\u{645}\u{62b}\u{627}\u{644}.example", "right to left"),
            ("\u{13a0}\u{13b3}.example", "a script for scholars"),
            ("i\u{2764}.example", "a sign"),
        ] {
            let name = name(text);
            assert_eq!(name.shown().to_string(), name.to_string(), "{why}");
            assert!(name.to_string().is_ascii(), "{why}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_the_same_name(text in "(\\PC{1,6}|[a-z\u{e4}\u{fc}\u{430}-\u{44f}]{1,8}|xn--[a-z0-9-]{1,12})\\.[a-z]{2}") {
            if let Ok(name) = DomainName::parse_utf8(&text) {
                let shown = name.shown().to_string();
                prop_assert!(!shown.contains(char::is_control) && !shown.contains(is_right_to_left), "{:?}", shown);
                prop_assert_eq!(DomainName::parse_utf8(&shown), Ok(name));
            }
        }
    }
}
