use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::offers::FutureRelease;

fn everything() -> Offers {
    Offers {
        utf8: true,
        binary_mime: true,
        dsn: true,
        future_release: Some(FutureRelease {
            max_interval: Duration::from_secs(604_800),
            max_until: Timestamp::from_secs(1_800_000_000),
        }),
        deliver_by: Some(Duration::from_secs(600)),
        mt_priority: true,
        require_tls: true,
    }
}

fn grammar(offers: &Offers) -> Grammar<'_> {
    Grammar {
        offers,
        extended: true,
        encrypted: true,
        auth: true,
        utf8: false,
    }
}

/// What a text behind a path is taken for, printed.
fn mail(text: &str, grammar: Grammar<'_>) -> Result<String, Reply> {
    Parameters::parse(text.as_bytes(), grammar).map(|parameters| parameters.options.to_string())
}

fn rcpt(text: &str, grammar: Grammar<'_>) -> Result<String, Reply> {
    of_recipient(text.as_bytes(), grammar).map(|options| options.to_string())
}

#[test]
fn what_is_offered_is_taken_in_any_order_and_case() {
    let offers = everything();
    for (text, expected) in [
        (" ret=hdrs envid=QQ314159", "RET=HDRS ENVID=QQ314159"),
        (" AUTH=<> SMTPUTF8", "SMTPUTF8 AUTH=<>"),
        (" AUTH=j+C3+BC@x.org SMTPUTF8", "SMTPUTF8 AUTH=j+C3+BC@x.org"),
        (" AUTH=a+2Bb@x.org SIZE=10", "AUTH=a+2Bb@x.org"),
        (" HOLDFOR=604800", "HOLDFOR=604800"),
        (
            " HOLDUNTIL=2027-01-15T09:00:00+01:00",
            "HOLDUNTIL=2027-01-15T08:00:00Z",
        ),
        (" BY=600;R", "BY=600;R"),
        (" BY=-10;NT", "BY=-10;NT"),
        (" MT-PRIORITY=-9 REQUIRETLS", "MT-PRIORITY=-9 REQUIRETLS"),
        (" BODY=BINARYMIME", ""),
        ("", ""),
    ] {
        assert_eq!(mail(text, grammar(&offers)).as_deref(), Ok(expected), "{text}");
    }
    for (text, expected) in [
        (" NOTIFY=never", "NOTIFY=NEVER"),
        (
            " ORCPT=rfc822;a+2Bb@x NOTIFY=DELAY,SUCCESS",
            "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+2Bb@x",
        ),
        ("  ", ""),
    ] {
        assert_eq!(rcpt(text, grammar(&offers)).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_offered_is_unknown() {
    let nothing = Offers::default();
    let bare = Grammar {
        auth: false,
        ..grammar(&nothing)
    };
    for text in [
        " SMTPUTF8",
        " BODY=BINARYMIME",
        " RET=FULL",
        " ENVID=x",
        " AUTH=<>",
        " HOLDFOR=1",
        " HOLDUNTIL=2026-01-01T00:00:00Z",
        " BY=600;R",
        " MT-PRIORITY=1",
        " REQUIRETLS",
        " NOTIFY=NEVER",
        " ORCPT=rfc822;a@x",
        " XYZZY=1",
        " =",
    ] {
        assert_eq!(mail(text, bare), Err(table::UNKNOWN_PARAMETER), "{text}");
        assert_eq!(rcpt(text, bare), Err(table::UNKNOWN_PARAMETER), "{text}");
    }
    let offers = everything();
    // What belongs to the other command.
    assert_eq!(
        mail(" NOTIFY=NEVER", grammar(&offers)),
        Err(table::UNKNOWN_PARAMETER)
    );
    assert_eq!(rcpt(" RET=FULL", grammar(&offers)), Err(table::UNKNOWN_PARAMETER));
    assert_eq!(rcpt(" SMTPUTF8", grammar(&offers)), Err(table::UNKNOWN_PARAMETER));
    // RFC 8689 §2: not in the clear.
    let clear = Grammar {
        encrypted: false,
        ..grammar(&offers)
    };
    assert_eq!(mail(" REQUIRETLS", clear), Err(table::UNKNOWN_PARAMETER));
    // HELO.
    let plain = Grammar {
        extended: false,
        ..grammar(&offers)
    };
    for text in [" SIZE=1", " BODY=7BIT", " SMTPUTF8", " RET=FULL"] {
        assert_eq!(mail(text, plain), Err(table::UNKNOWN_PARAMETER), "{text}");
    }
    assert_eq!(rcpt(" NOTIFY=NEVER", plain), Err(table::UNKNOWN_PARAMETER));
    assert_eq!(mail(" ", plain).as_deref(), Ok(""));
}

#[test]
fn what_is_wrong_or_given_twice_is_refused() {
    let offers = everything();
    for text in [
        "SMTPUTF8",
        " SMTPUTF8=1",
        " SMTPUTF8 SMTPUTF8",
        " REQUIRETLS=YES",
        " REQUIRETLS REQUIRETLS",
        " BODY=7BIT BODY=8BITMIME",
        " RET",
        " RET=",
        " RET=ALL",
        " RET=FULL RET=HDRS",
        " ENVID=",
        " ENVID=a ENVID=a",
        " ENVID=a+0D+0AX:+201",
        " AUTH=",
        " AUTH=<> AUTH=<>",
        " AUTH=j+C3+BC@x.org",
        " AUTH=\"a+0D+0A\"@x.org SMTPUTF8",
        " HOLDFOR=0",
        " HOLDFOR=604801",
        " HOLDFOR=1 HOLDFOR=1",
        " HOLDFOR=1 HOLDUNTIL=2026-01-01T00:00:00Z",
        " HOLDUNTIL=2027-01-15T08:00:01Z",
        " HOLDUNTIL=soon",
        " BY=599;R",
        " BY=0;R",
        " BY=600;R BY=600;R",
        " MT-PRIORITY=10",
        " MT-PRIORITY=1 MT-PRIORITY=1",
    ] {
        assert_eq!(mail(text, grammar(&offers)), Err(table::BAD_ARGUMENT), "{text}");
    }
    for text in [
        "NOTIFY=NEVER",
        " NOTIFY",
        " NOTIFY=",
        " NOTIFY=NEVER,DELAY",
        " NOTIFY=NEVER NOTIFY=NEVER",
        " NOTIFY=DELAY\r\nRCPT",
        " ORCPT=a@x",
        " ORCPT=rfc822;a+0Ab@x",
        " ORCPT=rfc822;a@x ORCPT=rfc822;a@x",
        " ORCPT=utf-8;j\u{fc}rgen@x",
    ] {
        assert_eq!(rcpt(text, grammar(&offers)), Err(table::BAD_ARGUMENT), "{text}");
    }
    let utf8 = Grammar {
        utf8: true,
        ..grammar(&offers)
    };
    let taken = rcpt(" ORCPT=utf-8;j\u{fc}rgen@x", utf8);
    assert_eq!(taken.as_deref(), Ok("ORCPT=utf-8;j\\x{FC}rgen@x"));
}

proptest! {
    /// What is printed is taken for the same, and holds nothing that could end a command.
    #[test]
    fn what_is_taken_comes_back(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "SMTPUTF8", "RET=FULL", "ENVID=a+20b", "AUTH=<>", "AUTH=u+2B@x", "HOLDFOR=60", "BY=700;RT",
                    "MT-PRIORITY=3", "REQUIRETLS", "NOTIFY=NEVER", "ORCPT=rfc822;a+40b", "SIZE=10",
                ]).prop_map(str::to_owned),
                "(ENVID|AUTH|ORCPT|NOTIFY|BY|HOLDUNTIL)=[ -~\r\n]{0,20}",
            ],
            0..4,
        ),
    ) {
        let text: String = words.iter().map(|word| format!(" {word}")).collect();
        let offers = everything();
        let grammar = grammar(&offers);
        if let Ok(parameters) = Parameters::parse(text.as_bytes(), grammar) {
            let printed = parameters.options.to_string();
            prop_assert!(printed.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{}", printed);
            let again = Parameters::parse(format!(" {printed}").as_bytes(), grammar);
            prop_assert_eq!(again.map(|again| again.options), Ok(parameters.options));
        }
        if let Ok(options) = of_recipient(text.as_bytes(), grammar) {
            let printed = options.to_string();
            prop_assert!(printed.bytes().all(|octet| matches!(octet, b' '..=b'~')), "{}", printed);
            prop_assert_eq!(of_recipient(format!(" {printed}").as_bytes(), grammar), Ok(options));
        }
    }

    #[test]
    fn any_octets_are_parameters_or_none(text: Vec<u8>) {
        let offers = everything();
        let _ = Parameters::parse(&text, grammar(&offers));
        let _ = of_recipient(&text, Grammar { utf8: true, ..grammar(&offers) });
    }
}
