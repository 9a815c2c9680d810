use proptest::prelude::*;

use super::*;
use crate::address::EmailAddress;
use crate::time::Timestamp;

/// What each text is taken for, printed; `None` when it is refused.
fn check<T: fmt::Display>(
    parse: impl Fn(&[u8]) -> Result<T, ParameterError>,
    cases: &[(&str, Option<&str>)],
) {
    for (text, expected) in cases {
        let printed = parse(text.as_bytes()).ok().map(|value| value.to_string());
        assert_eq!(printed.as_deref(), *expected, "{text}");
    }
}

#[test]
fn ret_is_full_or_hdrs() {
    check(
        Return::parse,
        &[
            ("FULL", Some("FULL")),
            ("hdrs", Some("HDRS")),
            ("", None),
            ("HDRS ", None),
            ("HEADERS", None),
        ],
    );
}

#[test]
fn envid_is_printable_when_it_is_decoded() {
    check(
        EnvelopeId::parse,
        &[
            ("QQ314159", Some("QQ314159")),
            ("a+2Bb+3Dc+20d", Some("a+2Bb+3Dc+20d")),
            ("a+2bb", Some("a+2Bb")),
            // What need not be encoded is not.
            ("+41", Some("A")),
            ("", None),
            ("a=b", None),
            ("a b", None),
            ("a+", None),
            ("a+2", None),
            ("a+GG", None),
            ("a++2B", None),
            ("a\u{e9}", None),
            // Attack 11.
            ("a+0D+0AX-Evil: 1", None),
            ("a+0D+0AX-Evil:+201", None),
            ("a+0A", None),
            ("a+00", None),
            ("a+7F", None),
            ("a+80", None),
            ("a+C3+A9", None),
        ],
    );
    assert_eq!(EnvelopeId::parse(b"a+2Bb+20c").unwrap().as_str(), "a+b c");
    assert!(EnvelopeId::parse(&[b'x'; MAX_ENVELOPE_ID]).is_ok());
    assert!(EnvelopeId::parse(&[b'x'; MAX_ENVELOPE_ID + 1]).is_err());
}

#[test]
fn notify_is_never_or_a_list() {
    check(
        Notify::parse,
        &[
            ("never", Some("NEVER")),
            ("Success", Some("SUCCESS")),
            ("DELAY,failure,SUCCESS", Some("SUCCESS,FAILURE,DELAY")),
            ("", None),
            ("NEVER,DELAY", None),
            ("DELAY,NEVER", None),
            ("DELAY,DELAY", None),
            ("DELAY,", None),
            (",DELAY", None),
            ("DELAY, FAILURE", None),
            ("FAILURE+0D+0ARCPT TO:<x@y>", None),
        ],
    );
}

