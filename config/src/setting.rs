//! The types that a setting can have: how each is read from a source, printed, and described in an error.

use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use message::{DomainName, NodeId};

use crate::byte_size::ByteSize;
use crate::duration::{parse_duration, print_duration};
use crate::error::Place;
use crate::found::{Found, MAX_LIST};
use crate::nearest::nearest;

/// Longest name of a file, in bytes (Linux: PATH_MAX).
const MAX_PATH: usize = 4096;
/// Longest text of any other kind, in bytes.
const MAX_TEXT: usize = 1024;

/// A type that a setting can have.
pub(crate) trait Setting: Sized {
    /// What is expected, with its article: `a size`.
    const NOUN: &'static str;
    /// An example in TOML, or nothing where the noun says all.
    const EXAMPLE: &'static str;
    /// The words allowed, where only these are.
    const WORDS: &'static [&'static str] = &[];

    /// The value, if what was found is one of this type.
    fn read(found: &Found) -> Option<Self>;

    /// The value as TOML; `None` where there is none to write.
    fn print(&self) -> Option<String>;

    /// The value that was probably meant, as TOML.
    fn suggest(found: &Found) -> Option<String> {
        let word = nearest(found.text()?, Self::WORDS.iter().copied())?;
        Some(quoted(word))
    }

    /// The value, or everything that is wrong with what was found.
    fn read_all(found: &Found) -> Result<Self, Vec<Wrong>> {
        Self::read(found).ok_or_else(|| {
            vec![Wrong {
                place: None,
                expected: expected::<Self>(),
                found: found.to_string(),
                nearest: Self::suggest(found),
            }]
        })
    }
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Where it stands, if it is only a part of the value.
    pub(crate) place: Option<Place>,
    /// What the key takes.
    pub(crate) expected: String,
    /// What stands there.
    pub(crate) found: String,
    /// What was probably meant.
    pub(crate) nearest: Option<String>,
}

/// Why a section did not take a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The section has no such key.
    Unknown,
    /// The value is not what the key takes.
    Wrong(Vec<Wrong>),
}

/// Reads a value of any size.
pub(crate) fn read<T: Setting>(found: &Found) -> Result<T, Refused> {
    T::read_all(found).map_err(Refused::Wrong)
}

/// Reads a value within limits.
pub(crate) fn read_within<T: Setting + PartialOrd>(
    found: &Found,
    limits: &RangeInclusive<T>,
) -> Result<T, Refused> {
    T::read(found)
        .filter(|value| limits.contains(value))
        .ok_or_else(|| {
            Refused::Wrong(vec![Wrong {
                place: None,
                expected: expected_within(limits),
                found: found.to_string(),
                nearest: None,
            }])
        })
}

fn expected<T: Setting>() -> String {
    if !T::WORDS.is_empty() {
        let words: Vec<String> = T::WORDS.iter().map(|word| format!("{word:?}")).collect();
        return format!("{} {}", T::NOUN, words.join(", "));
    }
    if T::EXAMPLE.is_empty() {
        return T::NOUN.to_owned();
    }
    format!("{} such as {}", T::NOUN, T::EXAMPLE)
}

fn expected_within<T: Setting>(limits: &RangeInclusive<T>) -> String {
    let [from, to] = [limits.start(), limits.end()].map(|bound| bound.print().unwrap_or_default());
    format!("{} from {from} to {to}", T::NOUN)
}

/// Whole numbers, through the 64 bits of TOML.
macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            const NOUN: &'static str = "a whole number";
            const EXAMPLE: &'static str = "";

            fn read(found: &Found) -> Option<Self> {
                found.integer().and_then(|number| Self::try_from(number).ok())
            }

            fn print(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )+};
}

whole_numbers!(u8, u16, u32, i32);

impl Setting for bool {
    const NOUN: &'static str = "true or false";
    const EXAMPLE: &'static str = "";

    fn read(found: &Found) -> Option<Self> {
        found.boolean()
    }

