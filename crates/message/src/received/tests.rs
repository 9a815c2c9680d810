use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::address::EmailAddress;
use crate::id::{Id, NodeId};

const AT: Timestamp = Timestamp::from_millis(1_795_464_952_250);

fn recipient(address: &str) -> Recipient {
    Recipient {
        address: EmailAddress::parse_utf8(address).unwrap(),
        original: address.to_owned(),
    }
}

fn plain<'a>(recipients: &'a [Recipient]) -> Received<'a> {
    Received {
        helo: b"client.example.net",
        peer: Ipv4Addr::new(192, 0, 2, 1).into(),
        by: "mx.example.org",
        with: With::Esmtp,
        tls: None,
        id: MessageId::new(Id::compose(AT, NodeId::new(1), 2)),
        recipients,
        at: AT,
    }
}

#[test]
fn a_transaction_is_told_in_one_field() {
    let one = [recipient("user@example.org")];
    assert_eq!(
        plain(&one).compose(),
        "Received: from client.example.net ([192.0.2.1])\r\n\
         \tby mx.example.org with ESMTP\r\n\
         \tid 01m850sydt000g000000000002 for <user@example.org>;\r\n\
         \tMon, 23 Nov 2026 20:15:52 +0000\r\n"
    );
}

#[test]
fn encryption_and_a_long_recipient_are_folded() {
    let one = [recipient(&format!(
        "{}@{}.example.org",
        "u".repeat(40),
        "d".repeat(40)
    ))];
    let tls = TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS13_AES_256_GCM_SHA384",
    };
    let with = With::of(true, true, false);
    let peer = "2001:db8::1".parse::<Ipv6Addr>().unwrap().into();
    let field = Received {
        tls: Some(tls),
        with,
        peer,
        ..plain(&one)
    }
    .compose();
    assert!(
        field.contains("\tby mx.example.org with ESMTPS (TLSv1.3 TLS13_AES_256_GCM_SHA384)\r\n"),
        "{field}"
    );
    assert!(
        field.contains("client.example.net ([IPv6:2001:db8::1])\r\n"),
        "{field}"
    );
    assert!(
        field.contains("\tid 01m850sydt000g000000000002 for\r\n\t<uuuu"),
        "{field}"
    );
}

#[test]
fn several_recipients_do_not_learn_of_each_other() {
    for recipients in [
        vec![],
        vec![recipient("a@x.org"), recipient("b@x.org")],
        vec![recipient("\u{fc}@x.org")],
    ] {
        let field = plain(&recipients).compose();
        assert!(!field.contains("for") && !field.contains('@'), "{field}");
        assert!(field.contains("\tid 01m850sydt000g000000000002;\r\n"), "{field}");
    }
}

#[test]
fn what_the_peer_says_of_itself_is_made_harmless() {
    let check = |helo: &[u8], shown: &str| {
        let field = Received { helo, ..plain(&[]) }.compose();
        let first = format!("Received: from {shown} ([192.0.2.1])\r\n");
        assert!(field.starts_with(&first), "{field}");
    };
    check(b"[192.0.2.7]", "[192.0.2.7]");
    check(b"[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]");
    check(b"my_laptop", "my_laptop");
    check(b"", "unknown");
    check(b"a)b(c\\d", "a?b?c?d");
    check(b"a\r\nX-Evil: 1", "a??X-Evil:?1");
    check(b"a;\"<b>\x00\xff\t@", "a???b?????");
}

#[test]
fn a_mapped_address_is_shown_as_what_it_is() {
    let peer = "::ffff:192.0.2.1".parse().unwrap();
    assert!(
        Received { peer, ..plain(&[]) }
            .compose()
            .contains(" ([192.0.2.1])\r\n")
    );
}

#[test]
fn the_keyword_tells_what_protected_the_session() {
    let check = |extended, encrypted, authenticated, keyword| {
        assert_eq!(With::of(extended, encrypted, authenticated).as_str(), keyword);
    };
    check(false, false, false, "SMTP");
    check(true, false, false, "ESMTP");
    check(true, true, false, "ESMTPS");
    check(true, false, true, "ESMTPA");
    check(true, true, true, "ESMTPSA");
}

#[test]
fn the_return_path_is_one_line() {
    assert_eq!(return_path_line(&ReversePath::Null), "Return-Path: <>\r\n");
    let path = ReversePath::parse(b"<\"a b\"@x.org>").unwrap();
    assert_eq!(return_path_line(&path), "Return-Path: <\"a b\"@x.org>\r\n");
}

proptest! {
    #[test]
    fn no_peer_breaks_the_field(helo: Vec<u8>, by: String, version: String, cipher: String, quoted in "[ -~]{0,30}") {
        let local = crate::address::LocalPart::from_content(&quoted).unwrap();
        let domain = crate::address::Domain::parse(b"example.org").unwrap();
        let one = [Recipient { address: EmailAddress::new(local, domain).unwrap(), original: String::new() }];
        let tls = Some(TlsFacts { version: &version, cipher: &cipher });
        let field = Received { helo: &helo, by: &by, tls, ..plain(&one) }.compose();
        prop_assert!(field.is_ascii());
        let lines: Vec<&str> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        prop_assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0']) && line.len() <= 998));
        prop_assert!(lines.iter().skip(1).all(|line| line.starts_with('\t') && line.trim() != ""));
        // Lines over 78 columns hold one word that cannot be folded.
        prop_assert!(lines.iter().all(|line| line.len() <= 78 || line.trim().split(' ').count() <= 3));
        let outside_the_path = field.replace(&format!("<{}>", one[0].address), "");
        prop_assert_eq!(outside_the_path.matches('(').count(), 2);
        prop_assert_eq!(outside_the_path.matches(')').count(), 2);
        prop_assert_eq!(outside_the_path.matches(';').count(), 1);
    }
}
