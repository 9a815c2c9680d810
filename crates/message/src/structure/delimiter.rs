//! Delimiter: tells whether a line separates parts (RFC 2046 §5.1.1).
//!
//! A line is a delimiter only as a whole: `--`, the boundary, `--` if it is the last, and white space. So a boundary
//! that is the beginning of another one's is never taken for it.

use super::MAX_BOUNDARY;
use super::part::Part;
use super::tokens::is_blank;

/// Octets of a line, its end excluded, that may still be a delimiter. RFC 5322 §2.1.1 allows no longer lines.
pub(super) const MAX_DELIMITER_LINE: usize = 998;

/// A boundary that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boundary(Box<[u8]>);

/// What a line is to a multipart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// Another part begins.
    Next,
    /// The last part has ended; what follows is nobody's.
    Last,
}

impl Boundary {
    /// The boundary of a multipart, if it names a usable one.
    pub(super) fn of(part: &Part) -> Option<Self> {
        let boundary = part.parameter("boundary")?.as_bytes();
        (1..=MAX_BOUNDARY)
            .contains(&boundary.len())
            .then(|| Self(boundary.into()))
    }

    /// What `line`, without its line end, is to the multipart of this boundary.
    pub(super) fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let rest = line.strip_prefix(b"--")?.strip_prefix(&*self.0)?;
        if rest.iter().all(|octet| is_blank(*octet)) {
            return Some(Delimiter::Next);
        }
        let padding = rest.strip_prefix(b"--")?;
        padding
            .iter()
            .all(|octet| is_blank(*octet))
            .then_some(Delimiter::Last)
    }
}

/// Whether a line that begins with `cut` and goes on with `chunk` may be a delimiter, as far as its octets came.
pub(super) fn may_begin(cut: &[u8], chunk: &[u8]) -> bool {
    cut.iter().chain(chunk).take(2).all(|octet| *octet == b'-')
}
