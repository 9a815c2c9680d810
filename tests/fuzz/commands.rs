//! Command lines of SMTP: whatever they hold, the replies are replies, and how the octets arrive changes none of them.

use smtp::{Mechanisms, Settings};

use crate::corpus::{Cuts, fuzz};
use crate::smtp_peer::{Peer, check_replies};

#[test]
fn commands() {
    fuzz("commands", |octets, cuts| {
        let whole = converse(octets, &Cuts::whole());
        check_replies(&whole.0);
        assert_eq!(converse(octets, cuts), whole);
        assert_eq!(converse(octets, &Cuts::octets()), whole);
    });
}

/// What was said, what accepted, and what came behind AUTH. Octets behind DATA and BDAT wait for its reply, as those of every honest client do: to a
/// refused one the machine answers otherwise if they do not.
fn converse(octets: &[u8], cuts: &Cuts) -> (String, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let settings = Settings {
        starttls: true,
        mechanisms: Mechanisms {
            clear: vec!["PLAIN".into(), "LOGIN".into()],
            tls: vec![],
        },
        max_message_size: 2_000,
        max_hops: 5,
        max_errors: 50,
        ..Settings::new("mx.example.org")
    };
    let mut peer = Peer::new(settings);
    for piece in up_to_text(octets) {
        cuts.of(piece).for_each(|piece| peer.hear(piece));
    }
    (peer.said, peer.accepted, peer.responses)
}

/// Cuts behind every line that may be DATA or BDAT; whether it is, is the machine's to say.
fn up_to_text(octets: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    let mut end = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        end += line.len();
        let verb = line.get(..4).unwrap_or_default();
        if verb.eq_ignore_ascii_case(b"DATA") || verb.eq_ignore_ascii_case(b"BDAT") {
            pieces.push(&octets[begin..end]);
            begin = end;
        }
    }
    pieces.push(&octets[begin..]);
    pieces
}
