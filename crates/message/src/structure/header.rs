//! Header: gathers the fields of one entity that a structure shows, and interprets them.
//!
//! It is given whole lines, or the first octets of longer ones, and never more than [`MAX_HEADER`] of them.

use super::part::{MediaType, Parameter, Part};
use super::raw_text::trim;
use super::tokens::is_blank;
use super::{Caveats, ImapEnvelope, MAX_FIELD, MAX_HEADER, MAX_KEPT, MAX_TEXT, RawText};
use super::{addresses, parameters};

/// The header of one entity while it is read.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Whether the fields of ENVELOPE matter: it is a message's header, not a part's.
    of_message: bool,
    /// What Content-Type is without such a field: RFC 2046 §5.1.5 has its own rule for digests.
    in_digest: bool,
    /// Octets of the lines so far.
    octets: usize,
    /// The field that is being gathered, if it matters, and its value so far.
    field: Option<Field>,
    value: Vec<u8>,
    /// Fields that came: of a repeated one the first counts.
    has_content_type: bool,
    has_encoding: bool,
    envelope: ImapEnvelope,
}

impl Header {
    /// Before the header of the message itself.
    pub(crate) fn new() -> Self {
        Self {
            of_message: true,
            in_digest: false,
            octets: 0,
            field: None,
            value: Vec::new(),
            has_content_type: false,
            has_encoding: false,
            envelope: ImapEnvelope::default(),
        }
    }

    /// The header of a message within the message begins.
    pub(super) fn begin_message(&mut self) {
        self.begin(true, false);
    }

    /// The header of a part begins.
    pub(crate) fn begin_part(&mut self, in_digest: bool) {
        self.begin(false, in_digest);
    }

    /// Takes one line without its line end; says what it is.
    pub(crate) fn line(&mut self, line: &[u8], part: &mut Part, keeper: &mut Keeper) -> HeaderLine {
        self.octets = self.octets.saturating_add(line.len());
        if self.octets > MAX_HEADER {
            keeper.caveats.insert(Caveats::HEADER_CUT);
            return HeaderLine::OfField;
        }
        if line.first().is_some_and(|first| matches!(first, b' ' | b'\t')) {
            if self.field.is_some() {
                self.gather(line, keeper);
            }
            return HeaderLine::OfField;
        }
        self.end_field(part, keeper);
        let Some(colon) = memchr::memchr(b':', line) else {
            keeper.caveats.insert(Caveats::BAD_HEADER_LINE);
            return if self.is_of_part(part) {
                HeaderLine::OfBody
            } else {
                HeaderLine::Stray
            };
        };
        let (name, value) = line.split_at(colon);
        self.field = Field::named(name, self.of_message);
        if self.field.is_some() {
            self.gather(value.get(1..).unwrap_or_default(), keeper);
        }
        HeaderLine::OfField
    }

    /// The header has ended: the last field and the default type are settled. A message's header has an ENVELOPE.
    pub(crate) fn end(&mut self, part: &mut Part, keeper: &mut Keeper) -> Option<ImapEnvelope> {
        self.end_field(part, keeper);
        if !self.has_content_type {
            if self.in_digest {
                part.media = MediaType::message_rfc822();
            } else {
                part.parameters.push(Parameter::us_ascii());
            }
        }
        self.of_message.then(|| std::mem::take(&mut self.envelope))
    }

    /// Whether this is the header of a part, which may be short or missing, and its body no container's that begins
    /// with a header of its own.
    fn is_of_part(&self, part: &Part) -> bool {
        !self.of_message && !self.in_digest && !part.media.is_message()
    }

    fn begin(&mut self, of_message: bool, in_digest: bool) {
        let value = std::mem::take(&mut self.value);
        *self = Self {
            of_message,
            in_digest,
            value,
            ..Self::new()
        };
    }

    fn gather(&mut self, piece: &[u8], keeper: &mut Keeper) {
        let room = MAX_FIELD.saturating_sub(self.value.len());
        if piece.len() > room {
            keeper.caveats.insert(Caveats::TEXT_CUT);
        }
        self.value.extend_from_slice(piece.get(..room).unwrap_or(piece));
    }

