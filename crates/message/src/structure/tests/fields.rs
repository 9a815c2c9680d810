//! Fields of a header, one by one.

use super::*;

fn part(header: &str) -> Part {
    scan(format!("{header}\r\n\r\n").as_bytes()).parts.remove(0)
}

#[test]
fn content_types_are_read_as_they_are_written() {
    let check = |value: &str, media: &str, parameters: &[(&str, &str)]| {
        let part = part(&format!("Content-Type: {value}"));
        assert_eq!(part.media.as_str(), media, "{value}");
        let shown: Vec<_> = part
            .parameters
            .iter()
            .map(|p| (p.name.to_string(), p.value.to_string()))
            .collect();
        let shown: Vec<_> = shown
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(shown, parameters, "{value}");
    };
    check("text/plain", "text/plain", &[]);
    check("Text/HTML; Charset=UTF-8", "text/html", &[("charset", "UTF-8")]);
    check(
        "text/plain; charset=us-ascii (Plain text)",
        "text/plain",
        &[("charset", "us-ascii")],
    );
    check(
        "text/plain; charset=\"us-ascii\"",
        "text/plain",
        &[("charset", "us-ascii")],
    );
    check(
        "(c) image (a(b)) / (c) png (d) ; (e) name (f) = (g) x (h)",
        "image/png",
        &[("name", "x")],
    );
    check(
        "image/png; name=my file.png; x=y",
        "image/png",
        &[("name", "my file.png"), ("x", "y")],
    );
    check(
        "image/png; name=\"a;b\\\"c\"; x=y",
        "image/png",
        &[("name", "a;b\"c"), ("x", "y")],
    );
    check(
        "image/png; name*0*=utf-8''a; name*1=b",
        "image/png",
        &[("name*0*", "utf-8''a"), ("name*1", "b")],
    );
    check(
        "image/png;; ; =x; a; b=; c=\"",
        "image/png",
        &[("b", ""), ("c", "")],
    );
    check(
        "image/png\r\n\t;\r\n name=\"a\r\n b\"",
        "image/png",
        &[("name", "a b")],
    );
    check("image/svg+xml", "image/svg+xml", &[]);
    check("text/plain charset=utf-8; a=b", "text/plain", &[("a", "b")]);
    let default = [("charset", "us-ascii")];
    for value in [
        "",
        "text",
        "text/",
        "/plain",
        "text plain",
        "te\u{fc}xt/plain",
        "\"text\"/plain",
        "((((text/html",
    ] {
        check(value, "text/plain", &default);
    }
    assert!(
        scan(b"Content-Type: text\r\n\r\n")
            .caveats
            .contains(Caveats::BAD_CONTENT_TYPE)
    );
}

#[test]
fn the_other_fields_of_mime_are_kept() {
    let part = part(
        "Content-ID: <1@x>\r\nContent-Description:  a  picture \r\nContent-Transfer-Encoding: BASE64 (x)\r\n\
         Content-Disposition: Attachment; FileName=\"a b.png\"\r\nContent-Language: en, (x) de-CH,,fr\r\n\
         Content-Location: http://x/\r\n y\r\nContent-MD5: Q2hlY2s=\r\nContent-ID: <2@x>",
    );
    assert_eq!(part.id, Some("<1@x>".into()));
    assert_eq!(part.description, Some("a  picture".into()));
    assert_eq!(part.encoding, Encoding::Base64);
    let disposition = part.disposition.unwrap();
    assert_eq!(disposition.kind, "attachment");
    assert_eq!(
        disposition.parameters,
        [Parameter {
            name: "filename".into(),
            value: "a b.png".into()
        }]
    );
    assert_eq!(part.language, ["en", "de-CH", "fr"]);
    assert_eq!(part.location, Some("http://x/ y".into()));
    assert_eq!(part.md5, Some("Q2hlY2s=".into()));
}

