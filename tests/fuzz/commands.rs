//! Command lines of SMTP: whatever they hold, the replies are replies, and how the octets arrive changes none of them.

use std::time::Duration;

use smtp::{Mechanisms, Offers, Settings};

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

/// What was said, what accepted, and what came behind AUTH. Octets behind DATA wait for its reply, as those of every honest client do: to a
/// refused DATA the machine answers otherwise if they do not.
fn converse(octets: &[u8], cuts: &Cuts) -> (String, Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let settings = Settings {
        starttls: true,
        offers: Offers {
            utf8: true,
            binary_mime: true,
            dsn: true,
            deliver_by: Some(Duration::from_secs(60)),
            mt_priority: true,
            require_tls: true,
            ..Offers::default()
        },
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
    for piece in up_to_data(octets) {
        cuts.of(piece).for_each(|piece| peer.hear(piece));
    }
    (peer.said, peer.accepted, peer.responses)
}

/// Cuts behind every line that may be DATA; whether it is, is the machine's to say.
fn up_to_data(octets: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    let mut end = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        end += line.len();
        if line
            .get(..4)
            .is_some_and(|verb| verb.eq_ignore_ascii_case(b"DATA"))
        {
            pieces.push(&octets[begin..end]);
            begin = end;
        }
    }
    pieces.push(&octets[begin..]);
    pieces
}
