use message::BodyKind;
use proptest::prelude::*;

use super::*;

fn malformed(line: &[u8], reply: Reply) {
    assert_eq!(
        Command::parse(line),
        Command::Malformed(reply),
        "{}",
        line.escape_ascii()
    );
}

#[test]
fn verbs_are_known_in_any_case() {
    let check =
        |line: &str, expected: Command| assert_eq!(Command::parse(line.as_bytes()), expected, "{line}");
    check("NOOP", Command::Noop);
    check("noop with a word", Command::Noop);
    check("Rset \t ", Command::Reset);
    check("quit", Command::Quit);
    check("data", Command::Data);
    check("help me", Command::Help);
    check("VRFY alice", Command::Verify);
    check("StartTLS", Command::StartTls);
    check("EXPN staff", Command::NotImplemented);
    check("BDAT 9223372036854775808 LAST", Command::NotImplemented);
    check("BDAT -1", Command::NotImplemented);
    check("GET / HTTP/1.1", Command::Foreign);
    check("PROXY TCP4 192.0.2.1 192.0.2.2 1 2", Command::Foreign);
    check(
        "ehlo [IPv6:2001:db8::1]",
        Command::Hello {
            name: "[IPv6:2001:db8::1]".into(),
            esmtp: true,
        },
    );
    check(
        "HELO my_host",
        Command::Hello {
            name: "my_host".into(),
            esmtp: false,
        },
    );
}

#[test]
fn what_is_no_command_is_refused() {
    malformed(b"", table::UNKNOWN_COMMAND);
    malformed(b" NOOP", table::UNKNOWN_COMMAND);
    malformed(b"NOOP\tx", table::UNKNOWN_COMMAND);
    malformed(b"XCLIENT ADDR=127.0.0.1", table::UNKNOWN_COMMAND);
    malformed(b"XFORWARD", table::UNKNOWN_COMMAND);
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
    let check = |line: &str, path: &str, size, body| match Command::parse(line.as_bytes()) {
        Command::Mail(parsed, parameters) => {
            assert_eq!(parsed.to_string(), path, "{line}");
            assert_eq!(parameters, Parameters { size, body }, "{line}");
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
    let check = |line: &str, path: &str, original: &str| match Command::parse(line.as_bytes()) {
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

proptest! {
    #[test]
    fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Command::parse(&line);
    }

    #[test]
    fn no_argument_panics(
        verb in prop::sample::select(vec!["MAIL FROM:", "RCPT TO:", "EHLO ", "MAIL FROM:<a@b.example>"]),
        rest in "[ -~\\x00\\r\u{e9}<>@\"\\\\= ]{0,80}",
    ) {
        let _ = Command::parse(format!("{verb}{rest}").as_bytes());
    }
}