#[test]
fn orcpt_is_a_kind_and_an_encoded_address() {
    check(
        OriginalRecipient::parse,
        &[
            ("rfc822;alice@example.org", Some("rfc822;alice@example.org")),
            ("RFC822;a+2Bb@example.org", Some("RFC822;a+2Bb@example.org")),
            (
                "rfc822;\"a+20b\"@example.org",
                Some("rfc822;\"a+20b\"@example.org"),
            ),
            ("x400;/C+3Dfr/", Some("x400;/C+3Dfr/")),
            ("unknown;a;b", Some("unknown;a;b")),
            (
                "utf-8;j\u{fc}rgen@example.org",
                Some("utf-8;j\\x{FC}rgen@example.org"),
            ),
            (
                "UTF-8;j\\x{FC}rgen@example.org",
                Some("UTF-8;j\\x{FC}rgen@example.org"),
            ),
            ("utf-8;a\\x{2B}b\\x{20}c", Some("utf-8;a\\x{2B}b\\x{20}c")),
            ("utf-8;\\x{1F600}", Some("utf-8;\\x{1F600}")),
            ("", None),
            ("alice@example.org", None),
            (";alice@example.org", None),
            ("rfc822;", None),
            ("rfc 822;a", None),
            ("rfc822\u{e9};a", None),
            ("rfc822;j\u{fc}rgen@example.org", None),
            ("utf-8;a+2Bb", None),
            ("utf-8;a=b", None),
            ("utf-8;\\x{}", None),
            ("utf-8;\\x{D800}", None),
            ("utf-8;\\x{110000}", None),
            ("utf-8;\\x{0000041}", None),
            ("utf-8;\\x{+41}", None),
            ("utf-8;\\x{41", None),
            ("utf-8;\\", None),
            // Attack 11.
            ("rfc822;a+0D+0AX-Evil:+201", None),
            ("rfc822;a+0Ab@example.org", None),
            ("rfc822;a+00@example.org", None),
            ("rfc822;a+09@example.org", None),
            ("rfc822;a+FF@example.org", None),
            ("rfc822+0A;a@example.org", None),
            ("utf-8;a\\x{0D}\\x{0A}b", None),
            ("utf-8;a\\x{00}", None),
            ("utf-8;a\\x{85}b", None),
            ("utf-8;a\\x{2028}b", None),
            ("utf-8;a\\x{202E}b", None),
            ("utf-8;a\u{202e}b", None),
        ],
    );
    assert!(OriginalRecipient::parse(b"utf-8;a\xff").is_err());
    let original = OriginalRecipient::parse(b"utf-8;j\\x{FC}r@x").unwrap();
    assert_eq!((original.kind(), original.address()), ("utf-8", "j\u{fc}r@x"));
    let longest = |kind: &str, one: &str, count| format!("{kind};{}", one.repeat(count));
    let is_taken = |text: String| OriginalRecipient::parse(text.as_bytes()).is_ok();
    assert!(is_taken(longest("rfc822", "x", 493)) && !is_taken(longest("rfc822", "x", 494)));
    // 246 octets in UTF-8, 738 in ASCII.
    assert!(!is_taken(longest("utf-8", "\u{fc}", 123)));
}

#[test]
fn auth_is_nobody_or_an_address() {
    let cases = [
        ("<>", Some("<>")),
        ("alice@example.org", Some("alice@example.org")),
        ("a+2Bb@example.org", Some("a+2Bb@example.org")),
        ("\"a+20b\"@example.org", Some("\"a+20b\"@example.org")),
        ("", None),
        ("alice", None),
        ("<alice@example.org>", None),
        ("a+b@example.org", None),
        ("a=b@example.org", None),
        // Attack 11.
        ("a+0D+0A@example.org", None),
        ("\"a+0D+0AX-Evil:+201\"@example.org", None),
        ("\"a+00\"@example.org", None),
    ];
    check(|text| Submitter::parse(text, false), &cases);
    check(|text| Submitter::parse(text, true), &cases);
    check(|text| Submitter::parse(text, false), &[("j+C3+BC@x.org", None)]);
    check(
        |text| Submitter::parse(text, true),
        &[
            ("j+C3+BC@x.org", Some("j+C3+BC@x.org")),
            ("j+C3@x.org", None),
            ("j+E2+80+AE@x.org", None),
            ("j@x+C3+BC.org", Some("j@xn--x-eha.org")),
        ],
    );
    assert!(Submitter::parse(&[b'x'; MAX_SUBMITTER + 1], true).is_err());
}

