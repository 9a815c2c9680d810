//! LocalPart: what stands before the `@`, unquoted.
//!
//! Only its own host may interpret it (RFC 5321 §2.3.11), so case is preserved; `folded` is for directories of ours.

use std::fmt;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{AddressError, MAX_LOCAL_PART};

/// A local part: unquoted, case preserved, at most [`MAX_LOCAL_PART`] octets as written, free of control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalPart(Box<str>);

impl LocalPart {
    /// The local part whose meaning is `content`; quotes and backslashes in it are content.
    ///
    /// # Errors
    /// Refuses control characters, and what exceeds [`MAX_LOCAL_PART`] when written.
    pub fn from_content(content: &str) -> Result<Self, AddressError> {
        if content.chars().any(is_unfit) {
            return Err(UNFIT);
        }
        let local = Self(content.into());
        if local.written_length() > MAX_LOCAL_PART {
            return Err(TOO_LONG);
        }
        Ok(local)
    }

    /// `postmaster`, the one local part that every domain has. RFC 5321 §4.5.1
    #[must_use]
    pub fn postmaster() -> Self {
        Self("postmaster".into())
    }

    /// Parses Dot-string or Quoted-string of RFC 5321 §4.1.2, ASCII only.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse(text: &[u8]) -> Result<Self, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        Self::parse_utf8(std::str::from_utf8(text).map_err(|_| AddressError::NotAscii)?)
    }

    /// Parses the same with the UTF-8 of RFC 6531 §3.3.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn parse_utf8(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_LOCAL_PART {
            return Err(TOO_LONG);
        }
        let Some(quoted) = text.strip_prefix('"') else {
            return if is_dot_string(text) {
                Ok(Self(text.into()))
            } else {
                Err(AddressError::Syntax("local part is no dot-string"))
            };
        };
        let mut content = String::with_capacity(quoted.len());
        let mut characters = quoted.chars();
        while let Some(character) = characters.next() {
            match character {
                '"' if characters.as_str().is_empty() => return Ok(Self(content.into())),
                '"' => return Err(AddressError::Syntax("text behind the closing quote")),
                '\\' => match characters.next() {
                    // quoted-pairSMTP = %d92 %d32-126
                    Some(escaped @ ' '..='~') => content.push(escaped),
                    _ => return Err(AddressError::Syntax("backslash before nothing that it can quote")),
                },
                _ if is_unfit(character) => return Err(UNFIT),
                _ => content.push(character),
            }
        }
        Err(AddressError::Syntax(
            "quoted local part without its closing quote",
        ))
    }

    /// The content: unquoted, in the case it was written in.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag behind the first `+`: `tag` of `user+tag`. A leading `+` begins no tag.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.parts().map(|(_, detail)| detail)
    }

    /// The same without the tag: `user` of `user+tag`.
    #[must_use]
    pub fn base(&self) -> Self {
        self.parts()
            .map_or_else(|| self.clone(), |(base, _)| Self(base.into()))
    }

    /// In NFC and lower case: how a directory compares local parts.
    #[must_use]
    pub fn folded(&self) -> String {
        if self.0.is_ascii() {
            return self.0.to_ascii_lowercase();
        }
        // Lower-casing may take a composed letter apart, so NFC stands on both sides of it.
        let nfc = ComposingNormalizerBorrowed::new_nfc();
        nfc.normalize(&nfc.normalize(&self.0).to_lowercase()).into_owned()
    }

    /// Octets of what `Display` prints.
    pub(super) fn written_length(&self) -> usize {
        if is_dot_string(&self.0) {
            return self.0.len();
        }
        self.0.len() + 2 + self.0.bytes().filter(|octet| needs_escape(*octet)).count()
    }

    fn parts(&self) -> Option<(&str, &str)> {
        self.0.split_once('+').filter(|(base, _)| !base.is_empty())
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_dot_string(&self.0) {
            return f.write_str(&self.0);
        }
        let mut written = String::with_capacity(self.written_length());
        written.push('"');
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                written.push('\\');
            }
            written.push(character);
        }
        written.push('"');
        f.write_str(&written)
    }
}

const TOO_LONG: AddressError = AddressError::TooLong {
    what: "local part",
    limit: MAX_LOCAL_PART,
};

const UNFIT: AddressError = AddressError::Syntax("control character in local part");

/// Whether a character may stand in no address: control characters, and those that only change how others are shown,
/// by which one address can be made to look like another or to break a line. Joiners are letters to some scripts.
pub(crate) fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            // The marks, embeddings and isolates of bidirectional text. UAX #9
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // The separators of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // What is shown as nothing.
            | '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Dot-string of RFC 5321 §4.1.2, whose atoms may hold non-ASCII letters (RFC 6531 §3.3).
fn is_dot_string(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// atext of RFC 5322 §3.2.3, extended by RFC 6531 §3.3.
fn is_atext(character: char) -> bool {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '/' => true,
        '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}' | '~' => true,
        _ => !character.is_ascii() && !is_unfit(character),
    }
}

fn needs_escape(octet: u8) -> bool {
    matches!(octet, b'"' | b'\\')
}
