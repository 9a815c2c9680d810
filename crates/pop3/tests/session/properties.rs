//! What holds for any input.

use std::fmt::Write;

use bytes::Bytes;
use proptest::prelude::*;

use crate::actor::{Actor, settings};

/// Dot-stuffing and TOP as one would write them down first: whole message, line by line.
fn naive_reply(message: &[u8], lines: Option<u32>) -> Vec<u8> {
    let mut reply = Vec::new();
    let mut rest = message;
    let mut body_lines: Option<u32> = None;
    while !rest.is_empty() {
        if lines.is_some() && body_lines == lines {
            break;
        }
        let end = rest
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .map_or(rest.len(), |at| at + 2);
        let (line, behind) = rest.split_at(end);
        if line.starts_with(b".") {
            reply.push(b'.');
        }
        reply.extend_from_slice(line);
        if !line.ends_with(b"\r\n") {
            reply.extend_from_slice(b"\r\n");
        }
        body_lines = match body_lines {
            Some(shown) => Some(shown + 1),
            None => (line == b"\r\n").then_some(0),
        };
        rest = behind;
    }
    reply.extend_from_slice(b".\r\n");
    reply
}

fn message() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => Just("\r\n".to_owned()),
        4 => Just(".".to_owned()),
        1 => Just("\r".to_owned()),
        1 => Just("\n".to_owned()),
        3 => "[a-z: ]{1,6}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => "(USER ada|PASS secret|user x|PASS  )",
        8 => "(STAT|NOOP|RSET|CAPA|LIST|UIDL|noop |LIST 1|UIDL 2)",
        8 => "(RETR|DELE|LIST|UIDL) [0-4]",
        4 => "TOP [0-4] [0-3]",
        1 => "(STLS|QUIT)",
        3 => "\\PC{0,12}",
        1 => "[A-Z ]{240,300}",
        2 => "(AUTH|AUTH PLAIN|AUTH LOGIN|AUTH PLAIN AGFkYQBzZWNyZXQ=|AUTH EXTERNAL =|YWRh|c2VjcmV0|\\*)",
    ];
    let end = prop_oneof![12 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\0\r\n")];
    prop::collection::vec((line, end), 0..24).prop_map(|lines| {
        let mut text = match lines.len() % 3 {
            0 => String::new(),
            _ => "USER ada\r\nPASS secret\r\n".to_owned(),
        };
        for (line, end) in lines {
            let _ = write!(text, "{line}{end}");
        }
        text.into_bytes()
    })
}

fn fresh(part_octets: usize) -> Actor {
    let mut actor = Actor::new(settings(), &["A: 1\r\n\r\n.x\r\n..\r\ny", "", "\r\n\r\n."]);
    actor.part_octets = part_octets;
    actor.greeting();
    actor
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_octets_are_answered_in_lines(octets in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mut actor = fresh(usize::MAX);
        let replies = actor.feed(&octets);
        prop_assert!(replies.is_empty() || replies.ends_with("\r\n"));
        prop_assert!(replies.lines().all(|line| line.starts_with("+OK") || line.starts_with("-ERR")));
        prop_assert!(actor.unread.len() < 255);
    }

    #[test]
    fn the_same_octets_get_the_same_replies_however_they_come(
        octets in conversation(),
        sizes in prop::collection::vec(1_usize..40, 1..20),
        part_octets in 1_usize..30,
    ) {
        let mut whole = fresh(usize::MAX);
        let expected = whole.feed(&octets);
        let mut pieces = fresh(part_octets);
        let mut replies = String::new();
        let mut rest = octets.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at(rest.len().min(*size));
            replies.push_str(&pieces.feed(piece));
            rest = behind;
        }
        prop_assert_eq!(replies, expected);
        let decisions = |actor: &Actor| {
            let asked = actor.asked.iter();
            asked.filter(|asked| !asked.starts_with("part") || asked.starts_with("part 0")).cloned().collect::<Vec<_>>()
        };
        prop_assert_eq!(decisions(&pieces), decisions(&whole));
        prop_assert_eq!(pieces.session.ended(), whole.session.ended());
    }

    #[test]
    fn a_checkpoint_at_any_command_continues_the_same(octets in conversation(), at in 0_usize..200) {
        let (before, after) = octets.split_at(at.min(octets.len()));
        let mut actor = fresh(usize::MAX);
        actor.feed(before);
        let mut copy = actor.clone();
        let bytes = postcard::to_stdvec(&actor.session).unwrap();
        copy.session = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(copy.feed(after), actor.feed(after));
    }

    #[test]
    fn messages_are_sent_as_the_naive_way_would(
        message in message(),
        lines in prop::option::of(0_u32..6),
        part_octets in 1_usize..20,
    ) {
        let mut actor = Actor::opened(settings(), &[""]);
        actor.mailbox = vec![Bytes::from(message.clone())];
        actor.part_octets = part_octets;
        let command = lines.map_or("RETR 1".to_owned(), |lines| format!("TOP 1 {lines}"));
        let reply = actor.say(&command);
        let (_, body) = reply.split_once("\r\n").unwrap();
        prop_assert_eq!(body, String::from_utf8(naive_reply(message.as_bytes(), lines)).unwrap());
    }

    #[test]
    fn counts_agree_with_the_listing(marks in prop::collection::vec(0_u32..12, 0..20)) {
        let mailbox = ["a\r\n"; 10];
        let mut actor = Actor::opened(settings(), &mailbox);
        for number in marks {
            actor.say(&format!("DELE {number}"));
        }
        let listing = actor.say("LIST");
        let octets: u64 = listing.lines().filter_map(|line| line.split_once(' ')?.1.parse::<u64>().ok()).sum();
        let kept = listing.lines().count() - 2;
        prop_assert_eq!(actor.say("STAT"), format!("+OK {kept} {octets}\r\n"));
        actor.say("QUIT");
        let removed = actor.asked.concat().matches([',', '[']).count();
        prop_assert_eq!(removed, mailbox.len() - kept);
    }
}
