use message::BodyKind;
use proptest::prelude::*;

use super::*;
use crate::offers::Offers;

/// As a session parses that offers nothing but what all offer.
fn parse(line: &[u8]) -> Command<'_> {
    let grammar = Grammar {
        offers: &Offers::default(),
        extended: true,
        encrypted: false,
        auth: false,
        utf8: false,
    };
    Command::parse(line, grammar)
}

/// As a session parses that offers SMTPUTF8, in a transaction that said so or in one that did not.
fn parse_utf8(line: &[u8], utf8: bool) -> Command<'_> {
    let offers = Offers {
        utf8: true,
        ..Offers::default()
    };
    let grammar = Grammar {
        offers: &offers,
        extended: true,
        encrypted: false,
        auth: false,
        utf8,
    };
    Command::parse(line, grammar)
}

fn malformed(line: &[u8], reply: Reply) {
    assert_eq!(parse(line), Command::Malformed(reply), "{}", line.escape_ascii());
}

#[test]
fn verbs_are_known_in_any_case() {
    let check = |line: &str, expected: Command| assert_eq!(parse(line.as_bytes()), expected, "{line}");
    check("NOOP", Command::Noop);
    check("noop with a word", Command::Noop);
    check("Rset \t ", Command::Reset);
    check("quit", Command::Quit);
    check("data", Command::Data);
    check("help me", Command::Help);
    check("VRFY alice", Command::Verify);
    check("StartTLS", Command::StartTls);
    check("EXPN staff", Command::NotImplemented);
    let chunk = |octets, is_last| Command::Chunk(Chunk { octets, is_last });
    check("BDAT 0", chunk(0, false));
    check("bdat 0086 last ", chunk(86, true));
    check("BDAT 18446744073709551615", chunk(u64::MAX, false));
    check("GET / HTTP/1.1", Command::Foreign);
    check("PROXY TCP4 192.0.2.1 192.0.2.2 1 2", Command::Foreign);
    check(
        "ehlo [IPv6:2001:db8::1]",
        Command::Hello {
            name: "[IPv6:2001:db8::1]".into(),
            greeting: Greeting::Ehlo,
        },
    );
    check(
        "HELO my_host",
        Command::Hello {
            name: "my_host".into(),
            greeting: Greeting::Helo,
        },
    );
}

#[test]
fn a_chunk_without_a_length_is_told_from_other_mistakes() {
    // Attack 19.
    for (line, reply) in [
        ("BDAT", table::BAD_ARGUMENT),
        ("BDAT -1 LAST", table::BAD_ARGUMENT),
        ("BDAT +1", table::BAD_ARGUMENT),
        ("BDAT 0x10", table::BAD_ARGUMENT),
        ("BDAT 6 LAST now", table::BAD_ARGUMENT),
        ("BDAT 6 FIRST", table::BAD_ARGUMENT),
        ("BDAT  6", table::BAD_ARGUMENT),
        ("BDAT 18446744073709551616", table::TOO_LARGE),
        ("BDAT 99999999999999999999 LAST", table::TOO_LARGE),
        ("BDAT\t6", table::UNKNOWN_COMMAND),
        ("bdata 6", table::UNKNOWN_COMMAND),
        ("BDAT 6\r", table::CONTROL_CHARACTER),
    ] {
        assert_eq!(parse(line.as_bytes()), Command::Uncounted(reply), "{line:?}");
    }
}

#[test]
fn what_is_no_command_is_refused() {
    malformed(b"", table::UNKNOWN_COMMAND);
    malformed(b" NOOP", table::UNKNOWN_COMMAND);
    malformed(b"NOOP\tx", table::UNKNOWN_COMMAND);
    assert_eq!(parse(b"XFORWARD NAME=x"), Command::NotImplemented);
    malformed(b"AVERYLONGVERB", table::UNKNOWN_COMMAND);
    malformed(b"NO\0OP", table::CONTROL_CHARACTER);
    malformed(b"RSET now", table::BAD_ARGUMENT);
    malformed(b"VRFY", table::BAD_ARGUMENT);
    malformed(b"STARTTLS now", table::BAD_ARGUMENT);
}

#[test]
fn a_hello_names_a_host() {
    for name in [
        "",
        "my computer",
        "<script>",
        "a\u{e9}",
        "a\x07b",
        "a;b",
        &"x".repeat(256),
    ] {
        malformed(format!("EHLO {name}").as_bytes(), table::BAD_HELLO);
    }
}

