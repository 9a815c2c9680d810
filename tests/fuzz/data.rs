//! The text behind DATA, against the rule as one would write it down first: only CRLF ends a line, only a line of one
//! dot ends the text, a dot before more is taken out, and a text with a CR or LF that stands alone is refused.

use smtp::Settings;

use crate::corpus::{Cuts, Octets, fuzz};
use crate::smtp_peer::{Peer, check_replies};

const ENVELOPE: &[u8] =
    b"EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n";

#[test]
fn data() {
    fuzz("data", |octets, cuts| {
        let expected = naive(octets);
        for cuts in [cuts, &Cuts::whole(), &Cuts::octets()] {
            check(octets, cuts, expected.as_ref());
        }
    });
}

fn check(octets: &[u8], cuts: &Cuts, expected: Option<&Text>) {
    let mut peer = Peer::new(Settings {
        max_hops: u32::MAX,
        ..Settings::new("mx.example.org")
    });
    peer.hear(ENVELOPE);
    let before = peer.said.len();
    cuts.of(octets).for_each(|piece| peer.hear(piece));
    check_replies(&peer.said);
    let said = &peer.said[before..];
    let accepted = peer.accepted.first().cloned().map(Octets);
    match expected {
        None => assert_eq!((said, accepted), ("", None), "the text has no end"),
        Some(text) if text.has_bare_line_end => {
            assert!(said.starts_with("550 5.6.0 "), "{said:?}");
            // Behind the end may come a transaction of its own, but never this text.
            assert_ne!(accepted, Some(Octets(text.octets.clone())));
        }
        Some(text) => {
            assert!(said.starts_with("250 2.0.0 "), "{said:?}");
            assert_eq!(accepted, Some(Octets(text.octets.clone())));
        }
    }
}

struct Text {
    octets: Vec<u8>,
    has_bare_line_end: bool,
}

/// The text up to its end, if it has one.
fn naive(octets: &[u8]) -> Option<Text> {
    let mut lines = Vec::new();
    let mut rest = octets;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let (line, behind) = rest.split_at(end + 2);
        if line == b".\r\n" {
            break;
        }
        lines.push(line);
        rest = behind;
    }
    let is_bare = |line: &&[u8]| line[..line.len() - 2].iter().any(|octet| b"\r\n".contains(octet));
    let unstuffed = |line: &[u8]| line.strip_prefix(b".").unwrap_or(line).to_vec();
    Some(Text {
        has_bare_line_end: lines.iter().any(is_bare),
        octets: lines.iter().flat_map(|line| unstuffed(line)).collect(),
    })
}