#[test]
fn a_message_is_held_for_a_time_or_until_a_moment() {
    check(
        Hold::parse_for,
        &[
            ("1", Some("HOLDFOR=1")),
            ("999999999", Some("HOLDFOR=999999999")),
            ("", None),
            ("0", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("1000000000", None),
            ("1s", None),
        ],
    );
    check(
        Hold::parse_until,
        &[
            ("2026-11-28T17:00:00Z", Some("HOLDUNTIL=2026-11-28T17:00:00Z")),
            ("2026-11-28t17:00:00z", Some("HOLDUNTIL=2026-11-28T17:00:00Z")),
            (
                "2026-11-28T18:30:00+01:30",
                Some("HOLDUNTIL=2026-11-28T17:00:00Z"),
            ),
            ("2026-11-28T17:00:00.001Z", Some("HOLDUNTIL=2026-11-28T17:00:01Z")),
            ("", None),
            ("2026-11-28", None),
            ("2026-02-29T00:00:00Z", None),
            ("9999-12-31T23:59:59.5Z", None),
        ],
    );
    let accepted = Timestamp::from_secs(1000);
    let due = |hold: Result<Hold, ParameterError>| hold.unwrap().due(accepted).as_secs();
    assert_eq!(due(Hold::parse_for(b"60")), 1060);
    assert_eq!(due(Hold::parse_until(b"1970-01-01T00:20:00Z")), 1200);
    assert_eq!(due(Hold::parse_until(b"1970-01-01T00:10:00Z")), 1000);
}

#[test]
fn by_is_a_time_and_what_to_do_behind_it() {
    check(
        DeliverBy::parse,
        &[
            ("3600;R", Some("3600;R")),
            ("+3600;rt", Some("3600;RT")),
            ("-20;N", Some("-20;N")),
            ("0;NT", Some("0;NT")),
            ("999999999;R", Some("999999999;R")),
            ("", None),
            ("3600", None),
            (";R", None),
            ("-;N", None),
            ("+-1;N", None),
            ("1;", None),
            ("1;X", None),
            ("1;RX", None),
            ("1;RTT", None),
            ("0;R", None),
            ("-1;R", None),
            ("1000000000;R", None),
            ("1;R\r\n", None),
        ],
    );
}

#[test]
fn a_priority_has_one_digit() {
    check(
        MtPriority::parse,
        &[
            ("0", Some("0")),
            ("9", Some("9")),
            ("-9", Some("-9")),
            ("", None),
            ("-0", None),
            ("+1", None),
            ("10", None),
            ("-10", None),
            ("x", None),
        ],
    );
    assert!(postcard::from_bytes::<MtPriority>(&postcard::to_stdvec(&10_i8).unwrap()).is_err());
}

#[test]
fn options_print_as_parameters() {
    let mail = MailOptions {
        utf8: true,
        ret: Some(Return::Headers),
        envelope_id: EnvelopeId::parse(b"a+20b").ok(),
        submitter: Some(Submitter::Unknown),
        hold: Hold::parse_for(b"60").ok(),
        deliver_by: DeliverBy::parse(b"60;N").ok(),
        priority: MtPriority::parse(b"-3").ok(),
        require_tls: true,
    };
    let printed = "SMTPUTF8 RET=HDRS ENVID=a+20b AUTH=<> HOLDFOR=60 BY=60;N MT-PRIORITY=-3 REQUIRETLS";
    assert_eq!(mail.to_string(), printed);
    assert_eq!(MailOptions::default().to_string(), "");
    assert!(MailOptions::default().is_empty() && !mail.is_empty());
    let recipient = RecipientOptions {
        notify: Some(Notify::Never),
        original: OriginalRecipient::parse(b"rfc822;a@b").ok(),
    };
    assert_eq!(recipient.to_string(), "NOTIFY=NEVER ORCPT=rfc822;a@b");
    let octets = postcard::to_stdvec(&(mail.clone(), recipient.clone())).unwrap();
    assert_eq!(
        postcard::from_bytes::<(MailOptions, RecipientOptions)>(&octets).unwrap(),
        (mail, recipient)
    );
}

/// A record that was tampered with holds no value that could not have been said.
#[test]
fn no_record_holds_what_no_client_could_say() {
    for text in ["", "a b", "a+0A", &"x".repeat(101)] {
        let octets = postcard::to_stdvec(text).unwrap();
        assert!(postcard::from_bytes::<EnvelopeId>(&octets).is_err(), "{text}");
    }
    let octets = postcard::to_stdvec("rfc822;a+0D+0Ab").unwrap();
    assert!(postcard::from_bytes::<OriginalRecipient>(&octets).is_err());
}

/// Texts with the marks that matter, of any kind of value.
fn odd() -> impl Strategy<Value = Vec<u8>> {
    let mark = prop::sample::select(vec![
        "+0D",
        "+0A",
        "+00",
        "+",
        "=",
        ";",
        ",",
        "\\x{",
        "}",
        "rfc822;",
        "utf-8;",
        "0",
        "9",
        "-",
        "NEVER",
        "DELAY",
        "SUCCESS",
        "FULL",
        "R",
        "N",
        "T",
        "<>",
        "@",
        "\"",
        "\r",
        "\n",
        "\0",
        "\u{fc}",
        "\u{202e}",
        "2026-11-28T",
        "17:00:00",
        "Z",
        "a",
        "x.org",
    ])
    .prop_map(|mark| mark.as_bytes().to_vec());
    let octets = prop::collection::vec(any::<u8>(), 0..8);
    prop::collection::vec(prop_oneof![4 => mark, 1 => octets], 0..12).prop_map(|parts| parts.concat())
}

/// What is taken prints as what is taken for the same, in ASCII without anything that breaks a line.
fn round_trip<T: fmt::Display + fmt::Debug + PartialEq>(
    text: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, ParameterError>,
) -> Result<(), TestCaseError> {
    let Ok(value) = parse(text) else {
        return Ok(());
    };
    let printed = value.to_string();
    prop_assert!(
        printed.bytes().all(|octet| octet.is_ascii_graphic()),
        "{}",
        printed
    );
    let value_of = printed
        .strip_prefix("HOLDFOR=")
        .or_else(|| printed.strip_prefix("HOLDUNTIL="));
    prop_assert_eq!(parse(value_of.unwrap_or(&printed).as_bytes()).ok(), Some(value));
    Ok(())
}

proptest! {
    #[test]
    fn any_octets_are_a_value_that_comes_back_or_none(
        text in prop_oneof![odd(), prop::collection::vec(any::<u8>(), 0..600)],
    ) {
        round_trip(&text, Return::parse)?;
        round_trip(&text, EnvelopeId::parse)?;
        round_trip(&text, Notify::parse)?;
        round_trip(&text, OriginalRecipient::parse)?;
        round_trip(&text, |text| Submitter::parse(text, true))?;
        round_trip(&text, Hold::parse_for)?;
        round_trip(&text, Hold::parse_until)?;
        round_trip(&text, DeliverBy::parse)?;
        round_trip(&text, MtPriority::parse)?;
        let _ = Submitter::parse(&text, false);
    }

    #[test]
    fn any_printable_text_can_be_an_envid(text in "[ -~]{1,33}") {
        let written: String = text.bytes().map(|octet| format!("+{octet:02X}")).collect();
        let id = EnvelopeId::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(id.as_str(), text);
        prop_assert_eq!(EnvelopeId::parse(id.to_string().as_bytes()), Ok(id));
    }

    #[test]
    fn no_decoded_value_holds_a_control_character(text in "(rfc822|utf-8);([ -~]|\\+[0-9A-F]{2}|\\\\x\\{[0-9A-F]{2,4}\\}){1,20}") {
        if let Ok(original) = OriginalRecipient::parse(text.as_bytes()) {
            prop_assert!(!original.address().contains(char::is_control), "{:?}", original);
        }
    }

    #[test]
    fn an_address_can_be_a_submitter(local in "\\PC{1,16}") {
        if let Ok(address) = EmailAddress::parse_utf8(&format!("{local}@example.org")) {
            let submitter = Submitter::Address(address);
            prop_assert_eq!(Submitter::parse(submitter.to_string().as_bytes(), true), Ok(submitter));
        }
    }
}
