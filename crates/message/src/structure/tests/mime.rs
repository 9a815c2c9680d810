//! Whole messages and their parts.

use super::*;

#[track_caller]
fn check(message: &str, expected: &[&str], caveats: Caveats) -> Structure {
    let with_lf = scan(message.replace("\r\n", "\n").as_bytes());
    let structure = scan(message.as_bytes());
    assert_eq!(outline(&structure), expected);
    assert_eq!(structure.caveats, caveats);
    // Line ends of one octet change the octets and nothing else.
    assert_eq!(with_lf.caveats, caveats);
    assert_eq!(with_lf.envelope, structure.envelope);
    let shapes = |structure: &Structure| {
        structure
            .parts
            .iter()
            .map(|part| (part.depth, part.media.clone(), part.lines))
            .collect::<Vec<_>>()
    };
    assert_eq!(shapes(&with_lf), shapes(&structure));
    structure
}

const NONE: Caveats = Caveats::NONE;

#[test]
fn a_plain_message_is_one_leaf() {
    let structure = check(
        "Subject: Hi\r\n\r\nHello\r\nWorld\r\n",
        &["text/plain 14 2"],
        NONE,
    );
    assert_eq!((structure.header_octets(), structure.total_octets()), (15, 29));
    assert_eq!(structure.parts[0].parameters, [Parameter::us_ascii()]);
    check("\r\nHello", &["text/plain 5 0"], NONE);
    check("Subject: Hi\r\n\r\n", &["text/plain 0 0"], NONE);
    check("Subject: Hi\r\n", &["text/plain 0 0"], NONE);
    check("Subject: Hi", &["text/plain 0 0"], NONE);
    check("", &["text/plain 0 0"], NONE);
    check("\r\n", &["text/plain 0 0"], NONE);
}

#[test]
fn a_multipart_holds_what_lies_between_its_delimiters() {
    let structure = check(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\
         --b\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n--b--\r\nepilogue\r\n",
        &["multipart/mixed 78 11", " text/plain 3 0", " text/html 5 1"],
        NONE,
    );
    let parts = structure
        .parts
        .iter()
        .map(|part| (part.header_start, part.body_start, part.body_end));
    assert_eq!(
        parts.collect::<Vec<_>>(),
        [(0, 45, 123), (60, 62, 65), (72, 99, 104)]
    );
}

#[test]
fn a_delimiter_is_a_whole_line() {
    check(
        "Content-Type: multipart/mixed; boundary=\"a\"\r\n\r\n--a \t\r\n\r\n\
         --ab\r\nx--a\r\n --a\r\n-a\r\n-\r\n--\r\n--a-\r\n--a--x\r\n--a--  \r\n--a\r\n\r\nignored\r\n",
        &["multipart/mixed 77 14", " text/plain 41 7"],
        NONE,
    );
}

#[test]
fn a_boundary_may_hold_spaces() {
    check(
        "Content-Type: multipart/mixed; boundary=\" a b  \"\r\n\r\n--a b\r\n-- a b\r\n\r\n1\r\n-- a b-- \r\n--a b--",
        &["multipart/mixed 38 5", " text/plain 1 0"],
        NONE,
    );
}

#[test]
fn a_boundary_may_be_the_beginning_of_another() {
    let inner = |boundary: &str| {
        format!(
            "Content-Type: multipart/alternative; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\none\r\n\
             --{boundary}\r\n\r\ntwo\r\n--{boundary}--\r\n"
        )
    };
    for (outside, inside) in [("a", "ab"), ("ab", "a"), ("a", "a-"), ("a--", "a"), ("a", "A")] {
        let message = format!(
            "Content-Type: multipart/mixed; boundary={outside}\r\n\r\n--{outside}\r\n{}--{outside}\r\n\r\nthree\r\n\
             --{outside}--\r\n",
            inner(inside)
        );
        let structure = scan(message.as_bytes());
        let types = structure
            .parts
            .iter()
            .map(|part| (part.depth, part.media.as_str()));
        assert_eq!(
            types.collect::<Vec<_>>(),
            [
                (0, "multipart/mixed"),
                (1, "multipart/alternative"),
                (2, "text/plain"),
                (2, "text/plain"),
                (1, "text/plain")
            ],
            "{outside} around {inside}"
        );
    }
}

#[test]
fn an_outer_delimiter_ends_all_within() {
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         Subject: x\r\n\r\nbody\r\n--a\r\n\r\nlast\r\n--a--\r\n",
        &[
            "multipart/mixed 127 13",
            " multipart/mixed 55 5",
            "  message/rfc822 18 2",
            "   text/plain 4 0",
            " text/plain 4 0",
        ],
        Caveats::MULTIPART_UNENDED,
    );
}