#[test]
fn mail_takes_a_path_and_parameters() {
    let check = |line: &str, path: &str, size, body| match parse(line.as_bytes()) {
        Command::Mail(parsed, parameters) => {
            assert_eq!(parsed.to_string(), path, "{line}");
            assert_eq!((parameters.size, parameters.body), (size, body), "{line}");
            assert!(parameters.options.is_empty(), "{line}");
        }
        other => panic!("{line}: {other:?}"),
    };
    check("MAIL FROM:<>", "<>", None, None);
    check("mail from:<Alice@Example.ORG>", "<Alice@example.org>", None, None);
    check("MAIL FROM: <a@b.example> ", "<a@b.example>", None, None);
    check("MAIL FROM:<\"a b\"@b.example>", "<\"a b\"@b.example>", None, None);
    check(
        "MAIL FROM:<\"a>b\\\" \"@b.example> SIZE=1",
        "<\"a>b\\\" \"@b.example>",
        Some(1),
        None,
    );
    check(
        "MAIL FROM:<@x.example,@y.example:a@b.example>",
        "<a@b.example>",
        None,
        None,
    );
    check("MAIL FROM:<a@[192.0.2.1]>", "<a@[192.0.2.1]>", None, None);
    check(
        "MAIL FROM:<a@b.example> SIZE=1000 BODY=8BITMIME",
        "<a@b.example>",
        Some(1000),
        Some(BodyKind::EightBitMime),
    );
    check(
        "MAIL FROM:<a@b.example>  body=7bit  size=0",
        "<a@b.example>",
        Some(0),
        Some(BodyKind::SevenBit),
    );
    check(
        "MAIL FROM:<> SIZE=99999999999999999999",
        "<>",
        Some(u64::MAX),
        None,
    );
}

#[test]
fn mail_refuses_what_it_does_not_know() {
    malformed(b"MAIL", table::BAD_ARGUMENT);
    malformed(b"MAIL FROM", table::BAD_ARGUMENT);
    malformed(b"MAIL TO:<a@b.example>", table::BAD_ARGUMENT);
    malformed(b"MAIL FROM:", table::BAD_SENDER);
    malformed(b"MAIL FROM:a@b.example", table::BAD_SENDER);
    malformed(b"MAIL FROM:<a>", table::BAD_SENDER);
    malformed(b"MAIL FROM:<postmaster>", table::BAD_SENDER);
    malformed(b"MAIL FROM:<a@b.example", table::BAD_SENDER);
    malformed(b"MAIL FROM:<a@b@c.example>", table::BAD_SENDER);
    malformed(b"MAIL FROM:<a\0@b.example>", table::CONTROL_CHARACTER);
    malformed(b"MAIL FROM:<a\r@b.example>", table::CONTROL_CHARACTER);
    malformed(b"MAIL FROM:<\"a\r\"@b.example>", table::CONTROL_CHARACTER);
    malformed(b"MAIL FROM:<\"a\tb\"@b.example>", table::BAD_SENDER);
    malformed(
        "MAIL FROM:<\u{e9}@b.example>".as_bytes(),
        table::ADDRESS_NOT_ASCII,
    );
    malformed(b"MAIL FROM:<a@b.example>SIZE=1", table::BAD_ARGUMENT);
    malformed(b"MAIL FROM:<a@b.example> SIZE=1 SIZE=1", table::BAD_ARGUMENT);
    malformed(b"MAIL FROM:<a@b.example> SIZE", table::BAD_ARGUMENT);
    malformed(b"MAIL FROM:<a@b.example> SIZE=-1", table::BAD_ARGUMENT);
    malformed(
        b"MAIL FROM:<a@b.example> SIZE=000000000000000000001",
        table::BAD_ARGUMENT,
    );
    malformed(
        b"MAIL FROM:<a@b.example> BODY=BINARYMIME",
        table::UNKNOWN_PARAMETER,
    );
    malformed(b"MAIL FROM:<a@b.example> BODY", table::UNKNOWN_PARAMETER);
    malformed(b"MAIL FROM:<a@b.example> SMTPUTF8", table::UNKNOWN_PARAMETER);
    malformed(b"MAIL FROM:<a@b.example> AUTH=<>", table::UNKNOWN_PARAMETER);
    malformed(b"MAIL FROM:<a@b.example> RET=HDRS", table::UNKNOWN_PARAMETER);
}

