//! Part: one MIME entity, as BODYSTRUCTURE shows it and FETCH finds it.

use serde::{Deserialize, Serialize};

use super::{ImapEnvelope, RawText};

/// One entity: the message, a part of a multipart, or the body of a message within the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// How many entities it lies within; 0 for the message itself.
    pub depth: u8,
    /// What it holds.
    pub kind: PartKind,
    /// Content-Type without its parameters.
    pub media: MediaType,
    /// The parameters of Content-Type.
    pub parameters: Vec<Parameter>,
    /// Content-ID, with its angle brackets.
    pub id: Option<RawText>,
    /// Content-Description.
    pub description: Option<RawText>,
    /// Content-Transfer-Encoding.
    pub encoding: Encoding,
    /// Content-MD5.
    pub md5: Option<RawText>,
    /// Content-Disposition.
    pub disposition: Option<Disposition>,
    /// Content-Language.
    pub language: Vec<RawText>,
    /// Content-Location.
    pub location: Option<RawText>,
    /// Octets of the message before its header.
    pub header_start: u64,
    /// Octets of the message before its body: the header ends here, the empty line included.
    pub body_start: u64,
    /// Octets of the message before the end of its body. The line end before a delimiter is the delimiter's.
    pub body_end: u64,
    /// Line ends in its body, as it is encoded.
    pub lines: u64,
}

impl Part {
    /// An entity that begins at `header_start` and of which nothing is known yet: `text/plain` in US-ASCII.
    pub(crate) fn beginning(depth: u8, header_start: u64) -> Self {
        Self {
            depth,
            kind: PartKind::Leaf,
            media: MediaType::text_plain(),
            parameters: Vec::new(),
            id: None,
            description: None,
            encoding: Encoding::SevenBit,
            md5: None,
            disposition: None,
            language: Vec::new(),
            location: None,
            header_start,
            body_start: header_start,
            body_end: header_start,
            lines: 0,
        }
    }

    /// Octets of the body, as it is encoded.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        self.body_end.saturating_sub(self.body_start)
    }

    /// The value of a parameter of Content-Type; `name` in lower case.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&RawText> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == *name)
            .map(|parameter| &parameter.value)
    }

    /// Makes it what RFC 2045 §5.2 takes an entity for whose type cannot be honoured.
    pub(super) fn degrade_to_text(&mut self) {
        self.kind = PartKind::Leaf;
        self.media = MediaType::text_plain();
        self.parameters = vec![Parameter::us_ascii()];
    }

    /// Makes it octets without a meaning: a message within the message that cannot be read as one.
    pub(super) fn degrade_to_octets(&mut self) {
        self.kind = PartKind::Leaf;
        self.media = MediaType::octet_stream();
    }
}

/// What an entity holds. Agrees with its [`MediaType`]: a multipart is [`PartKind::Multipart`] and has at least one
/// child; a `message/rfc822` or `message/global` is [`PartKind::Message`] and has exactly one; all else is a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PartKind {
    /// No entities.
    Leaf,
    /// Parts between delimiters.
    Multipart,
    /// A message, whose body is the one child and whose header is that child's header.
    Message(Box<ImapEnvelope>),
}

/// A media type in lower case, such as `text/plain`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MediaType(Box<str>);

impl MediaType {
    pub(super) fn text_plain() -> Self {
        Self("text/plain".into())
    }

    pub(super) fn octet_stream() -> Self {
        Self("application/octet-stream".into())
    }

    pub(super) fn message_rfc822() -> Self {
        Self("message/rfc822".into())
    }

    /// Of two tokens of RFC 2045 §5.1; nothing else.
    pub(super) fn from_tokens(main: &[u8], sub: &[u8]) -> Option<Self> {
        if ![main, sub].into_iter().all(is_name) {
            return None;
        }
        let mut text = String::with_capacity(main.len() + 1 + sub.len());
        text.extend(main.iter().map(|octet| char::from(octet.to_ascii_lowercase())));
        text.push('/');
        text.extend(sub.iter().map(|octet| char::from(octet.to_ascii_lowercase())));
        Some(Self(text.into()))
    }

    /// Both halves with the slash between them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The half before the slash: `text`.
    #[must_use]
    pub fn main(&self) -> &str {
        self.0.split_once('/').map_or("", |(main, _)| main)
    }

    /// The half behind the slash: `plain`.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, sub)| sub)
    }

    pub(crate) fn is_multipart(&self) -> bool {
        self.0.starts_with("multipart/")
    }

    pub(crate) fn is_message(&self) -> bool {
        matches!(&*self.0, "message/rfc822" | "message/global")
    }
}

/// A parameter of Content-Type or Content-Disposition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The name in lower case, with the marks of RFC 2231 if it has them: `filename*0*`.
    pub name: RawText,
    /// The value, unquoted.
    pub value: RawText,
}

impl Parameter {
    /// What an entity without a Content-Type has. RFC 2045 §5.2
    pub(super) fn us_ascii() -> Self {
        Self {
            name: "charset".into(),
            value: "us-ascii".into(),
        }
    }
}

/// Content-Disposition. RFC 2183
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposition {
    /// The type in lower case: `attachment`.
    pub kind: RawText,
    /// Its parameters.
    pub parameters: Vec<Parameter>,
}

/// Content-Transfer-Encoding. RFC 2045 §6
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Encoding {
    /// `7bit`, or no such field.
    #[default]
    SevenBit,
    /// `8bit`.
    EightBit,
    /// `binary`.
    Binary,
    /// `base64`.
    Base64,
    /// `quoted-printable`.
    QuotedPrintable,
    /// Anything else, as it stands.
    Other(RawText),
}

impl Encoding {
    const KNOWN: [Self; 5] = [
        Self::SevenBit,
        Self::EightBit,
        Self::Binary,
        Self::Base64,
        Self::QuotedPrintable,
    ];

    /// One of those that RFC 2045 names.
    pub(super) fn known(token: &[u8]) -> Option<Self> {
        Self::KNOWN
            .into_iter()
            .find(|known| known.as_bytes().eq_ignore_ascii_case(token))
    }

    /// As it is written, in lower case if it is known.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::SevenBit => b"7bit",
            Self::EightBit => b"8bit",
            Self::Binary => b"binary",
            Self::Base64 => b"base64",
            Self::QuotedPrintable => b"quoted-printable",
            Self::Other(name) => name.as_bytes(),
        }
    }

    /// Whether the octets of the body are the content itself. RFC 2045 §6.2
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        matches!(self, Self::SevenBit | Self::EightBit | Self::Binary)
    }
}

/// Octets of one half of a media type: restricted-name of RFC 6838 §4.2.
const MAX_NAME: usize = 127;

fn is_name(token: &[u8]) -> bool {
    !token.is_empty() && token.len() <= MAX_NAME && token.iter().all(|octet| super::tokens::is_token(*octet))
}
