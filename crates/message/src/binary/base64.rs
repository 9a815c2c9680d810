//! Base64: the octets of one part in lines of 76 (RFC 2045 §6.8).

use base64ct::Encoding as _;

/// Octets that make a line.
const OCTETS: usize = 57;
/// Octets of a full line.
const LINE: usize = 76;

/// An encoder of octets that are pushed in pieces.
#[derive(Debug, Clone, Default)]
pub(super) struct Base64 {
    /// What does not fill a line yet.
    begun: Vec<u8>,
    /// A CRLF came that belongs to a delimiter, should one follow (RFC 2046 §5.1.1).
    has_line_end: bool,
}

impl Base64 {
    /// Octets of the part.
    pub(super) fn push(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
        if octets.is_empty() {
            return;
        }
        self.keep_line_end(out);
        if !self.begun.is_empty() {
            let room = OCTETS.saturating_sub(self.begun.len());
            let (fills, rest) = octets.split_at_checked(room).unwrap_or((octets, &[]));
            self.begun.extend_from_slice(fills);
            octets = rest;
            if self.begun.len() < OCTETS {
                return;
            }
            line(&self.begun, out);
            self.begun.clear();
        }
        let lines = octets.chunks_exact(OCTETS);
        self.begun.extend_from_slice(lines.remainder());
        lines.for_each(|octets| line(octets, out));
    }

    /// A CRLF of the part, or of the delimiter behind it.
    pub(super) fn line_end(&mut self, out: &mut Vec<u8>) {
        self.keep_line_end(out);
        self.has_line_end = true;
    }

    /// No delimiter follows: a CRLF that came is one of the part.
    pub(super) fn keep_line_end(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.has_line_end) {
            self.push(b"\r\n", out);
        }
    }

    /// The part has ended; its last line gets an end.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            line(&self.begun, out);
            self.begun.clear();
        }
    }
}

fn line(octets: &[u8], out: &mut Vec<u8>) {
    let mut encoded = [0; LINE];
    // At most OCTETS, which fit.
    let encoded = base64ct::Base64::encode(octets, &mut encoded).unwrap_or_default();
    out.extend_from_slice(encoded.as_bytes());
    out.extend_from_slice(b"\r\n");
}
