//! Address lists of headers.

use proptest::prelude::*;

use super::super::header::Keeper;
use super::*;

/// `name|mailbox|host`, `-` for no name; `{name` and `}` for a group.
fn read(value: &[u8]) -> Vec<String> {
    let mut list = Vec::new();
    addresses::append(value, &mut list, &mut Keeper::new());
    let shown = |address: &ImapAddress| match address {
        ImapAddress::Mailbox { name, mailbox, host } => {
            format!(
                "{}|{mailbox}|{host}",
                name.as_ref().map_or("-".to_owned(), ToString::to_string)
            )
        }
        ImapAddress::GroupStart(name) => format!("{{{name}"),
        ImapAddress::GroupEnd => "}".to_owned(),
    };
    list.iter().map(shown).collect()
}

#[test]
fn addresses_of_all_kinds_are_read() {
    let check = |value: &str, expected: &[&str]| assert_eq!(read(value.as_bytes()), expected, "{value}");
    check("", &[]);
    check(" , ,,", &[]);
    check("joe@x.org", &["-|joe|x.org"]);
    check("<joe@x.org>", &["-|joe|x.org"]);
    check("Joe Q. Public <joe@x.org>", &["Joe Q. Public|joe|x.org"]);
    check(
        "\"Joe \\\"Q\\\", Public\" <joe@x.org>, b@y",
        &["Joe \"Q\", Public|joe|x.org", "-|b|y"],
    );
    check(
        "=?utf-8?q?J=C3=B6?= <joe@x.org>",
        &["=?utf-8?q?J=C3=B6?=|joe|x.org"],
    );
    check("J\u{f6} <j\u{f6}@\u{f6}.org>", &["J\u{f6}|j\u{f6}|\u{f6}.org"]);
    check("Joe <joe@x.org> (comment), b@y", &["Joe|joe|x.org", "-|b|y"]);
    check("joe@x.org (Joe Public)", &["Joe Public|joe|x.org"]);
    check("joe@x.org (Joe \\(Q\\) P)", &["Joe (Q) P|joe|x.org"]);
    check("joe@x.org (a \\) b\\\\), c@x", &["a ) b\\|joe|x.org", "-|c|x"]);
    check("(Joe) <joe@x.org>", &["Joe|joe|x.org"]);
    check(
        "joe (a) @ (b) x (c) . (d) org (e), z@z",
        &["e|joe|x.org", "-|z|z"],
    );
    check("joe . public @ x . org", &["-|joe.public|x.org"]);
    check("\"joe public\"@x.org", &["-|joe public|x.org"]);
    check("\"a . b\"@x", &["-|a . b|x"]);
    check("\"\"@x", &["-||x"]);
    check("joe@[192.0.2.1]", &["-|joe|[192.0.2.1]"]);
    check("Joe <joe@[IPv6:::1]>", &["Joe|joe|[IPv6:::1]"]);
    check("<@a,@b.c:joe@x.org>", &["-|joe|x.org"]);
    check("Joe < (c) \"j o\" (d) @ x . org (e) >", &["Joe|j o|x.org"]);
}

#[test]
fn groups_are_kept_as_groups() {
    let check = |value: &str, expected: &[&str]| assert_eq!(read(value.as_bytes()), expected, "{value}");
    check("undisclosed-recipients:;", &["{undisclosed-recipients", "}"]);
    check(
        "A Group: Joe <joe@x>, b@y;, c@z",
        &["{A Group", "Joe|joe|x", "-|b|y", "}", "-|c|z"],
    );
    check("\"A:B\" : a@x ; C:;", &["{A:B", "-|a|x", "}", "{C", "}"]);
    check("a: b: c@x", &["{a", "-|c|x", "}"]);
    check(":;", &["{", "}"]);
    check(";;a@x;", &["-|a|x"]);
}

