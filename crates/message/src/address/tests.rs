use proptest::prelude::*;

use super::*;

const SYNTAX: AddressError = AddressError::Syntax("");

/// Compares errors by kind: the sentence is for people.
fn kind(error: AddressError) -> AddressError {
    match error {
        AddressError::Syntax(_) => SYNTAX,
        AddressError::UnacceptableDomain(_) => AddressError::UnacceptableDomain(""),
        AddressError::TooLong { limit, .. } => AddressError::TooLong { what: "", limit },
        AddressError::NotAscii => AddressError::NotAscii,
    }
}

fn too_long(limit: usize) -> AddressError {
    AddressError::TooLong { what: "", limit }
}

fn parse(text: &str) -> EmailAddress {
    EmailAddress::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn addresses_are_kept_in_one_form() {
    let check = |written: &str, content: &str, shown: &str| {
        let address = parse(written);
        assert_eq!(address.local().as_str(), content, "{written}");
        assert_eq!(address.to_string(), shown, "{written}");
        assert_eq!(parse(shown), address);
    };
    check("user@example.org", "user", "user@example.org");
    check("John.Doe@EXAMPLE.Org", "John.Doe", "John.Doe@example.org");
    check("\"john\"@x", "john", "john@x");
    check("\"j\\ohn\"@x", "john", "john@x");
    check("\"john doe\"@x", "john doe", "\"john doe\"@x");
    check("\"john..doe\"@x", "john..doe", "\"john..doe\"@x");
    check("\".john\"@x", ".john", "\".john\"@x");
    check("\"a\\\"b\\\\c\"@x", "a\"b\\c", "\"a\\\"b\\\\c\"@x");
    check("\"a@b\"@x", "a@b", "\"a@b\"@x");
    check("\"<a>\"@x", "<a>", "\"<a>\"@x");
    check("\"\"@x", "", "\"\"@x");
    check("a!b%c@x", "a!b%c", "a!b%c@x");
    check(
        "!#$%&'*+-/=?^_`{|}~@x",
        "!#$%&'*+-/=?^_`{|}~",
        "!#$%&'*+-/=?^_`{|}~@x",
    );
    check("u@[192.0.2.1]", "u", "u@[192.0.2.1]");
    check("u@[ipv6:2001:DB8:0::1]", "u", "u@[IPv6:2001:db8::1]");
    check("u@[IPv6:::ffff:c000:201]", "u", "u@[IPv6:::ffff:192.0.2.1]");
    check("u@XN--Bcher-kva.example", "u", "u@xn--bcher-kva.example");
    check("u@1.2.3", "u", "u@1.2.3");
    check("u@a--b.example", "u", "u@a--b.example");
}

#[test]
fn what_is_not_in_the_grammar_is_refused() {
    let check = |written: &[u8], expected: AddressError| {
        let shown = String::from_utf8_lossy(written);
        assert_eq!(
            EmailAddress::parse(written).map_err(kind),
            Err(expected),
            "{shown}"
        );
    };
    for written in [
        "",
        "@",
        "u",
        "u@",
        "@x",
        ".u@x",
        "u.@x",
        "u..v@x",
        "u v@x",
        "u@@x",
        "u@x@y z",
        "a@b@c",
        "u@x.",
        "u@.x",
        "u@x..y",
        "u@-x",
        "u@x-",
        "u@x_y",
        "u@x y",
        " u@x",
        "u@x ",
        "<u@x>",
        "u@x>",
        "\"u@x",
        "u\"@x",
        "\"u\"v@x",
        "\"u\\\"@x",
        "u@[1.2.3]",
        "u@[1.2.3.4",
        "u@[1.2.3.256]",
        "u@[1.2.3.04]",
        "u@[]",
        "u@[IPv6:x]",
        "u@[IPv6:::1%eth0]",
        "u@[1.2.3.4]x",
        "u(c)@x",
        "u,v@x",
        "u\0@x",
        "u\r@x",
        "u\n@x",
        "\"u\rv\"@x",
        "\"u\n\"@x",
        "\"u\0\"@x",
        "\"u\tv\"@x",
        "\"u\\\0\"@x",
        "u\x7f@x",
        "\"\x7f\"@x",
        "u@x\r\n",
        "u@x\0",
    ] {
        check(written.as_bytes(), SYNTAX);
    }
    check("\u{fc}@x".as_bytes(), AddressError::NotAscii);
    check("\"\u{fc}\"@x".as_bytes(), AddressError::NotAscii);
    check("u@b\u{fc}cher.example".as_bytes(), AddressError::NotAscii);
    check(b"u\xff@x", AddressError::NotAscii);
    for written in ["u@[x:y]", "u@[IPv7:::1]", "u@xn--a", "u@xn--0000h.x"] {
        check(written.as_bytes(), AddressError::UnacceptableDomain(""));
    }
}

#[test]
fn limits_are_those_of_the_standard() {
    let check = |written: String, expected: Result<(), AddressError>| {
        let parsed = EmailAddress::parse(written.as_bytes()).map(drop).map_err(kind);
        assert_eq!(parsed, expected, "{written}");
    };
    check(format!("{}@x", "u".repeat(64)), Ok(()));
    check(format!("{}@x", "u".repeat(65)), Err(too_long(MAX_LOCAL_PART)));
    check(format!("\"{} \"@x", "u".repeat(61)), Ok(()));
    check(
        format!("\"{} \"@x", "u".repeat(62)),
        Err(too_long(MAX_LOCAL_PART)),
    );
    check(format!("u@{}.x", "d".repeat(63)), Ok(()));
    check(format!("u@{}.x", "d".repeat(64)), Err(too_long(MAX_LABEL)));
    check(format!("u@{}dd", "d.".repeat(127)), Err(too_long(MAX_DOMAIN)));
    check(format!("u@{}d", "d.".repeat(127)), Err(too_long(MAX_PATH)));
    check(format!("uu@{}d", "d.".repeat(126)), Ok(()));
    check(format!("uuu@{}d", "d.".repeat(126)), Err(too_long(MAX_PATH)));
}

#[test]
fn an_internationalised_address_has_its_own_constructor() {
    let check = |written: &str, shown: &str| {
        let address = EmailAddress::parse_utf8(written).unwrap();
        assert_eq!(address.to_string(), shown);
        assert_eq!(EmailAddress::parse_utf8(shown).unwrap(), address);
    };
    check("user@B\u{fc}cher.example", "user@xn--bcher-kva.example");
    check("user@stra\u{df}e.example", "user@xn--strae-oqa.example");
    check("J\u{fc}rgen@x.org", "J\u{fc}rgen@x.org");
    check("\"J\u{fc}rgen K\"@x.org", "\"J\u{fc}rgen K\"@x.org");
    check("user@example.org", "user@example.org");
    check("user@\u{65e5}\u{672c}\u{3002}jp", "user@xn--wgv71a.jp");
    for written in [
        "u@a\u{5d0}.org",      // left to right and right to left in one label
        "u@\u{200d}x.org",     // a joiner that joins nothing
        "u@\u{378}.org",       // unassigned
        "u@\u{ff0d}a.org",     // becomes a hyphen at the edge of a label
        "u@\u{301}a.org",      // begins with a combining mark
        "u\u{85}@x.org",       // a control character of eight bits
        "u@\u{ff20}.org",      // a full-width @
        "u@x.org\u{3002}",     // an empty last label
        "u\u{202e}v@x.org",    // turns what follows around
        "\"u\u{2028}\"@x.org", // a line separator
        "u\u{200b}@x.org",     // shown as nothing
    ] {
        assert!(EmailAddress::parse_utf8(written).is_err(), "{written}");
    }
    assert!(EmailAddress::parse_utf8("\u{fc}@x").unwrap().needs_utf8());
    assert!(!EmailAddress::parse_utf8("u@\u{fc}.x").unwrap().needs_utf8());
}

#[test]
fn case_matters_to_equality_and_not_to_look_up() {
    let check = |one: &str, other: &str, same: bool| {
        let key = |text| EmailAddress::parse_utf8(text).unwrap().lookup_key();
        assert_eq!(key(one) == key(other), same, "{one} {other}");
    };
    assert_ne!(parse("John@x"), parse("john@x"));
    assert_eq!(parse("\"John\"@X"), parse("John@x"));
    assert_eq!(
        parse("\"John Doe\"@Example.org").lookup_key(),
        "john doe@example.org"
    );
    check("John@x", "john@x", true);
    check("\"j.o\"@x", "J.O@x", true);
    check("\u{c9}ric@x", "e\u{301}ric@x", true);
    check("\u{c4}@x", "\u{e4}@x", true);
    check("eric@x", "\u{e9}ric@x", false);
    check("u@x", "u@y", false);
}

#[test]
fn a_tag_is_behind_the_first_plus() {
    let check = |written: &str, base: &str, detail: Option<&str>| {
        let address = parse(written);
        assert_eq!(
            (address.base().to_string().as_str(), address.detail()),
            (base, detail),
            "{written}"
        );
    };
    check("user@x", "user@x", None);
    check("user+tag@x", "user@x", Some("tag"));
    check("user+a+b@x", "user@x", Some("a+b"));
    check("user+@x", "user@x", Some(""));
    check("+tag@x", "+tag@x", None);
    check("\"user name+tag\"@x", "\"user name\"@x", Some("tag"));
    check("user.+tag@x", "\"user.\"@x", Some("tag"));
}

#[test]
fn paths_are_read_as_mail_and_rcpt_write_them() {
    let reverse = |text: &str| {
        ReversePath::parse(text.as_bytes())
            .map(|path| path.to_string())
            .map_err(kind)
    };
    let forward = |text: &str| {
        ForwardPath::parse(text.as_bytes())
            .map(|path| path.to_string())
            .map_err(kind)
    };
    assert_eq!(reverse("<>"), Ok("<>".to_owned()));
    assert_eq!(forward("<>"), Err(SYNTAX));
    assert_eq!(forward("<PostMaster>"), Ok("<postmaster>".to_owned()));
    assert_eq!(reverse("<postmaster>"), Err(SYNTAX));
    for (written, shown) in [
        ("<u@x>", "<u@x>"),
        ("<@a,@b.c:u@X>", "<u@x>"),
        ("<@a:\"u:v\"@x>", "<\"u:v\"@x>"),
        ("<\"a>b\"@x>", "<\"a>b\"@x>"),
        ("<\"a\\\">b\"@x>", "<\"a\\\">b\"@x>"),
        ("<postmaster@x>", "<postmaster@x>"),
    ] {
        assert_eq!(reverse(written), Ok(shown.to_owned()));
        assert_eq!(forward(written), Ok(shown.to_owned()));
    }
    for written in [
        "",
        "<",
        ">",
        "u@x",
        "<u@x",
        "<u@x>>",
        "<u@x> ",
        " <u@x>",
        "<<u@x>>",
        "<u>",
        "< >",
        "<@a>",
        "<@a:>",
        "<@a,b:u@x>",
        "<@a,:u@x>",
        "<@:u@x>",
        "<@a:@b:u@x>",
        "<@a;u@x>",
        "<postmaster >",
        "<@a:postmaster>",
        "<\"u>@x",
        "<u@x\0>",
    ] {
        assert_eq!(reverse(written), Err(SYNTAX), "{written}");
        assert_eq!(forward(written), Err(SYNTAX), "{written}");
    }
    let longest = format!("<{}@{}d>", "u".repeat(64), "d.".repeat(95));
    assert_eq!(longest.len(), MAX_PATH + 2);
    assert_eq!(reverse(&longest), Ok(longest.clone()));
    assert_eq!(reverse(&longest.replace("<u", "<@a:u")), Err(too_long(MAX_PATH)));
    assert_eq!(reverse(&"<".repeat(10_000)), Err(too_long(MAX_PATH)));
}

/// Attack 30.
#[test]
fn a_path_in_utf8_is_well_formed_and_names_a_domain() {
    let check = |text: &[u8], expected: Result<&str, AddressError>| {
        let shown = text.escape_ascii();
        let reverse = ReversePath::parse_prefix_utf8(text).map(|(path, rest)| {
            assert_eq!(rest, b" X", "{shown}");
            path.to_string()
        });
        let forward = ForwardPath::parse_prefix_utf8(text).map(|(path, _)| path.to_string());
        assert_eq!(reverse.map_err(kind), expected.map(str::to_owned), "{shown}");
        assert_eq!(forward.map_err(kind), expected.map(str::to_owned), "{shown}");
    };
    let unacceptable = Err(AddressError::UnacceptableDomain(""));
    check(
        "<j\u{fc}rgen@b\u{fc}cher.example> X".as_bytes(),
        Ok("<j\u{fc}rgen@xn--bcher-kva.example>"),
    );
    check(
        "<u@B\u{dc}CHER.example> X".as_bytes(),
        Ok("<u@xn--bcher-kva.example>"),
    );
    check("<@b\u{fc}cher.example,@x:u@x> X".as_bytes(), Ok("<u@x>"));
    check("<\"a>\u{fc} \"@x> X".as_bytes(), Ok("<\"a>\u{fc} \"@x>"));
    check(b"<u@x> X", Ok("<u@x>"));
    // No UTF-8: a continuation alone, a sequence cut short, Latin-1, a surrogate, beyond the last code point.
    check(b"<\x80@x> X", Err(SYNTAX));
    check(b"<u\xc3@x> X", Err(SYNTAX));
    check(b"<j\xfcrgen@x> X", Err(SYNTAX));
    check(b"<\xed\xa0\x80@x> X", Err(SYNTAX));
    check(b"<\xf4\x90\x80\x80@x> X", Err(SYNTAX));
    check(b"<u@b\xfccher.example> X", Err(SYNTAX));
    // Overlong forms of `@`, `/`, CR and NUL.
    check(b"<u\xc1\x80x> X", Err(SYNTAX));
    check(b"<..\xc0\xafu@x> X", Err(SYNTAX));
    check(b"<u\xc0\x8d@x> X", Err(SYNTAX));
    check(b"<u\xe0\x80\x80@x> X", Err(SYNTAX));
    // Control characters, and what only changes how others are shown, also where a domain would lose it.
    check("<u\u{85}@x> X".as_bytes(), Err(SYNTAX));
    check("<\"u\u{202e}\"@x> X".as_bytes(), Err(SYNTAX));
    check("<u@ex\u{ad}ample.org> X".as_bytes(), Err(SYNTAX));
    check("<u@ex\u{200b}ample.org> X".as_bytes(), Err(SYNTAX));
    check("<@\u{202e}x:u@x> X".as_bytes(), Err(SYNTAX));
    // Domains that IDNA refuses: both directions in one label, unassigned, a joiner that joins nothing.
    check("<u@a\u{5d0}.org> X".as_bytes(), unacceptable);
    check("<u@\u{378}.org> X".as_bytes(), unacceptable);
    check("<u@\u{200d}x.org> X".as_bytes(), unacceptable);
    check("<u@x\u{ff0e}\u{ff0e}org> X".as_bytes(), unacceptable);
    let longest = format!("<{}@x> X", "\u{fc}".repeat(33));
    check(longest.as_bytes(), Err(too_long(MAX_LOCAL_PART)));
}

#[test]
fn what_follows_a_path_is_given_back() {
    let (path, rest) = ReversePath::parse_prefix(b"<\"a> b\"@x> SIZE=10").unwrap();
    assert_eq!(
        (path.to_string().as_str(), rest),
        ("<\"a> b\"@x>", b" SIZE=10".as_slice())
    );
    assert_eq!(
        ReversePath::parse_prefix(b"<> BODY=7BIT"),
        Ok((ReversePath::Null, b" BODY=7BIT".as_slice()))
    );
    let (path, rest) = ForwardPath::parse_prefix(b"<postmaster>\tX").unwrap();
    assert_eq!((path, rest), (ForwardPath::Postmaster, b"\tX".as_slice()));
    let home = Domain::parse(b"Example.org").unwrap();
    assert_eq!(
        ForwardPath::Postmaster.resolve(&home).unwrap(),
        parse("postmaster@example.org")
    );
}

#[test]
fn records_hold_the_text() {
    let address = EmailAddress::parse_utf8("\"J\u{fc}rgen K\"@b\u{fc}cher.example").unwrap();
    let bytes = postcard::to_stdvec(&address).unwrap();
    assert_eq!(bytes.len(), 1 + address.to_string().len());
    assert_eq!(postcard::from_bytes::<EmailAddress>(&bytes).unwrap(), address);
    let domain: DomainName = serde_json::from_str("\"B\u{fc}cher.example\"").unwrap();
    assert_eq!(
        serde_json::to_string(&domain).unwrap(),
        "\"xn--bcher-kva.example\""
    );
    assert!(serde_json::from_str::<EmailAddress>("\"no address\"").is_err());
    let literal = AddressLiteral::parse(b"[192.0.2.1]").unwrap();
    let bytes = postcard::to_stdvec(&literal).unwrap();
    assert_eq!(postcard::from_bytes::<AddressLiteral>(&bytes).unwrap(), literal);
}

/// Texts that have a fair chance to be addresses.
fn address_like() -> impl Strategy<Value = String> {
    let atom = "[a-zA-Z0-9!+=_-]{1,8}";
    let local = prop_oneof![
        proptest::collection::vec(atom, 1..4).prop_map(|atoms| atoms.join(".")),
        "\"([ !#-\\[\\]-~]|\\\\[ -~]){0,20}\"",
        "[ -~]{0,20}",
    ];
    let domain = prop_oneof![
        "([a-zA-Z0-9]{1,8}\\.){0,3}[a-zA-Z0-9]([a-zA-Z0-9-]{0,8}[a-zA-Z0-9])?",
        "xn--[a-z0-9-]{1,10}(\\.org)?",
        any::<u32>().prop_map(|v4| format!("[{}]", std::net::Ipv4Addr::from(v4))),
        any::<u128>().prop_map(|v6| format!("[IPv6:{}]", std::net::Ipv6Addr::from(v6))),
        "[ -~]{0,20}",
    ];
    (local, domain).prop_map(|(local, domain)| format!("{local}@{domain}"))
}

proptest! {
    #[test]
    fn printing_and_parsing_are_inverse(text in address_like()) {
        if let Ok(address) = EmailAddress::parse(text.as_bytes()) {
            let shown = address.to_string();
            prop_assert!(shown.len() <= text.len() + 5, "{} became {}", text, shown);
            prop_assert_eq!(EmailAddress::parse(shown.as_bytes()), Ok(address.clone()));
            let path = ForwardPath::Address(address.clone());
            prop_assert_eq!(ForwardPath::parse(path.to_string().as_bytes()), Ok(path));
            let bytes = postcard::to_stdvec(&address).unwrap();
            prop_assert_eq!(postcard::from_bytes::<EmailAddress>(&bytes).unwrap(), address);
        }
    }

    #[test]
    fn arbitrary_octets_are_an_address_or_an_error(text: Vec<u8>) {
        let _ = EmailAddress::parse(&text);
        let _ = ReversePath::parse_prefix(&text);
        let _ = ForwardPath::parse_prefix(&text);
        let _ = ReversePath::parse_prefix_utf8(&text);
        let _ = ForwardPath::parse_prefix_utf8(&text);
        let _ = Domain::parse(&text);
    }

    #[test]
    fn what_was_accepted_holds_nothing_that_breaks_a_line(text in "<[ -~\r\n\0]{0,40}>") {
        if let Ok(path) = ForwardPath::parse(text.as_bytes()) {
            prop_assert!(!path.to_string().contains(|shown: char| shown.is_control()));
        }
    }

    #[test]
    fn an_internationalised_address_comes_back(local in "\\PC{1,10}", domain in "\\PC{1,10}(\\.[a-z]{2})?") {
        if let Ok(address) = EmailAddress::parse_utf8(&format!("{local}@{domain}")) {
            prop_assert_eq!(EmailAddress::parse_utf8(&address.to_string()), Ok(address.clone()));
            prop_assert_eq!(address.base().lookup_key(), address.base().lookup_key().to_string());
            prop_assert!(address.domain().to_string().is_ascii());
        }
    }

    #[test]
    fn any_content_can_be_written(content in "\\PC{0,40}") {
        if let Ok(local) = LocalPart::from_content(&content) {
            prop_assert_eq!(LocalPart::parse_utf8(&local.to_string()), Ok(local.clone()));
            prop_assert_eq!(local.as_str(), content);
        }
    }
}
