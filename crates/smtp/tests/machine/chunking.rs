//! However the same octets arrive, the same is said and the same accepted.

use std::sync::Arc;

use proptest::prelude::*;
use smtp::{Mechanisms, Settings};

use crate::actor::Actor;

/// Lines of a conversation, good and bad. Text follows only where the client may believe that it is wanted.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let command = prop::sample::select(vec![
        "EHLO client.example\r\n",
        "HELO client.example\r\n",
        "MAIL FROM:<a@client.example>\r\n",
        "MAIL FROM:<a@client.example> SIZE=20\r\n",
        "MAIL FROM:<>\r\n",
        "RCPT TO:<alice@example.org>\r\n",
        "RCPT TO:<bob@example.org>\r\n",
        "RCPT TO:<nobody@example.org>\r\n",
        "RCPT TO:<a@elsewhere.example>\r\n",
        "RSET\r\n",
        "NOOP\r\n",
        "VRFY alice\r\n",
        "EXPN staff\r\n",
        "STARTTLS\r\n",
        "NOOP\nQUIT\r\n",
        "NOOP\rQUIT\r\n",
        "\r\n",
        "\n\r\n",
        "AUTH PLAIN AGEAc2VjcmV0\r\n",
        "AUTH PLAIN AGEAYg==\r\n",
        "AUTH PLAIN\r\n",
        "AUTH LOGIN YQ==\r\n",
        "c2VjcmV0\r\n",
        "*\r\n",
    ])
    .prop_map(|line| line.as_bytes().to_vec());
    let garbage =
        prop::collection::vec(any::<u8>(), 0..700).prop_map(|octets| [octets, b"\r\n".into()].concat());
    let text = prop::collection::vec(
        prop::sample::select(vec![
            "Received: x\r\n",
            ".\r",
            "\r\n",
            "..\r\n",
            ".x\r\n",
            "text\r\n",
            "QUIT\r\n",
            "\0",
        ]),
        0..12,
    )
    .prop_map(|lines| lines.concat().into_bytes());
    let wild_text = prop::collection::vec(prop::sample::select(b".\r\nx".to_vec()), 0..40);
    let transaction = prop_oneof![3 => text, 1 => wild_text].prop_map(|text| {
        let mut whole = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\nDATA\r\n".to_vec();
        whole.extend(text);
        whole.extend(b"\r\n.\r\n");
        whole
    });
    let octets = prop::collection::vec(prop::sample::select(b".\r\nx\0".to_vec()), 0..30);
    let chunk = (octets, any::<bool>()).prop_map(|(octets, is_last)| {
        let last = if is_last { " LAST" } else { "" };
        [format!("BDAT {}{last}\r\n", octets.len()).into_bytes(), octets].concat()
    });
    let chunks = prop::collection::vec(chunk, 1..5).prop_map(|chunks| {
        let head = b"MAIL FROM:<a@client.example>\r\nRCPT TO:<alice@example.org>\r\n".to_vec();
        [head, chunks.concat()].concat()
    });
    let uncounted = prop::sample::select(vec![
        "BDAT -1\r\nx\r\n",
        "BDAT 9\nQUIT\r\n",
        "BDAT 99999999999\r\n",
    ])
    .prop_map(|line| line.as_bytes().to_vec());
    prop::collection::vec(
        prop_oneof![12 => command, 2 => garbage, 6 => transaction, 6 => chunks, 1 => uncounted],
        0..12,
    )
}

/// What was said and what accepted. Octets behind DATA wait for its reply, as those of every honest client do: to a
/// refused DATA the machine answers otherwise if they do not.
fn converse(octets: &[u8], sizes: &[usize]) -> (String, Vec<smtp::transcript::Accepted>) {
    let settings = Settings {
        max_hops: 5,
        max_message_size: 60,
        max_errors: 8,
        mechanisms: Mechanisms {
            clear: vec!["PLAIN".into(), "LOGIN".into()],
            tls: vec![],
        },
        ..Settings::new("mx.example.org")
    };
    let mut actor = Actor::new(Arc::new(settings));
    let mut sizes = sizes.iter().cycle();
    let mut at = 0;
    while at < octets.len() {
        let end = octets.len().min(at + sizes.next().unwrap());
        let waits = |end: &usize| octets[..*end].to_ascii_uppercase().ends_with(b"DATA\r\n");
        let end = (at + 1..end).find(waits).unwrap_or(end);
        actor.arrive(&octets[at..end]);
        at = end;
    }
    let said = String::from_utf8(actor.written()).unwrap();
    (said, actor.accepted)
}

proptest! {
    #[test]
    fn chunks_do_not_matter(lines in lines(), sizes in prop::collection::vec(1..400_usize, 1..6)) {
        let octets = [b"EHLO client.example\r\n".to_vec(), lines.concat()].concat();
        let whole = converse(&octets, &[octets.len()]);
        prop_assert_eq!(&converse(&octets, &sizes), &whole);
        prop_assert_eq!(&converse(&octets, &[1]), &whole);
    }

    #[test]
    fn no_octets_panic(octets in prop::collection::vec(any::<u8>(), 0..2000), sizes in prop::collection::vec(1..400_usize, 1..4)) {
        converse(&octets, &sizes);
    }
}