    fn print(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for String {
    const NOUN: &'static str = "a text";
    const EXAMPLE: &'static str = "";

    fn read(found: &Found) -> Option<Self> {
        found
            .text()
            .filter(|text| !text.is_empty() && text.len() <= MAX_TEXT && !text.contains(char::is_control))
            .map(str::to_owned)
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for PathBuf {
    const NOUN: &'static str = "a path";
    const EXAMPLE: &'static str = "\"/var/lib/angarium\"";

    fn read(found: &Found) -> Option<Self> {
        found
            .text()
            .filter(|text| !text.is_empty() && text.len() <= MAX_PATH && !text.contains(char::is_control))
            .map(Self::from)
    }

    fn print(&self) -> Option<String> {
        self.to_str().map(quoted)
    }
}

impl Setting for IpAddr {
    const NOUN: &'static str = "an address";
    const EXAMPLE: &'static str = "\"127.0.0.1\" or \"::1\"";

    fn read(found: &Found) -> Option<Self> {
        found.text()?.parse().ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for SocketAddr {
    const NOUN: &'static str = "an address and a port";
    const EXAMPLE: &'static str = "\"127.0.0.1:2525\" or \"[::1]:2525\"";

    fn read(found: &Found) -> Option<Self> {
        found.text()?.parse().ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for Duration {
    const NOUN: &'static str = "a duration";
    const EXAMPLE: &'static str = "\"5m\" or \"30s\"";

    fn read(found: &Found) -> Option<Self> {
        parse_duration(found.text()?)
    }

    fn print(&self) -> Option<String> {
        Some(quoted(print_duration(*self)))
    }
}

impl Setting for ByteSize {
    const NOUN: &'static str = "a size";
    const EXAMPLE: &'static str = "\"50MiB\" or \"50MB\"";

    fn read(found: &Found) -> Option<Self> {
        found.text()?.parse().ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Setting for NodeId {
    const NOUN: &'static str = "a whole number from 0 to 65535";
    const EXAMPLE: &'static str = "";

    fn read(found: &Found) -> Option<Self> {
        u16::read(found).map(Self::new)
    }

    fn print(&self) -> Option<String> {
        self.get().print()
    }
}

impl Setting for DomainName {
    const NOUN: &'static str = "a domain";
    const EXAMPLE: &'static str = "\"mx.example.org\"";

    fn read(found: &Found) -> Option<Self> {
        Self::parse_utf8(found.text()?).ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

/// A setting that may be absent; it cannot be written as absent, only left out.
impl<T: Setting> Setting for Option<T> {
    const NOUN: &'static str = T::NOUN;
    const EXAMPLE: &'static str = T::EXAMPLE;
    const WORDS: &'static [&'static str] = T::WORDS;

    fn read(found: &Found) -> Option<Self> {
        T::read(found).map(Some)
    }

    fn print(&self) -> Option<String> {
        self.as_ref().and_then(T::print)
    }

    fn suggest(found: &Found) -> Option<String> {
        T::suggest(found)
    }
}

/// A list: a TOML array, on the command line and in the environment also bare words between commas. A single value is
/// a list of one.
impl<T: Setting> Setting for Vec<T> {
    const NOUN: &'static str = T::NOUN;
    const EXAMPLE: &'static str = T::EXAMPLE;
    const WORDS: &'static [&'static str] = T::WORDS;

    fn read(found: &Found) -> Option<Self> {
        Self::read_all(found).ok()
    }

    fn print(&self) -> Option<String> {
        let items: Vec<String> = self.iter().filter_map(T::print).collect();
        Some(format!("[{}]", items.join(", ")))
    }

    fn read_all(found: &Found) -> Result<Self, Vec<Wrong>> {
        let items = found.list();
        if items.len() > MAX_LIST {
            return Err(vec![Wrong {
                place: None,
                expected: format!("a list of at most {MAX_LIST}"),
                found: "a longer one".to_owned(),
                nearest: None,
            }]);
        }
        let mut values = Vec::with_capacity(items.len());
        let mut wrong = Vec::new();
        for item in items {
            match T::read_all(&item.found) {
                Ok(value) => values.push(value),
                Err(mistakes) => wrong.extend(mistakes.into_iter().map(|mistake| Wrong {
                    place: item.place.clone(),
                    ..mistake
                })),
            }
        }
        if wrong.is_empty() { Ok(values) } else { Err(wrong) }
    }
}

/// A basic string of TOML. Only quotes and backslashes need an escape: no setting holds control characters.
pub(crate) fn quoted(value: impl Display) -> String {
    let mut text = String::from("\"");
    for c in value.to_string().chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}

/// A setting of a few words, one for each variant.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident ($noun:literal) {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( $(#[doc = $doc])+ #[doc = concat!("Written `\"", $word, "\"`.")] $variant, )+
        }

        impl $name {
            /// The word of the configuration.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl $crate::setting::Setting for $name {
            const NOUN: &'static str = $noun;
            const EXAMPLE: &'static str = "";
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn read(found: &$crate::found::Found) -> Option<Self> {
                match found.text()? {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                }
            }

            fn print(&self) -> Option<String> {
                Some(format!("\"{}\"", self.word()))
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::Item;

    fn check<T: Setting>(found: &Found, printed: Option<&str>) {
        assert_eq!(
            T::read(found).and_then(|value| value.print()).as_deref(),
            printed,
            "{found:?}"
        );
    }

    fn text(text: &str) -> Found {
        Found::Text(text.to_owned())
    }

    #[test]
    fn each_type_reads_its_own_and_nothing_else() {
        check::<u16>(&Found::Integer(Some(65_535)), Some("65535"));
        check::<u16>(&Found::Integer(Some(65_536)), None);
        check::<u32>(&Found::Integer(Some(-1)), None);
        check::<u32>(&text("5"), None);
        check::<NodeId>(&Found::Integer(Some(7)), Some("7"));
        check::<u32>(&Found::Word("5".to_owned()), Some("5"));
        check::<bool>(&Found::Boolean(true), Some("true"));
        check::<bool>(&text("true"), None);
        check::<PathBuf>(&text("C:\\a \"b\""), Some(r#""C:\\a \"b\"""#));
        check::<PathBuf>(&text("two\nlines"), None);
        check::<PathBuf>(&text("/nul\0"), None);
        check::<PathBuf>(&text(""), None);
        check::<SocketAddr>(&text("[::1]:25"), Some("\"[::1]:25\""));
        check::<SocketAddr>(&text("localhost:25"), None);
        check::<Duration>(&text("300s"), Some("\"5m\""));
        check::<Duration>(&Found::Integer(Some(300)), None);
        check::<ByteSize>(&text("1024KiB"), Some("\"1MiB\""));
        check::<DomainName>(&text("MX.Example.org"), Some("\"mx.example.org\""));
        check::<DomainName>(&text("not a domain"), None);
        check::<Option<PathBuf>>(&text("a.pem"), Some("\"a.pem\""));
        check::<String>(&text("two\nlines"), None);
        check::<String>(&text("a \"b\""), Some(r#""a \"b\"""#));
    }

    #[test]
    fn a_list_is_an_array_or_words_between_commas() {
        let word = |word: &str| Found::Word(word.to_owned());
        let array = |items: &[Found]| {
            let item = |found: &Found| Item {
                found: found.clone(),
                place: None,
            };
            Found::List(items.iter().map(item).collect())
        };
        check::<Vec<u16>>(&word("1, 2,3"), Some("[1, 2, 3]"));
        check::<Vec<u16>>(&word(""), Some("[]"));
        check::<Vec<u16>>(&word("1,,2"), None);
        check::<Vec<SocketAddr>>(&word("0.0.0.0:25,[::]:25"), Some("[\"0.0.0.0:25\", \"[::]:25\"]"));
        check::<Vec<u16>>(&array(&[Found::Integer(Some(1))]), Some("[1]"));
        check::<Vec<u16>>(&array(&[]), Some("[]"));
        check::<Vec<u16>>(&Found::Integer(Some(1)), Some("[1]"));
        check::<Vec<String>>(&text("one, still one"), Some("[\"one, still one\"]"));
        let wrong = Vec::<u16>::read_all(&array(&[
            text("1"),
            Found::Integer(Some(2)),
            Found::Other("table"),
        ]));
        let found: Vec<String> = wrong.unwrap_err().into_iter().map(|wrong| wrong.found).collect();
        assert_eq!(found, ["\"1\"", "a table"]);
        let long = Vec::<u16>::read_all(&word(&"1,".repeat(2_000))).unwrap_err();
        assert_eq!(long.first().unwrap().expected, "a list of at most 1000");
    }

    #[test]
    fn limits_are_part_of_what_is_expected() {
        let expected = |refused: Refused| match refused {
            Refused::Wrong(wrong) => wrong.into_iter().map(|wrong| wrong.expected).collect::<String>(),
            Refused::Unknown => String::new(),
        };
        let refused = read_within(&Found::Integer(Some(5)), &(100_u32..=1_000)).unwrap_err();
        assert_eq!(expected(refused), "a whole number from 100 to 1000");
        assert_eq!(
            read_within(&Found::Integer(Some(100)), &(100_u32..=1_000)),
            Ok(100)
        );
        let refused = read::<Duration>(&Found::Integer(Some(5))).unwrap_err();
        assert_eq!(expected(refused), "a duration such as \"5m\" or \"30s\"");
    }
}
