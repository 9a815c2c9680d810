//! Matcher: finds the end of a message in DATA, the dots to be taken out of it, and line ends that are none.
//!
//! Only CRLF ends a line and only CRLF.CRLF the message (RFC 5321 §4.1.1.4); what LF.LF, CR.CR, CRLF NUL . CRLF and
//! their kin do elsewhere is known as SMTP smuggling (CVE-2023-51764 and others). A line may be longer than the 1000
//! octets of RFC 5321 §4.5.3.1.6, which is what a server must take at least: the octets are kept as they are and the
//! limit of the message bounds the line.

use serde::{Deserialize, Serialize};

/// Where in a line the next octet of the message stands. Takes the octets in chunks of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matcher {
    place: Place,
}

/// What a chunk was found to be. Offsets are into the chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scan {
    /// Octets that belong to the message or its end: all of the chunk, unless the message ends before.
    pub consumed: usize,
    /// Where the text ends in this chunk: before the dot that ends the message or may turn out to.
    pub text: usize,
    /// Dots within `text` that the client put in and that are not part of the message. RFC 5321 §4.5.2
    pub stuffed: usize,
    /// Whether a carriage return or a line feed stood alone.
    pub has_bare_line_end: bool,
    /// Whether the message ends with `consumed`.
    pub ended: bool,
}

/// Something in the text that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The octet is a dot at the beginning of a line.
    Dot,
    /// The octet shows that it, or the carriage return before it, stood alone.
    BareLineEnd,
    /// The octet is the last of CRLF.CRLF.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Place {
    /// At the beginning of a line, as the text is behind the CRLF of DATA.
    Begin,
    /// Within a line.
    Within,
    /// Behind a carriage return.
    Cr,
    /// Behind a dot at the beginning of a line.
    Dot,
    /// Behind a dot and a carriage return at the beginning of a line.
    DotCr,
}

/// Octets that are looked at together: the compiler makes a handful of vector operations of it.
const BLOCK: usize = 128;

impl Matcher {
    /// At the beginning of a message.
    #[must_use]
    pub const fn start() -> Self {
        Self { place: Place::Begin }
    }

    /// Takes a chunk, up to the end of the message if that is in it.
    pub fn scan(&mut self, chunk: &[u8]) -> Scan {
        let mut scan = Scan::default();
        // Where the text would end if the last dot began the end of the message. The dot of an end that was begun in
        // the chunk before is behind us: then there is no text.
        let mut dots = 0_usize;
        let mut last_dot = 0;
        while let Some(rest) = chunk.get(scan.consumed..) {
            let (taken, mark) = self.advance(rest);
            scan.consumed += taken;
            match mark {
                None => break,
                Some(Mark::Dot) => {
                    dots += 1;
                    last_dot = scan.consumed - 1;
                }
                Some(Mark::BareLineEnd) => scan.has_bare_line_end = true,
                Some(Mark::End) => {
                    scan.ended = true;
                    break;
                }
            }
        }
        let at_dot = scan.ended || matches!(self.place, Place::Dot | Place::DotCr);
        (scan.text, scan.stuffed) = if at_dot {
            (last_dot, dots.saturating_sub(1))
        } else {
            (scan.consumed, dots)
        };
        scan
    }

    /// Takes octets up to and with the first that is marked; none is marked if all are taken without a mark.
    pub(super) fn advance(&mut self, octets: &[u8]) -> (usize, Option<Mark>) {
        let mut taken = 0;
        while let Some(rest) = octets.get(taken..) {
            let block = rest.get(..BLOCK).unwrap_or(rest);
            if self.is_plain(taken, octets) {
                taken += BLOCK;
                continue;
            }
            for octet in block {
                taken += 1;
                let mark = self.step(*octet);
                if mark.is_some() {
                    return (taken, mark);
                }
            }
            if rest.len() <= BLOCK {
                break;
            }
        }
        (taken, None)
    }