#[test]
fn a_recipient_is_kept_as_written_beside_what_it_means() {
    let check = |line: &str, path: &str, original: &str| match parse(line.as_bytes()) {
        Command::Recipient(named) => {
            assert_eq!(
                (&*named.path.to_string(), &*named.original),
                (path, original),
                "{line}"
            );
        }
        other => panic!("{line}: {other:?}"),
    };
    check(
        "RCPT TO:<alice@example.org>",
        "<alice@example.org>",
        "alice@example.org",
    );
    check(
        "rcpt to: <Alice@EXAMPLE.org>",
        "<Alice@example.org>",
        "Alice@EXAMPLE.org",
    );
    check("RCPT TO:<PostMaster>", "<postmaster>", "PostMaster");
    check(
        "RCPT TO:<@x.example:alice@example.org>",
        "<alice@example.org>",
        "@x.example:alice@example.org",
    );
    check(
        "RCPT TO:<\"a@b\"@example.org>",
        "<\"a@b\"@example.org>",
        "\"a@b\"@example.org",
    );
    // Attack 40: to us a name like any other.
    check(
        "RCPT TO:<|`id`/etc@example.org>",
        "<|`id`/etc@example.org>",
        "|`id`/etc@example.org",
    );
    check(
        "RCPT TO:<${run{x}}@example.org>",
        "<${run{x}}@example.org>",
        "${run{x}}@example.org",
    );
}

#[test]
fn a_recipient_refuses_what_it_does_not_know() {
    malformed(b"RCPT", table::BAD_ARGUMENT);
    malformed(b"RCPT TO:<>", table::BAD_RECIPIENT);
    malformed(b"RCPT TO:<alice>", table::BAD_RECIPIENT);
    malformed(b"RCPT TO:<a@b@example.org>", table::BAD_RECIPIENT);
    malformed(b"RCPT TO:<../../etc@example.org>", table::BAD_RECIPIENT);
    malformed(b"RCPT TO:<a@example.org> NOTIFY=NEVER", table::UNKNOWN_PARAMETER);
    malformed(
        b"RCPT TO:<a@example.org> ORCPT=rfc822;a+0Ab@x",
        table::UNKNOWN_PARAMETER,
    );
    malformed(b"RCPT TO:<a@example.org>x", table::BAD_ARGUMENT);
    let long = format!("RCPT TO:<{}@example.org>", "x".repeat(65));
    malformed(long.as_bytes(), table::BAD_RECIPIENT);
}

/// Attack 12: what other servers once took for a route to elsewhere is an address here, or none.
#[test]
fn no_address_is_a_route() {
    let check = |line: &str, path: &str| match parse(line.as_bytes()) {
        Command::Recipient(named) => assert_eq!(named.path.to_string(), path, "{line}"),
        other => panic!("{line}: {other:?}"),
    };
    check(
        "RCPT TO:<victim%other.example@example.org>",
        "<victim%other.example@example.org>",
    );
    check(
        "RCPT TO:<other.example!victim@example.org>",
        "<other.example!victim@example.org>",
    );
    check(
        "RCPT TO:<@example.org:victim@other.example>",
        "<victim@other.example>",
    );
    check(
        "RCPT TO:<\"victim@other.example\"@example.org>",
        "<\"victim@other.example\"@example.org>",
    );
    check(
        "RCPT TO:<\"@example.org:victim@other.example\"@example.org>",
        "<\"@example.org:victim@other.example\"@example.org>",
    );
    check("RCPT TO:<victim@[192.0.2.9]>", "<victim@[192.0.2.9]>");
    for line in [
        "RCPT TO:<victim@other.example@example.org>",
        "RCPT TO:<@other.example:@example.org:victim@x>",
        "RCPT TO:<\"victim@other.example\">",
        "RCPT TO:<victim@other.example,alice@example.org>",
        "RCPT TO:<alice@example.org> <victim@other.example>",
        "RCPT TO:<<victim@other.example>@example.org>",
    ] {
        assert!(matches!(parse(line.as_bytes()), Command::Malformed(_)), "{line}");
    }
}

