//! The end of a command line, which is CRLF and nothing else (RFC 5321 §2.3.8), and what to do with a line that has none.
//!
//! A line that cannot be one any more, because it has a bare line feed or is too long, is answered at once and then
//! skipped to its CRLF: one line, one reply, however it was cut into packets.

use memchr::{memchr, memchr_iter};
use serde::{Deserialize, Serialize};

use crate::sasl;

/// Octets of a refused line that are discarded before the connection is given up.
const MAX_SKIP: u32 = 8 << 10;

/// What stands at the beginning of the unread input. Lengths are in octets of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No end yet, and the line may still become a good one.
    Partial,
    /// A line of `length` octets, and CRLF behind it.
    Line { length: usize },
    /// A line feed that has no carriage return before it, at the end of `length` octets.
    BareLineFeed { length: usize },
    /// `length` octets without an end, as many as a line may have.
    TooLong { length: usize, skip: Skip },
}

/// Octets that the command line at the beginning of `input` may have with its CRLF, where others may have `usual`.
pub(crate) fn limit(input: &[u8], usual: usize) -> usize {
    if is_auth(input) {
        usual.max(sasl::MAX_LINE)
    } else {
        usual
    }
}

/// Whether a command line is AUTH, whose initial response may be as long as any other. RFC 4954 §4
pub(crate) fn is_auth(input: &[u8]) -> bool {
    input
        .get(..AUTH.len())
        .is_some_and(|verb| verb.eq_ignore_ascii_case(AUTH))
}

const AUTH: &[u8] = b"AUTH ";

/// Finds the end of the line at the beginning of `input`, which may have `limit` octets with its CRLF.
pub(crate) fn find(input: &[u8], limit: usize) -> Found {
    let within = input.get(..limit).unwrap_or(input);
    match memchr(b'\n', within) {
        Some(at) if ends_in_cr(within, at) => Found::Line { length: at - 1 },
        Some(at) => Found::BareLineFeed { length: at + 1 },
        None if within.len() < limit => Found::Partial,
        None => Found::TooLong {
            length: limit,
            skip: Skip {
                after_cr: ends_in_cr(within, limit),
                ..Skip::start()
            },
        },
    }
}

/// A refused line on its way to its CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// Octets that may still be discarded.
    left: u32,
    /// Whether the octet before was a carriage return.
    after_cr: bool,
}

/// What became of a refused line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// It goes on; all of the input was discarded.
    More(Skip),
    /// Its CRLF is at the end of `length` octets.
    Ended { length: usize },
    /// It has no end.
    Endless,
}

impl Skip {
    /// At the octet behind the one for which the line was refused.
    pub(crate) const fn start() -> Self {
        Self {
            left: MAX_SKIP,
            after_cr: false,
        }
    }

    /// Discards what belongs to the line.
    pub(crate) fn discard(self, input: &[u8]) -> Skipped {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let within = input.get(..left).unwrap_or(input);
        let is_end = |at: &usize| {
            if *at == 0 {
                self.after_cr
            } else {
                ends_in_cr(within, *at)
            }
        };
        if let Some(at) = memchr_iter(b'\n', within).find(is_end) {
            return Skipped::Ended { length: at + 1 };
        }
        if within.len() == left {
            return Skipped::Endless;
        }
        Skipped::More(Self {
            left: self
                .left
                .saturating_sub(u32::try_from(within.len()).unwrap_or(u32::MAX)),
            after_cr: within.last().map_or(self.after_cr, |octet| *octet == b'\r'),
        })
    }
}

fn ends_in_cr(input: &[u8], end: usize) -> bool {
    end.checked_sub(1).and_then(|last| input.get(last)) == Some(&b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_crlf_ends_a_line() {
        let check =
            |input: &[u8], expected| assert_eq!(find(input, 12), expected, "{}", input.escape_ascii());
        check(b"", Found::Partial);
        check(b"NOOP", Found::Partial);
        check(b"NOOP\r", Found::Partial);
        check(b"NOOP\r\nQUIT\r\n", Found::Line { length: 4 });
        check(b"\r\n", Found::Line { length: 0 });
        check(b"NO\rOP\r\n", Found::Line { length: 5 });
        check(b"0123456789\r\n", Found::Line { length: 10 });
        check(b"\nNOOP\r\n", Found::BareLineFeed { length: 1 });
        check(b"NOOP\nQUIT\r\n", Found::BareLineFeed { length: 5 });
        check(
            b"0123456789a\r",
            Found::TooLong {
                length: 12,
                skip: Skip {
                    left: MAX_SKIP,
                    after_cr: true,
                },
            },
        );
        check(
            b"0123456789a\r\n",
            Found::TooLong {
                length: 12,
                skip: Skip {
                    left: MAX_SKIP,
                    after_cr: true,
                },
            },
        );
        check(
            b"0123456789abc\n",
            Found::TooLong {
                length: 12,
                skip: Skip::start(),
            },
        );
    }

    #[test]
    fn a_refused_line_is_skipped_to_its_crlf() {
        let after_cr = Skip {
            after_cr: true,
            ..Skip::start()
        };
        assert_eq!(
            Skip::start().discard(b"x\ny\r\nNOOP\r\n"),
            Skipped::Ended { length: 5 }
        );
        assert_eq!(Skip::start().discard(b"\n\r\n"), Skipped::Ended { length: 3 });
        assert_eq!(after_cr.discard(b"\nNOOP\r\n"), Skipped::Ended { length: 1 });
        let Skipped::More(more) = Skip::start().discard(b"abc\r") else {
            panic!()
        };
        assert_eq!(more.left, MAX_SKIP - 4);
        assert_eq!(more.discard(b"\n"), Skipped::Ended { length: 1 });
        assert_eq!(Skip::start().discard(&[b'x'; 8192]), Skipped::Endless);
    }
}
