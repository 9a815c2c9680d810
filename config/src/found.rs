//! What a source holds in the place of a value, before anybody knows which type is wanted.

use std::fmt;

use toml::Spanned;
use toml::de::DeValue;

use crate::error::Place;

/// Longest part of a text that an error repeats.
const MAX_SHOWN: usize = 60;
/// Elements of a list, at most: each is looked at for each connection, or worse.
pub(crate) const MAX_LIST: usize = 1_000;

/// What was found in the place of a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// A quoted string.
    Text(String),
    /// Bare text from a source that knows no types (the command line): it may be a string, a number or a boolean.
    Word(String),
    /// A whole number. `None`: more digits than any setting has.
    Integer(Option<i64>),
    /// `true` or `false`.
    Boolean(bool),
    /// An array.
    List(Vec<Item>),
    /// A number with a fraction, a date, an array inside an array, or a table: no setting wants one; the TOML name of
    /// its type.
    Other(&'static str),
}

/// One element of an array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// What it is.
    pub(crate) found: Found,
    /// Where it stands, if its source has lines.
    pub(crate) place: Option<Place>,
}

impl Found {
    /// The value of a TOML document; `place` says where an offset of it is.
    pub(crate) fn from_toml(value: &DeValue<'_>, place: &impl Fn(usize) -> Option<Place>) -> Self {
        let DeValue::Array(array) = value else {
            return Self::from_scalar(value);
        };
        let item = |item: &Spanned<DeValue<'_>>| Item {
            found: Self::from_scalar(item.get_ref()),
            place: place(item.span().start),
        };
        // One more than any list may have, so that it is seen to be too long.
        Self::List(array.iter().take(MAX_LIST + 1).map(item).collect())
    }

    fn from_scalar(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(number) => {
                Self::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Boolean(yes) => Self::Boolean(*yes),
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Self::Other(value.type_str())
            }
        }
    }

    /// Whether it is a table.
    pub(crate) fn is_table(&self) -> bool {
        matches!(self, Self::Other("table"))
    }

    /// The text, if a string can be meant.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Word(text) => Some(text),
            Self::Integer(_) | Self::Boolean(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// The number, if one can be meant.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => *number,
            Self::Word(word) => word.parse().ok(),
            Self::Text(_) | Self::Boolean(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// The boolean, if one can be meant.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(yes) => Some(*yes),
            Self::Word(word) => word.parse().ok(),
            Self::Text(_) | Self::Integer(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// The elements, if a list can be meant: an array, a bare word cut at its commas, or a single value.
    pub(crate) fn list(&self) -> Vec<Item> {
        let item = |found| Item { found, place: None };
        match self {
            Self::List(items) => items.clone(),
            Self::Word(word) if word.trim().is_empty() => Vec::new(),
            Self::Word(word) => word
                .split(',')
                .take(MAX_LIST + 1)
                .map(|part| item(Self::Word(part.trim().to_owned())))
                .collect(),
            Self::Text(_) | Self::Integer(_) | Self::Boolean(_) | Self::Other(_) => vec![item(self.clone())],
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Word(text) => quote(f, text),
            Self::Integer(Some(number)) => write!(f, "{number}"),
            Self::Integer(None) => f.write_str("a number of more than 64 bits"),
            Self::Boolean(yes) => write!(f, "{yes}"),
            Self::List(_) | Self::Other("array") => f.write_str("an array"),
            Self::Other(kind) => write!(f, "a {kind}"),
        }
    }
}

/// Text in quotes, escaped and cut: a file may hold control characters, and an error is one line.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let shown: String = text.chars().take(MAX_SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    write!(f, "{shown:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_may_be_any_type() {
        let word = Found::Word("5".to_owned());
        assert_eq!(
            (word.text(), word.integer(), word.boolean()),
            (Some("5"), Some(5), None)
        );
        assert_eq!(Found::Word("true".to_owned()).boolean(), Some(true));
        assert_eq!(Found::Text("5".to_owned()).integer(), None);
        assert_eq!(Found::Text("true".to_owned()).boolean(), None);
    }

    #[test]
    fn what_is_shown_is_one_short_line() {
        assert_eq!(Found::Text("a\nb\0\"".to_owned()).to_string(), "\"a\\nb\\0\\\"\"");
        let long = Found::Text("é".repeat(500)).to_string();
        assert_eq!(long.chars().count(), MAX_SHOWN + 3);
        assert_eq!(Found::List(Vec::new()).to_string(), "an array");
        assert_eq!(Found::Integer(None).to_string(), "a number of more than 64 bits");
    }
}
