//! Chunks of BDAT: the texts of the corpus of `data`, cut into chunks, and the chunks into packets. However they are cut,
//! what is accepted is the text, with its last line ended; or it has a bare line end and nothing is accepted.

use std::io::Write;

use smtp::Settings;

use crate::corpus::{Cuts, Octets, fuzz};
use crate::smtp_peer::{Peer, check_replies};

const ENVELOPE: &[u8] =
    b"EHLO client.example\r\nMAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\n";

#[test]
fn bdat() {
    fuzz("data", |octets, cuts| {
        for packets in [cuts, &Cuts::whole(), &Cuts::octets()] {
            check(octets, cuts, packets);
        }
    });
}

fn check(octets: &[u8], chunks: &Cuts, packets: &Cuts) {
    let mut peer = Peer::new(Settings {
        max_hops: u32::MAX,
        max_errors: u32::MAX,
        max_commands_without_mail: u32::MAX,
        ..Settings::new("mx.example.org")
    });
    peer.hear(ENVELOPE);
    let before = peer.said.len();
    let stream = chunked(octets, chunks);
    packets.of(&stream).for_each(|piece| peer.hear(piece));
    peer.hear(b"QUIT\r\n");
    check_replies(&peer.said);
    let said = &peer.said[before..];
    let accepted: Vec<Octets> = peer.accepted.into_iter().map(Octets).collect();
    if octets.is_empty() || has_bare_line_end(octets) {
        assert!(said.contains("550 5.6.0 "), "{said:?}");
        assert_eq!(accepted, []);
    } else {
        let end: &[u8] = if octets.ends_with(b"\r\n") { b"" } else { b"\r\n" };
        assert_eq!(accepted, [Octets([octets, end].concat())], "{said:?}");
    }
    // One reply for each chunk and one for QUIT: no octet of a chunk was a command.
    assert_eq!(said.lines().count(), chunks.of(octets).count() + 2, "{said:?}");
    assert!(said.ends_with("221 2.0.0 Bye\r\n"), "{said:?}");
}

/// Each piece behind its BDAT, and an empty one that is the last.
fn chunked(octets: &[u8], chunks: &Cuts) -> Vec<u8> {
    let mut stream = Vec::new();
    for chunk in chunks.of(octets) {
        write!(stream, "BDAT {}\r\n", chunk.len()).expect("memory");
        stream.extend_from_slice(chunk);
    }
    stream.extend_from_slice(b"BDAT 0 LAST\r\n");
    stream
}

fn has_bare_line_end(octets: &[u8]) -> bool {
    let before = std::iter::once(&b'x').chain(octets);
    let behind = octets.iter().chain(std::iter::once(&b'x'));
    before
        .zip(behind)
        .any(|(before, behind)| (*before == b'\r') != (*behind == b'\n'))
}