    /// Skips a block at `at` that has nothing to mark, told by the pairs of neighbours in it: a carriage return before
    /// each line feed, a line feed behind each carriage return, no dot behind a line feed.
    fn is_plain(&mut self, at: usize, octets: &[u8]) -> bool {
        // The octet before the block stands for the place, which after a dot it does not.
        if !matches!(self.place, Place::Within | Place::Cr | Place::Begin) {
            return false;
        }
        let Some((left, right)) = at
            .checked_sub(1)
            .and_then(|before| Some((octets.get(before..at + BLOCK - 1)?, octets.get(at..at + BLOCK)?)))
        else {
            return false;
        };
        let marked = left.iter().zip(right).fold(0_u8, |marked, (left, right)| {
            marked
                | (u8::from(*left == b'\r') ^ u8::from(*right == b'\n'))
                | (u8::from(*left == b'\n') & u8::from(*right == b'.'))
        });
        if marked != 0 {
            return false;
        }
        self.place = match right.last() {
            Some(b'\r') => Place::Cr,
            Some(b'\n') => Place::Begin,
            _ => Place::Within,
        };
        true
    }

    fn step(&mut self, octet: u8) -> Option<Mark> {
        let (place, mark) = match (self.place, octet) {
            (Place::Begin, b'.') => (Place::Dot, Some(Mark::Dot)),
            (Place::Begin | Place::Within, b'\r') => (Place::Cr, None),
            (Place::Dot, b'\r') => (Place::DotCr, None),
            (Place::Cr | Place::DotCr, b'\r') => (Place::Cr, Some(Mark::BareLineEnd)),
            (Place::Cr, b'\n') => (Place::Begin, None),
            (Place::DotCr, b'\n') => (Place::Begin, Some(Mark::End)),
            (Place::Begin | Place::Within | Place::Dot, b'\n') => (Place::Within, Some(Mark::BareLineEnd)),
            (Place::Cr | Place::DotCr, _) => (Place::Within, Some(Mark::BareLineEnd)),
            (Place::Begin | Place::Within | Place::Dot, _) => (Place::Within, None),
        };
        self.place = place;
        mark
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same over the whole input, by its definition: the message, whether it has a bare line end, its length on
    /// the wire.
    fn reference(wire: &[u8]) -> Option<(Vec<u8>, bool, usize)> {
        let framed = [b"\r\n", wire].concat();
        let end = framed.windows(5).position(|five| five == b"\r\n.\r\n")?;
        let mut text = Vec::new();
        for (at, octet) in framed.iter().enumerate().take(end + 2).skip(2) {
            if *octet != b'.' || &framed[at - 2..at] != b"\r\n" {
                text.push(*octet);
            }
        }
        let bare = (0..end + 2).any(|at| {
            let stands = |at: usize, octet| framed.get(at) == Some(&octet);
            (stands(at, b'\r') && !stands(at + 1, b'\n'))
                || (stands(at, b'\n') && !(at > 0 && stands(at - 1, b'\r')))
        });
        Some((text, bare, end + 3))
    }

    fn in_chunks(wire: &[u8], sizes: &[usize]) -> Option<(Vec<u8>, bool, usize)> {
        let mut matcher = Matcher::start();
        let (mut text, mut bare, mut at) = (Vec::new(), false, 0);
        let mut sizes = sizes.iter().cycle();
        while at < wire.len() {
            let size = (*sizes.next().unwrap()).clamp(1, wire.len() - at);
            let chunk = bytes::Bytes::copy_from_slice(&wire[at..at + size]);
            let before = matcher;
            let scan = matcher.scan(&chunk);
            let run = crate::framing::Run::new(chunk.slice(..scan.text), before, scan.stuffed);
            let expected = scan.text - scan.stuffed;
            let run: Vec<_> = run.collect();
            assert_eq!(run.iter().map(bytes::Bytes::len).sum::<usize>(), expected);
            text.extend(run.concat());
            bare |= scan.has_bare_line_end;
            at += scan.consumed;
            if scan.ended {
                return Some((text, bare, at));
            }
            assert_eq!(scan.consumed, size);
        }
        None
    }

    fn agree(wire: &[u8], sizes: &[usize]) {
        let expected = reference(wire);
        let found = in_chunks(wire, sizes);
        match (&expected, &found) {
            // Of a message with a bare line end no octet is kept, so only its end matters.
            (Some((_, true, length)), Some((_, true, found))) => assert_eq!(length, found),
            _ => assert_eq!(expected, found, "{} {sizes:?}", wire.escape_ascii()),
        }
    }

    #[test]
    fn only_crlf_dot_crlf_ends_a_message() {
        let check = |wire: &[u8], text: &[u8], bare, length| {
            assert_eq!(
                in_chunks(wire, &[wire.len()]),
                Some((text.to_vec(), bare, length)),
                "{}",
                wire.escape_ascii()
            );
            for size in 1..wire.len() {
                agree(wire, &[size]);
            }
        };
        check(b".\r\n", b"", false, 3);
        check(b"a\r\n.\r\nQUIT\r\n", b"a\r\n", false, 6);
        check(b"..\r\n.\r\n", b".\r\n", false, 7);
        check(b".a\r\n..b\r\n...\r\n.\r\n", b"a\r\n.b\r\n..\r\n", false, 17);
        check(b"a.\r\n.\r\n", b"a.\r\n", false, 7);
        check(b"\0.\r\n\r\n.\0\r\n.\r\n", b"\0.\r\n\r\n\0\r\n", false, 13);
    }

    #[test]
    fn what_resembles_an_end_is_a_bare_line_end() {
        // Attacks 1 and 2, each followed by the true end.
        for wrong in [
            "\n.\n",
            "\n.\r\n",
            "\r\n.\n",
            "\r.\r",
            "\r\n.\r",
            "\r.\r\n",
            "\n\n.\r\n",
            "\n\n.\n\n",
            "\r\r.\r\r",
            "\r\n\n.\n",
            "\r\n.\n\r\n",
            "\n.\n\n",
            "\r\n.\r.\r\n",
            "\n\r.\n\r",
            "\r\n.\r\r\n",
        ] {
            let wire = format!("a{wrong}b\r\n.\r\n");
            let (_, bare, length) = in_chunks(wire.as_bytes(), &[wire.len()]).unwrap();
            assert!(bare && length == wire.len(), "{wrong:?}");
            for size in 1..wire.len() {
                agree(wire.as_bytes(), &[size]);
            }
        }
    }

    #[test]
    fn a_nul_beside_the_dot_makes_it_text() {
        // Attack 3.
        for wire in ["a\r\n\0.\r\nb\r\n.\r\n", "a\r\n.\0\r\nb\r\n.\r\n"] {
            let (_, bare, length) = in_chunks(wire.as_bytes(), &[wire.len()]).unwrap();
            assert!(!bare && length == wire.len(), "{wire:?}");
        }
    }

    /// Octets of which line ends and dots are made, and long stretches without.
    fn wire() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => prop::sample::select(vec![&b"\r"[..], b"\n", b".", b"\r\n", b"\r\n.", b"\r\n..", b"a", b"\0"])
                .prop_map(<[u8]>::to_vec),
            2 => prop::collection::vec(prop::sample::select(vec![b'a', b'.', b'b']), 0..300),
            1 => (0..400_usize).prop_map(|length| [vec![b'x'; length], b"\r\n".to_vec()].concat()),
        ];
        prop::collection::vec(piece, 0..40)
            .prop_map(|pieces| [pieces.concat(), b"\r\n.\r\nNOOP\r\n".to_vec()].concat())
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference_in_any_chunking(
            wire in wire(),
            sizes in prop::collection::vec(1..700_usize, 1..6),
        ) {
            agree(&wire, &sizes);
        }

        #[test]
        fn agrees_with_the_reference_octet_by_octet(wire in wire()) {
            agree(&wire, &[1]);
            agree(&wire, &[wire.len()]);
        }
    }
}
