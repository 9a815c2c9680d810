//! Caveats: in what a structure says less than the message, or something else than the message claims.

use std::fmt;
use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// A set of caveats; empty for nearly all mail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Caveats(u16);

impl Caveats {
    /// Nothing to say.
    pub const NONE: Self = Self(0);
    /// A header was longer than [`MAX_HEADER`](super::MAX_HEADER): fields behind that were not read.
    pub const HEADER_CUT: Self = Self(1);
    /// A value was longer than its bound and was cut.
    pub const TEXT_CUT: Self = Self(1 << 1);
    /// All kept values together reached [`MAX_KEPT`](super::MAX_KEPT): later ones are missing.
    pub const FULL: Self = Self(1 << 2);
    /// Entities lie deeper than [`MAX_DEPTH`](super::MAX_DEPTH): a container there is shown as a leaf.
    pub const TOO_DEEP: Self = Self(1 << 3);
    /// More than [`MAX_PARTS`](super::MAX_PARTS) entities: later ones are missing.
    pub const TOO_MANY_PARTS: Self = Self(1 << 4);
    /// More than [`MAX_PARAMETERS`](super::MAX_PARAMETERS): later ones are missing.
    pub const TOO_MANY_PARAMETERS: Self = Self(1 << 5);
    /// More than [`MAX_ADDRESSES`](super::MAX_ADDRESSES): later ones are missing.
    pub const TOO_MANY_ADDRESSES: Self = Self(1 << 6);
    /// A header line is neither a field nor a continuation: it was skipped, or the body taken to begin there.
    pub const BAD_HEADER_LINE: Self = Self(1 << 7);
    /// A Content-Type cannot be read: shown as `text/plain` (RFC 2045 §5.2).
    pub const BAD_CONTENT_TYPE: Self = Self(1 << 8);
    /// A multipart without a usable boundary, or without any part: shown as `text/plain`.
    pub const BAD_MULTIPART: Self = Self(1 << 9);
    /// A multipart without its closing delimiter.
    pub const MULTIPART_UNENDED: Self = Self(1 << 10);
    /// A message within the message that cannot be read as one, because it is encoded: shown as
    /// `application/octet-stream` (RFC 2046 §5.2.1).
    pub const BAD_MESSAGE: Self = Self(1 << 11);

    const NAMES: [(Self, &'static str); 12] = [
        (Self::HEADER_CUT, "header cut"),
        (Self::TEXT_CUT, "text cut"),
        (Self::FULL, "full"),
        (Self::TOO_DEEP, "too deep"),
        (Self::TOO_MANY_PARTS, "too many parts"),
        (Self::TOO_MANY_PARAMETERS, "too many parameters"),
        (Self::TOO_MANY_ADDRESSES, "too many addresses"),
        (Self::BAD_HEADER_LINE, "bad header line"),
        (Self::BAD_CONTENT_TYPE, "bad content type"),
        (Self::BAD_MULTIPART, "bad multipart"),
        (Self::MULTIPART_UNENDED, "multipart unended"),
        (Self::BAD_MESSAGE, "bad message"),
    ];

    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether all of `others` are among them.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Whether a bound was hit, so that the structure says less than the message.
    #[must_use]
    pub const fn is_truncated(self) -> bool {
        let bounds = Self::HEADER_CUT.0
            | Self::TEXT_CUT.0
            | Self::FULL.0
            | Self::TOO_DEEP.0
            | Self::TOO_MANY_PARTS.0
            | Self::TOO_MANY_PARAMETERS.0
            | Self::TOO_MANY_ADDRESSES.0;
        self.0 & bounds != 0
    }

    /// Adds `others`.
    pub const fn insert(&mut self, others: Self) {
        self.0 |= others.0;
    }
}

impl BitOr for Caveats {
    type Output = Self;

    fn bitor(mut self, others: Self) -> Self {
        self.insert(others);
        self
    }
}

impl fmt::Display for Caveats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (_, name) in Self::NAMES.iter().filter(|(caveat, _)| self.contains(*caveat)) {
            write!(f, "{separator}{name}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl fmt::Debug for Caveats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caveats({self})")
    }
}