#[test]
fn utf8_wants_its_word_on_mail() {
    let path = "MAIL FROM:<j\u{fc}rgen@b\u{fc}cher.example>";
    let not_ascii = Command::Malformed(table::ADDRESS_NOT_ASCII);
    assert_eq!(parse_utf8(path.as_bytes(), false), not_ascii);
    assert_eq!(
        parse_utf8(b"MAIL FROM:<u@b\xc3\xbccher.example> BODY=8BITMIME", false),
        not_ascii
    );
    for word in ["SMTPUTF8", "smtputf8 SIZE=10", "BODY=8BITMIME SMTPUTF8"] {
        match parse_utf8(format!("{path} {word}").as_bytes(), false) {
            Command::Mail(parsed, parameters) => {
                assert_eq!(parsed.to_string(), "<j\u{fc}rgen@xn--bcher-kva.example>");
                assert!(parameters.options.utf8, "{word}");
            }
            other => panic!("{word}: {other:?}"),
        }
    }
    malformed(format!("{path} SMTPUTF8").as_bytes(), table::ADDRESS_NOT_ASCII);
}

/// Attack 30.
#[test]
fn what_is_no_utf8_is_no_address() {
    let check = |address: &[u8], sender: Reply, recipient: Reply| {
        let mail = [b"MAIL FROM:<", address, b"> SMTPUTF8"].concat();
        let rcpt = [b"RCPT TO:<", address, b">"].concat();
        assert_eq!(
            parse_utf8(&mail, false),
            Command::Malformed(sender),
            "{}",
            mail.escape_ascii()
        );
        assert_eq!(
            parse_utf8(&rcpt, true),
            Command::Malformed(recipient),
            "{}",
            rcpt.escape_ascii()
        );
    };
    check(b"j\xfcrgen@x.org", table::BAD_SENDER, table::BAD_RECIPIENT);
    check(b"u\xc1\x80x.org", table::BAD_SENDER, table::BAD_RECIPIENT);
    check(
        b"u\xc0\x8d\xc0\x8a@x.org",
        table::BAD_SENDER,
        table::BAD_RECIPIENT,
    );
    check(
        "u\u{85}@x.org".as_bytes(),
        table::BAD_SENDER,
        table::BAD_RECIPIENT,
    );
    check(
        "\"u\u{202e}\"@x.org".as_bytes(),
        table::BAD_SENDER,
        table::BAD_RECIPIENT,
    );
    check(
        "u@ex\u{ad}ample.org".as_bytes(),
        table::BAD_SENDER,
        table::BAD_RECIPIENT,
    );
    check(
        "u@a\u{5d0}.org".as_bytes(),
        table::BAD_SENDER_DOMAIN,
        table::BAD_RECIPIENT_DOMAIN,
    );
    check(
        "u@\u{378}.org".as_bytes(),
        table::BAD_SENDER_DOMAIN,
        table::BAD_RECIPIENT_DOMAIN,
    );
    let long = "\u{fc}".repeat(33) + "@x.org";
    check(long.as_bytes(), table::BAD_SENDER, table::BAD_RECIPIENT);
    let outside = "RCPT TO:<j\u{fc}rgen@example.org>";
    assert_eq!(
        parse_utf8(outside.as_bytes(), false),
        Command::Malformed(table::ADDRESS_NOT_ASCII)
    );
    match parse_utf8(outside.as_bytes(), true) {
        Command::Recipient(named) => assert_eq!(&*named.original, "j\u{fc}rgen@example.org"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn verify_takes_utf8_with_its_word() {
    for (line, expected) in [
        ("VRFY alice SMTPUTF8", Command::Verify),
        ("VRFY SMTPUTF8", Command::Verify),
        ("VRFY j\u{fc}rgen smtputf8", Command::Verify),
        ("VRFY j\u{fc}rgen", Command::Malformed(table::ADDRESS_NOT_ASCII)),
    ] {
        assert_eq!(parse_utf8(line.as_bytes(), false), expected, "{line}");
    }
    let malformed_utf8 = parse_utf8(b"VRFY j\xfcrgen SMTPUTF8", false);
    assert_eq!(malformed_utf8, Command::Malformed(table::BAD_ARGUMENT));
    malformed("VRFY j\u{fc}rgen SMTPUTF8".as_bytes(), table::ADDRESS_NOT_ASCII);
}

proptest! {
    #[test]
    fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&line);
        let _ = parse_utf8(&line, true);
    }

    #[test]
    fn no_argument_panics(
        verb in prop::sample::select(vec!["MAIL FROM:", "RCPT TO:", "EHLO ", "MAIL FROM:<a@b.example>"]),
        rest in "[ -~\\x00\\r\u{e9}<>@\"\\\\= ]{0,80}",
    ) {
        let line = format!("{verb}{rest}");
        let _ = parse(line.as_bytes());
        let _ = parse_utf8(line.as_bytes(), true);
    }
}