#[test]
fn a_message_within_the_message_has_its_own_envelope() {
    let structure = check(
        "Subject: outside\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
         Content-Type: message/rfc822\r\n\r\nSubject: inside\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n--a\r\nSubject: no envelope\r\n\r\nx\r\n--a--\r\n",
        &[
            "multipart/mixed 169 18",
            " message/rfc822 91 9",
            "  multipart/mixed 29 6",
            "   text/plain 3 0",
            "   text/plain 3 0",
            " text/plain 1 0",
        ],
        NONE,
    );
    assert_eq!(structure.envelope.subject, Some("outside".into()));
    let PartKind::Message(inside) = &structure.parts[1].kind else {
        panic!("no message")
    };
    assert_eq!(inside.subject, Some("inside".into()));
    let section = |path: &[u32]| structure.section(path);
    assert_eq!(section(&[]), Some(0));
    assert_eq!(section(&[1]), Some(1));
    assert_eq!(section(&[1, 1]), Some(3));
    assert_eq!(section(&[1, 2]), Some(4));
    assert_eq!(section(&[2]), Some(5));
    for nothing in [
        [3, 0].as_slice(),
        &[0],
        &[3],
        &[1, 3],
        &[1, 0],
        &[1, 1, 1],
        &[2, 1],
        &[u32::MAX],
    ] {
        assert_eq!(section(nothing), None, "{nothing:?}");
    }
}

#[test]
fn sections_of_messages_without_multiparts() {
    let plain = Structure::of(b"\r\nHi");
    assert_eq!(
        (plain.section(&[1]), plain.section(&[2]), plain.section(&[1, 1])),
        (Some(0), None, None)
    );
    let forwarded = b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\n\r\nHi";
    let nested = scan(forwarded);
    assert_eq!(
        outline(&nested),
        ["message/rfc822 36 3", " message/rfc822 4 1", "  text/plain 2 0"]
    );
    assert_eq!(nested.section(&[1]), Some(0));
    assert_eq!(nested.section(&[1, 1]), Some(1));
    assert_eq!(nested.section(&[1, 1, 1]), Some(2));
    assert_eq!(nested.section(&[1, 1, 1, 1]), None);
}

#[test]
fn in_a_digest_messages_are_the_rule() {
    check(
        "Content-Type: multipart/digest; boundary=a\r\n\r\n--a\r\n\r\nSubject: x\r\n\r\nHi\r\n\
         --a\r\nContent-Type: text/html\r\n\r\n.\r\n--a--",
        &[
            "multipart/digest 65 9",
            " message/rfc822 16 2",
            "  text/plain 2 0",
            " text/html 1 0",
        ],
        NONE,
    );
}

#[test]
fn what_cannot_be_a_container_is_a_leaf() {
    let bad = Caveats::BAD_MULTIPART;
    check(
        "Content-Type: multipart/mixed\r\n\r\n--a\r\n",
        &["text/plain 5 1"],
        bad,
    );
    check(
        "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n",
        &["text/plain 4 1"],
        bad,
    );
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\nnothing\r\n",
        &["text/plain 9 1"],
        bad | Caveats::MULTIPART_UNENDED,
    );
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a--\r\n",
        &["text/plain 7 1"],
        bad,
    );
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n",
        &["text/plain 0 0"],
        bad,
    );
    check(
        "Content-Type: message/rfc822\r\n",
        &["application/octet-stream 0 0"],
        Caveats::BAD_MESSAGE,
    );
    check(
        "Content-Type: message/rfc822\r\n\r\n",
        &["message/rfc822 0 0", " text/plain 0 0"],
        NONE,
    );
    check(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n",
        &["application/octet-stream 6 1"],
        Caveats::BAD_MESSAGE,
    );
    let boundary = "x".repeat(MAX_BOUNDARY);
    let message =
        |boundary| format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n--{boundary}\r\n\r\n");
    assert_eq!(scan(message(boundary.clone()).as_bytes()).parts.len(), 2);
    assert_eq!(scan(message(boundary + "x").as_bytes()).caveats, bad);
}

#[test]
fn a_part_may_lack_header_and_body() {
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a\r\nContent-Type: text/html\r\n--a\r\n\r\n--a--",
        &[
            "multipart/mixed 47 5",
            " text/plain 0 0",
            " text/html 0 0",
            " text/plain 0 0",
        ],
        NONE,
    );
}