    fn end_field(&mut self, part: &mut Part, keeper: &mut Keeper) {
        let Some(field) = self.field.take() else { return };
        let value = self.value.as_slice();
        let envelope = &mut self.envelope;
        match field {
            Field::Date => keeper.keep_first(&mut envelope.date, value),
            Field::Subject => keeper.keep_first(&mut envelope.subject, value),
            Field::InReplyTo => keeper.keep_first(&mut envelope.in_reply_to, value),
            Field::MessageId => keeper.keep_first(&mut envelope.message_id, value),
            Field::From => addresses::append(value, &mut envelope.from, keeper),
            Field::Sender => addresses::append(value, &mut envelope.sender, keeper),
            Field::ReplyTo => addresses::append(value, &mut envelope.reply_to, keeper),
            Field::To => addresses::append(value, &mut envelope.to, keeper),
            Field::Cc => addresses::append(value, &mut envelope.cc, keeper),
            Field::Bcc => addresses::append(value, &mut envelope.bcc, keeper),
            Field::Id => keeper.keep_first(&mut part.id, value),
            Field::Description => keeper.keep_first(&mut part.description, value),
            Field::Location => keeper.keep_first(&mut part.location, value),
            Field::Md5 => keeper.keep_first(&mut part.md5, value),
            Field::Type if self.has_content_type => {}
            Field::Type => {
                self.has_content_type = true;
                if let Some((media, parameters)) = parameters::content_type(value, keeper) {
                    (part.media, part.parameters) = (media, parameters);
                } else {
                    keeper.caveats.insert(Caveats::BAD_CONTENT_TYPE);
                    part.degrade_to_text();
                }
            }
            Field::Encoding if self.has_encoding => {}
            Field::Encoding => {
                self.has_encoding = true;
                part.encoding = parameters::encoding(value, keeper);
            }
            Field::Disposition if part.disposition.is_some() => {}
            Field::Disposition => part.disposition = parameters::disposition(value, keeper),
            Field::Language if !part.language.is_empty() => {}
            Field::Language => part.language = parameters::languages(value, keeper),
        }
        self.value.clear();
    }
}

/// What a line where a header should be turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderLine {
    /// A field, or more of it.
    OfField,
    /// Nothing that belongs there. A message's header goes on behind it.
    Stray,
    /// The first line of the body: people who write parts by hand forget the empty line.
    OfBody,
}

/// Decides what is kept, and remembers what could not be.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    /// Octets that may still be kept.
    room: usize,
    pub(crate) caveats: Caveats,
}

impl Keeper {
    /// What one value costs beside its octets.
    const OVERHEAD: usize = 4;

    pub(crate) fn new() -> Self {
        Self {
            room: MAX_KEPT,
            caveats: Caveats::default(),
        }
    }

    /// Keeps a value without the white space around it, at most [`MAX_TEXT`] of it; nothing once all room is used.
    pub(super) fn keep(&mut self, value: &[u8]) -> Option<RawText> {
        self.keep_exactly(trim(value))
    }

    /// Keeps a value whose white space was quoted and therefore belongs to it.
    pub(super) fn keep_exactly(&mut self, value: &[u8]) -> Option<RawText> {
        let kept = value.get(..MAX_TEXT).unwrap_or(value);
        if kept.len() < value.len() {
            self.caveats.insert(Caveats::TEXT_CUT);
        }
        self.has_room_for(kept.len()).then(|| RawText::new(kept))
    }

    /// Takes room for a value of so many octets, if there is enough; once there was not, there is none.
    pub(super) fn has_room_for(&mut self, octets: usize) -> bool {
        let left = self.room.checked_sub(octets + Self::OVERHEAD);
        if left.is_none() {
            self.caveats.insert(Caveats::FULL);
        }
        self.room = left.unwrap_or(0);
        left.is_some()
    }

    /// Keeps the value of a field unless the field came before.
    fn keep_first(&mut self, place: &mut Option<RawText>, value: &[u8]) {
        if place.is_none() {
            *place = self.keep(value);
        }
    }
}

/// The fields that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Date,
    Subject,
    From,
    Sender,
    ReplyTo,
    To,
    Cc,
    Bcc,
    InReplyTo,
    MessageId,
    Type,
    Encoding,
    Id,
    Description,
    Disposition,
    Language,
    Location,
    Md5,
}

impl Field {
    const OF_ENTITY: [(&'static [u8], Self); 8] = [
        (b"content-type", Self::Type),
        (b"content-transfer-encoding", Self::Encoding),
        (b"content-disposition", Self::Disposition),
        (b"content-id", Self::Id),
        (b"content-description", Self::Description),
        (b"content-language", Self::Language),
        (b"content-location", Self::Location),
        (b"content-md5", Self::Md5),
    ];
    const OF_MESSAGE: [(&'static [u8], Self); 10] = [
        (b"date", Self::Date),
        (b"subject", Self::Subject),
        (b"from", Self::From),
        (b"sender", Self::Sender),
        (b"reply-to", Self::ReplyTo),
        (b"to", Self::To),
        (b"cc", Self::Cc),
        (b"bcc", Self::Bcc),
        (b"in-reply-to", Self::InReplyTo),
        (b"message-id", Self::MessageId),
    ];

    /// The field of this name; white space may stand behind it (RFC 5322 §4.5).
    fn named(mut name: &[u8], of_message: bool) -> Option<Self> {
        while let [before @ .., last] = name
            && is_blank(*last)
        {
            name = before;
        }
        let of_message = if of_message {
            Self::OF_MESSAGE.as_slice()
        } else {
            &[]
        };
        let mut known = Self::OF_ENTITY.iter().chain(of_message);
        known
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, field)| *field)
    }
}