#[test]
fn encodings_are_known_by_name() {
    let check = |value: &str, expected: Encoding| {
        assert_eq!(
            part(&format!("Content-Transfer-Encoding: {value}")).encoding,
            expected,
            "{value}"
        );
    };
    check("7bit", Encoding::SevenBit);
    check("8BIT", Encoding::EightBit);
    check("binary", Encoding::Binary);
    check("quoted-printable", Encoding::QuotedPrintable);
    check("(c) base64;", Encoding::Base64);
    check("x-uuencode", Encoding::Other("x-uuencode".into()));
    check("", Encoding::SevenBit);
    let twice = "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: binary\r\nContent-Language: en\r\nContent-Language: de";
    assert_eq!(part(twice).encoding, Encoding::Base64);
    assert_eq!(part(twice).language, ["en"]);
    let twice = "Content-Disposition: inline\r\nContent-Disposition: attachment";
    assert_eq!(part(twice).disposition.unwrap().kind, "inline");
    assert_eq!(part("Content-Disposition: ;a=b").disposition, None);
    assert_eq!(Encoding::Other("x-uu".into()).as_bytes(), b"x-uu");
}

#[test]
fn the_texts_of_the_envelope_stand_as_they_are() {
    let envelope = scan(
        b"date: Mon, 23 Nov 2026\r\n 20:15:52 +0000\r\nSUBJECT : =?utf-8?q?h=C3=BC?=\r\n\t=?utf-8?q?h?= \r\n\
          In-Reply-To:\r\nMessage-Id: <1@x>\r\nSubject: another\r\nX-Subject: no\r\n\r\n",
    )
    .envelope;
    assert_eq!(envelope.date, Some("Mon, 23 Nov 2026 20:15:52 +0000".into()));
    assert_eq!(
        envelope.subject,
        Some("=?utf-8?q?h=C3=BC?=\t=?utf-8?q?h?=".into())
    );
    assert_eq!(envelope.in_reply_to, Some("".into()));
    assert_eq!(envelope.message_id, Some("<1@x>".into()));
    let raw = scan(b"Subject: a\0b\xff\rc\r\n\r\n").envelope.subject.unwrap();
    assert_eq!(raw.as_bytes(), b"ab\xffc");
    assert_eq!(raw.to_string(), "ab\u{fffd}c");
    assert_eq!(scan(b"\r\n").envelope, ImapEnvelope::default());
}

#[test]
fn a_line_that_is_no_field_is_skipped() {
    let structure =
        scan(b"From x@y Mon Nov 23\r\n folded\r\nSubject: a\r\nrubbish\r\n b\r\nDate: now\r\n\r\nbody");
    assert_eq!(structure.caveats, Caveats::BAD_HEADER_LINE);
    assert_eq!(structure.envelope.subject, Some("a".into()));
    assert_eq!(structure.envelope.date, Some("now".into()));
    assert_eq!(structure.parts[0].octets(), 4);
}

#[test]
fn caveats_say_what_is_missing() {
    let both = Caveats::TOO_DEEP | Caveats::BAD_MULTIPART;
    assert_eq!(format!("{both}"), "too deep, bad multipart");
    assert_eq!(format!("{:?}", Caveats::NONE), "Caveats()");
    assert!(both.is_truncated() && both.contains(Caveats::TOO_DEEP) && !both.contains(Caveats::FULL));
    assert!(!Caveats::BAD_MULTIPART.is_truncated() && Caveats::NONE.is_empty() && !both.is_empty());
}

#[test]
fn records_and_readers_see_the_same() {
    let text = RawText::new(b" \xff a ");
    assert_eq!(
        postcard::from_bytes::<RawText>(&postcard::to_stdvec(&text).unwrap()).unwrap(),
        text
    );
    assert_eq!(
        serde_json::to_string(&RawText::from("a\"b")).unwrap(),
        "\"a\\\"b\""
    );
    assert_eq!(serde_json::from_str::<RawText>("\"ab\"").unwrap(), "ab");
    let plain = Structure::of(b"Subject: Hi\r\nFrom: Joe <joe@x.org>\r\n\r\nHello\r\n");
    assert!(postcard::to_stdvec(&plain).unwrap().len() < 100);
}