#[test]
fn a_boundary_may_be_written_as_an_extended_parameter() {
    for boundary in [
        "boundary*=us-ascii'en'a%2Db",
        "boundary*0=a; boundary*1=\"-b\"",
        "boundary*1*=b; boundary*0=\"a-\"; boundary*3=x",
        "boundary*0*=''%61; boundary*1*=%2db",
        "boundary=a-b; boundary*=''c",
    ] {
        let structure = scan(
            format!("Content-Type: multipart/mixed; {boundary}\r\n\r\n--a-b\r\n\r\n1\r\n--a-b--").as_bytes(),
        );
        assert_eq!(structure.parts.len(), 2, "{boundary}");
    }
    for boundary in ["boundary*1=a-b", "boundary*=", "boundary*0*=''%"] {
        let structure =
            scan(format!("Content-Type: multipart/mixed; {boundary}\r\n\r\n--a-b\r\n\r\n").as_bytes());
        assert!(structure.caveats.contains(Caveats::BAD_MULTIPART), "{boundary}");
    }
}

#[test]
fn where_the_empty_line_was_forgotten_the_body_is_found() {
    let bad = Caveats::BAD_HEADER_LINE;
    let mixed = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";
    let root = "multipart/mixed";
    // A part without any header.
    let message = format!("{mixed}--a\r\nHello\r\n\r\nWorld: x\r\n--a--");
    let structure = check(&message, &[&format!("{root} 29 4"), " text/plain 17 2"], bad);
    assert_eq!(structure.parts[1].header_start, structure.parts[1].body_start);
    // Text directly behind the fields.
    let message = format!("{mixed}--a\r\nContent-Type: text/html\r\nHello\r\nWorld: x\r\n--a--");
    check(&message, &[&format!("{root} 52 4"), " text/html 15 1"], bad);
    let message = format!("{mixed}--a\r\nContent-Type: text/html\r\nHello\r\n\r\nWorld\r\n--a--");
    check(&message, &[&format!("{root} 51 5"), " text/html 14 2"], bad);
    // A message within the message has a header of its own to begin with.
    let message =
        format!("{mixed}--a\r\nContent-Type: message/rfc822\r\nHello\r\n\r\nA: x\r\n\r\nHi\r\n--a--");
    check(
        &message,
        &[
            &format!("{root} 61 7"),
            " message/rfc822 10 2",
            "  text/plain 2 0",
        ],
        bad,
    );
    let structure = check("Subject: x\r\nHello\r\nFrom: a@x\r\n", &["text/plain 18 2"], bad);
    assert_eq!(structure.header_octets(), 12);
    assert_eq!(structure.envelope.from.len(), 1);
    check("Subject: x\r\nHello\r\nWorld\r\n", &["text/plain 14 2"], bad);
    // With the empty line, a stray line is only that.
    check("Subject: x\r\nHello\r\n\r\nWorld", &["text/plain 5 0"], bad);
    check(
        "From a@x Mon\r\nSubject: x\r\n\r\nWorld",
        &["text/plain 5 0"],
        bad,
    );
    // A container cannot begin so.
    check(
        "Content-Type: multipart/mixed; boundary=a\r\n--a\r\n",
        &["text/plain 5 1"],
        bad | Caveats::BAD_MULTIPART,
    );
}

#[test]
fn line_ends_may_be_mixed() {
    let structure =
        scan(b"Content-Type: multipart/mixed;\n boundary=a\r\n\n--a\r\n\n1\n--a\n\r\n2\r\n\r\n--a--\n");
    assert_eq!(
        outline(&structure),
        ["multipart/mixed 25 8", " text/plain 1 0", " text/plain 3 1"]
    );
    // A bare CR ends no line.
    let structure = scan(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nx\r--a\r\n--a--\r");
    assert_eq!(outline(&structure), ["multipart/mixed 20 3", " text/plain 5 0"]);
}

#[test]
fn an_entity_ends_no_earlier_than_what_it_holds() {
    let structure = check(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n\
         --i\r\nX: y\r\n\r\n--o--\r\n",
        &[
            "multipart/mixed 70 7",
            " multipart/mixed 13 3",
            "  text/plain 0 0",
        ],
        Caveats::MULTIPART_UNENDED,
    );
    let [_, inner, leaf] = &structure.parts[..] else {
        panic!("{structure:?}")
    };
    assert_eq!((leaf.body_start, leaf.body_end), (inner.body_end, inner.body_end));
}
