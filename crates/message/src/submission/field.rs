//! Field: what the name of a header field means to a submission.

/// Octets of a name with the white space behind it. RFC 5322 §2.1.1: no line has more.
pub(super) const MAX_NAME: usize = 998;

/// The fields that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// None came yet.
    None,
    From,
    Sender,
    Date,
    MessageId,
    /// One that stays behind.
    Dropped,
    Other,
}

impl Field {
    const KNOWN: [(&'static [u8], Self); 7] = [
        (b"from", Self::From),
        (b"sender", Self::Sender),
        (b"date", Self::Date),
        (b"message-id", Self::MessageId),
        // Nobody but its reader may see a recipient of a blind copy. RFC 5322 §3.6.3, §3.6.6
        (b"bcc", Self::Dropped),
        (b"resent-bcc", Self::Dropped),
        // It is for the last hop to write. RFC 5321 §4.4
        (b"return-path", Self::Dropped),
    ];

    /// The field of this name; white space may stand behind it (RFC 5322 §4.5). `None` if it is no name.
    pub(super) fn named(mut name: &[u8]) -> Option<Self> {
        while let [before @ .., b' ' | b'\t'] = name {
            name = before;
        }
        if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let known = Self::KNOWN
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        Some(known.map_or(Self::Other, |(_, field)| *field))
    }

    pub(super) fn is_dropped(self) -> bool {
        self == Self::Dropped
    }
}