#[test]
fn what_is_broken_gives_what_there_is() {
    let check = |value: &str, expected: &[&str]| assert_eq!(read(value.as_bytes()), expected, "{value}");
    check("root", &["-|root|"]);
    check("root (Charlie)", &["Charlie|root|"]);
    check("Joe Public", &["Joe Public||"]);
    check("<>", &["-||"]);
    check("<root>", &["-|root|"]);
    check("Joe <joe@x", &["Joe|joe|x"]);
    check("Joe <joe", &["Joe|joe|"]);
    check("Joe <@a", &["Joe||"]);
    check("Joe Public joe@x.org", &["Joe Public|joe|x.org"]);
    check("joe@x.org <joe@x.org>", &["joe@x.org|joe|x.org"]);
    check("joe@x.org some rubbish, b@y", &["-|joe|x.org", "-|b|y"]);
    check("a@b@c", &["-|a|b@c"]);
    check("<a@b@c>", &["-|a|b@c"]);
    check("@x", &["-||x"]);
    check("joe@", &["-|joe|"]);
    check("\"open <joe@x>, b@y", &["open <joe@x>, b@y||"]);
    check("(open <joe@x>, b@y", &[]);
    check("joe@x (open", &["open|joe|x"]);
    check("Joe <joe@x> > b@y, c@z", &["Joe|joe|x", "-|c|z"]);
    check("a\\", &["-|a\\|"]);
}

#[test]
fn nested_comments_need_no_stack() {
    let deep = format!("{}x{} joe@x", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(read(deep.as_bytes()).len(), 1);
    assert!(read("(".repeat(100_000).as_bytes()).is_empty());
    assert!(read("\\".repeat(100_000).as_bytes()).len() == 1);
}

#[test]
fn repeated_fields_are_one_list() {
    let envelope = scan(b"To: a@x\r\nCc: c@x\r\nTo: b@x\r\nFrom: f@x\r\nReply-To:\r\n\r\n").envelope;
    assert_eq!((envelope.to.len(), envelope.cc.len()), (2, 1));
    assert_eq!(envelope.sender_or_from(), envelope.from);
    assert_eq!(envelope.reply_to_or_from(), envelope.from);
    let envelope = scan(b"From: f@x\r\nSender: s@x\r\nReply-To: r@x\r\nBcc: b@x\r\n\r\n").envelope;
    assert_eq!(envelope.sender_or_from(), envelope.sender);
    assert_eq!(envelope.reply_to_or_from(), envelope.reply_to);
    assert_eq!(envelope.bcc.len(), 1);
}

#[test]
fn a_list_has_its_bound() {
    let many = format!("Group: {}", "a@x, ".repeat(MAX_ADDRESSES));
    let structure = Structure::of(format!("To: {many}\r\nCc: b@x\r\n\r\n").as_bytes());
    assert_eq!(structure.envelope.to.len(), MAX_ADDRESSES + 1);
    assert_eq!(structure.envelope.to.last(), Some(&ImapAddress::GroupEnd));
    assert_eq!(structure.envelope.cc.len(), 1);
    assert_eq!(structure.caveats, Caveats::TOO_MANY_ADDRESSES);
}

/// Writes an address as RFC 5322 asks.
fn written((name, local, host): &(String, String, String)) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    if name.is_empty() {
        format!("{}@{host}", quoted(local))
    } else {
        format!("{} <{}@{host}>", quoted(name), quoted(local))
    }
}

proptest! {
    #[test]
    fn what_is_written_well_is_read_back(
        list in proptest::collection::vec(
            ("([!-~]([ -~]{0,8}[!-~])?)?", "[!-~]([ -~]{0,8}[!-~])?", "[a-z]{1,5}(\\.[a-z]{2})?"),
            0..8,
        ),
        separator in "[ \t]{0,2},[ \t]{0,2}",
    ) {
        let value = list.iter().map(written).collect::<Vec<_>>().join(&separator);
        let expected = list.into_iter().map(|(name, local, host)| {
            let name = if name.is_empty() { "-".to_owned() } else { name };
            format!("{name}|{local}|{host}")
        });
        prop_assert_eq!(read(value.as_bytes()), expected.collect::<Vec<_>>());
    }

    #[test]
    fn every_group_has_its_end(value in "([ -~]|[\t,;:<>@()\"\\\\.]){0,60}") {
        let mut list = Vec::new();
        addresses::append(value.as_bytes(), &mut list, &mut Keeper::new());
        let mut in_group = false;
        for address in &list {
            match address {
                ImapAddress::GroupStart(_) => prop_assert!(!std::mem::replace(&mut in_group, true)),
                ImapAddress::GroupEnd => prop_assert!(std::mem::replace(&mut in_group, false)),
                ImapAddress::Mailbox { .. } => {}
            }
        }
        prop_assert!(!in_group);
    }

    #[test]
    fn arbitrary_octets_never_panic(value: Vec<u8>) {
        read(&value);
    }
}
