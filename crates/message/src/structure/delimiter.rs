//! Delimiter: tells whether a line separates parts (RFC 2046 §5.1.1).
//!
//! A line is a delimiter only as a whole: `--`, the boundary, `--` if it is the last, and white space. So a boundary
//! that is the beginning of another one's is never taken for it.

use super::MAX_BOUNDARY;
use super::part::Part;
use super::raw_text::trim_end;

/// Octets of a line, its end excluded, that may still be a delimiter. RFC 5322 §2.1.1 allows no longer lines.
pub(crate) const MAX_DELIMITER_LINE: usize = 998;

/// A boundary that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Boundary(Box<[u8]>);

/// What a line is to a multipart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    /// Another part begins.
    Next,
    /// The last part has ended; what follows is nobody's.
    Last,
}

impl Boundary {
    /// The boundary of a multipart, if it names a usable one.
    pub(crate) fn of(part: &Part) -> Option<Self> {
        let boundary = match part.parameter("boundary") {
            Some(plain) => plain.as_bytes().to_vec(),
            None => extended(part)?,
        };
        // No boundary ends with white space. RFC 2046 §5.1.1
        let boundary = trim_end(&boundary);
        (1..=MAX_BOUNDARY)
            .contains(&boundary.len())
            .then(|| Self(boundary.into()))
    }

    /// What the line is to the multipart of this boundary.
    pub(crate) fn delimiter(&self, line: &MarkedLine<'_>) -> Option<Delimiter> {
        if *self.0 == *line.mark {
            return Some(Delimiter::Next);
        }
        (line.mark_of_last == Some(&*self.0)).then_some(Delimiter::Last)
    }
}

/// A line that begins with dashes, taken apart once for all boundaries it is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MarkedLine<'a> {
    /// What follows the dashes, without the white space behind it: the boundary, if this is a delimiter.
    mark: &'a [u8],
    /// The same without the two dashes that end a last delimiter, if there are such.
    mark_of_last: Option<&'a [u8]>,
}

impl<'a> MarkedLine<'a> {
    /// `line` comes without its line end; most lines are not marked.
    pub(crate) fn of(line: &'a [u8]) -> Option<Self> {
        if line.len() > MAX_DELIMITER_LINE {
            return None;
        }
        let mark = trim_end(line.strip_prefix(b"--")?);
        Some(Self {
            mark,
            mark_of_last: mark.strip_suffix(b"--"),
        })
    }
}

/// Whether a line that begins with `cut` and goes on with `chunk` may be a delimiter, as far as its octets came.
pub(crate) fn may_begin(cut: &[u8], chunk: &[u8]) -> bool {
    cut.iter().chain(chunk).take(2).all(|octet| *octet == b'-')
}

/// The boundary where it is written as RFC 2231 §3 and §4 allow: in octets of a named character set, in pieces, or
/// both.
fn extended(part: &Part) -> Option<Vec<u8>> {
    if let Some(value) = part.parameter("boundary*") {
        return Some(octets(without_charset(value.as_bytes())));
    }
    let mut boundary = Vec::new();
    for number in 0..=MAX_BOUNDARY {
        if let Some(piece) = part.parameter(&format!("boundary*{number}")) {
            boundary.extend_from_slice(piece.as_bytes());
        } else if let Some(piece) = part.parameter(&format!("boundary*{number}*")) {
            let piece = piece.as_bytes();
            boundary.extend(octets(if number == 0 {
                without_charset(piece)
            } else {
                piece
            }));
        } else {
            break;
        }
    }
    (!boundary.is_empty()).then_some(boundary)
}

/// What follows `charset'language'`.
fn without_charset(value: &[u8]) -> &[u8] {
    value.splitn(3, |octet| *octet == b'\'').nth(2).unwrap_or(value)
}

/// The octets that `%41` and its like stand for.
fn octets(value: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let Some(coded) = (*first == b'%').then(|| hex(behind)).flatten() else {
            octets.push(*first);
            continue;
        };
        octets.push(coded);
        rest = behind.get(2..).unwrap_or_default();
    }
    octets
}

fn hex(digits: &[u8]) -> Option<u8> {
    let [high, low, ..] = digits else { return None };
    let digit = |octet: &u8| {
        char::from(*octet)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? * 16 + digit(low)?)
}
