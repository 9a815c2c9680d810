use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::*;
use crate::address::EmailAddress;
use crate::id::{Id, NodeId};

const AT: Timestamp = Timestamp::from_millis(1_795_464_952_250);

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse_utf8(text).unwrap()
}

fn plain(recipient: Option<&EmailAddress>) -> Received<'_> {
    Received {
        helo: b"client.example.net",
        peer: Ipv4Addr::new(192, 0, 2, 1).into(),
        by: "mx.example.org",
        with: With::of(Greeting::Ehlo, false, false, false),
        tls: None,
        id: MessageId::new(Id::compose(AT, NodeId::new(1), 2)),
        recipient,
        at: AT,
    }
}

#[test]
fn a_transaction_is_told_in_one_field() {
    assert_eq!(
        plain(Some(&address("user@example.org"))).compose(),
        "Received: from client.example.net ([192.0.2.1])\r\n\
         \tby mx.example.org with ESMTP\r\n\
         \tid 01m850sydt000g000000000002 for <user@example.org>;\r\n\
         \tMon, 23 Nov 2026 20:15:52 +0000\r\n"
    );
}

#[test]
fn encryption_and_a_long_recipient_are_folded() {
    let long = address(&format!("{}@{}.example.org", "u".repeat(40), "d".repeat(40)));
    let tls = TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS13_AES_256_GCM_SHA384",
    };
    let with = With::of(Greeting::Ehlo, true, false, false);
    let peer = "2001:db8::1".parse::<Ipv6Addr>().unwrap().into();
    let field = Received {
        tls: Some(tls),
        with,
        peer,
        ..plain(Some(&long))
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
    let field = plain(None).compose();
    assert!(!field.contains("for") && !field.contains('@'), "{field}");
    assert!(field.contains("\tid 01m850sydt000g000000000002;\r\n"), "{field}");
}

#[test]
fn a_recipient_in_utf8_is_named_where_utf8_was_agreed_on() {
    let recipient = address("j\u{fc}rgen@b\u{fc}cher.example");
    assert!(plain(Some(&recipient)).compose().is_ascii());
    let with = With::of(Greeting::Ehlo, false, false, true);
    let field = Received {
        with,
        ..plain(Some(&recipient))
    }
    .compose();
    assert!(field.contains("with UTF8SMTP\r\n"), "{field}");
    assert!(
        field.contains("for <j\u{fc}rgen@xn--bcher-kva.example>;\r\n"),
        "{field}"
    );
}

#[test]
fn what_the_peer_says_of_itself_is_made_harmless() {
    let check = |helo: &[u8], shown: &str| {
        let field = Received { helo, ..plain(None) }.compose();
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
        Received { peer, ..plain(None) }
            .compose()
            .contains(" ([192.0.2.1])\r\n")
    );
}

#[test]
fn the_keyword_tells_what_protected_the_session() {
    let check = |greeting, utf8, keywords: [&str; 4]| {
        let sessions = [(false, false), (true, false), (false, true), (true, true)];
        for ((encrypted, authenticated), keyword) in sessions.into_iter().zip(keywords) {
            assert_eq!(
                With::of(greeting, encrypted, authenticated, utf8).as_str(),
                keyword
            );
        }
    };
    check(Greeting::Helo, false, ["SMTP", "ESMTPS", "ESMTPA", "ESMTPSA"]);
    check(Greeting::Ehlo, false, ["ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"]);
    check(Greeting::Lhlo, false, ["LMTP", "LMTPS", "LMTPA", "LMTPSA"]);
    check(
        Greeting::Ehlo,
        true,
        ["UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"],
    );
    check(
        Greeting::Lhlo,
        true,
        ["UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"],
    );
}

#[test]
fn the_return_path_is_one_line() {
    assert_eq!(return_path_line(&ReversePath::Null), "Return-Path: <>\r\n");
    let path = ReversePath::parse(b"<\"a b\"@x.org>").unwrap();
    assert_eq!(return_path_line(&path), "Return-Path: <\"a b\"@x.org>\r\n");
    let path = ReversePath::Address(address("j\u{fc}rgen@b\u{fc}cher.example"));
    assert_eq!(
        return_path_line(&path),
        "Return-Path: <j\u{fc}rgen@xn--bcher-kva.example>\r\n"
    );
}

proptest! {
    #[test]
    fn no_peer_breaks_the_field(helo: Vec<u8>, by: String, version: String, cipher: String, quoted in "[ -~]{0,30}") {
        let local = crate::address::LocalPart::from_content(&quoted).unwrap();
        let domain = crate::address::Domain::parse(b"example.org").unwrap();
        let one = EmailAddress::new(local, domain).unwrap();
        let tls = Some(TlsFacts { version: &version, cipher: &cipher });
        let field = Received { helo: &helo, by: &by, tls, ..plain(Some(&one)) }.compose();
        prop_assert!(field.is_ascii());
        let lines: Vec<&str> = field.strip_suffix("\r\n").unwrap().split("\r\n").collect();
        prop_assert!(lines.iter().all(|line| !line.contains(['\r', '\n', '\0']) && line.len() <= 998));
        prop_assert!(lines.iter().skip(1).all(|line| line.starts_with('\t') && line.trim() != ""));
        // Lines over 78 columns hold one word that cannot be folded.
        prop_assert!(lines.iter().all(|line| line.len() <= 78 || line.trim().split(' ').count() <= 3));
        let outside_the_path = field.replace(&format!("<{one}>"), "");
        prop_assert_eq!(outside_the_path.matches('(').count(), 2);
        prop_assert_eq!(outside_the_path.matches(')').count(), 2);
        prop_assert_eq!(outside_the_path.matches(';').count(), 1);
    }
}
