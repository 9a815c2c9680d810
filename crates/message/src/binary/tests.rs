use base64ct::Encoding as _;
use proptest::prelude::*;

use super::*;
use crate::structure::{Encoding, PartKind, Structure};

/// What a message becomes, and how many of its parts are base64 then.
fn convert(message: &[u8], chunk: usize) -> Result<(Vec<u8>, usize), BinaryFault> {
    let mut converter = BinaryConverter::new();
    let mut out = Vec::new();
    for piece in message.chunks(chunk) {
        converter.feed(piece, &mut out)?;
    }
    let encoded = converter.finish(&mut out)?;
    Ok((out, encoded))
}

fn check(message: &[u8], expected: Result<(&str, usize), BinaryFault>) {
    for chunk in (1..=message.len().clamp(1, 200)).chain([message.len() + 1]) {
        let found = convert(message, chunk);
        let found = found.map(|(text, encoded)| (String::from_utf8(text).unwrap(), encoded));
        let found = found.as_ref().map(|(text, encoded)| (text.as_str(), *encoded));
        assert_eq!(
            found.map_err(|fault| *fault),
            expected,
            "{:?} in chunks of {chunk}",
            message.escape_ascii().to_string()
        );
    }
}

/// The contents of all leaves, decoded where they are base64.
fn contents(message: &[u8]) -> Vec<Vec<u8>> {
    let structure = Structure::of(message);
    assert!(!structure.caveats.is_truncated(), "{:?}", structure.caveats);
    let leaves = structure.parts.iter().filter(|part| part.kind == PartKind::Leaf);
    leaves
        .map(|leaf| {
            let place = |octets: u64| usize::try_from(octets).unwrap();
            let body = &message[place(leaf.body_start)..place(leaf.body_end)];
            if leaf.encoding != Encoding::Base64 {
                return body.to_vec();
            }
            assert!(body.split(|octet| *octet == b'\n').all(|line| line.len() <= 77));
            let text: Vec<u8> = body
                .iter()
                .copied()
                .filter(|octet| !b"\r\n".contains(octet))
                .collect();
            base64ct::Base64::decode_vec(std::str::from_utf8(&text).unwrap()).unwrap()
        })
        .collect()
}

const CTE: &str = "Content-Transfer-Encoding";

#[test]
fn a_message_of_one_part() {
    let simple = |body: &[u8], expected: &str| {
        let header = "Subject: x\r\nContent-transfer-encoding: BINARY (so)\r\nX: y\r\n";
        let expected = format!("Subject: x\r\nX: y\r\n{CTE}: base64\r\n\r\n{expected}");
        check(&[header.as_bytes(), b"\r\n", body].concat(), Ok((&*expected, 1)));
    };
    simple(b"", "");
    simple(b"a", "YQ==\r\n");
    simple(b"\r\n", "DQo=\r\n");
    simple(b"a\r\n\r\n", "YQ0KDQo=\r\n");
    simple(b"\r\r\n\n\0\r", "DQ0KCgAN\r\n");
    simple(b"--x\r\n--", "LS14DQotLQ==\r\n");
    let full = "MDAw".repeat(19) + "\r\n";
    simple(&[b'0'; 57], &full);
    simple(&[b'0'; 58], &(full.clone() + "MA==\r\n"));
    simple(&[b'0'; 114], &full.repeat(2));
    // Without a body there is nothing to convert.
    check(
        format!("{CTE}: binary").as_bytes(),
        Ok((&*format!("{CTE}: base64\r\n"), 0)),
    );
}

#[test]
fn what_is_not_binary_stays_as_it_is() {
    for message in [
        "",
        "\r\n",
        "Subject: x\r\n\r\nbody\r\n\r\n.\r\n--b\r\n",
        "X: y\r\n\ty\r\nContent-Transfer-Encoding:\r\n 8bit\r\nZ: z\r\n\r\n\0\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--a\r\n--b\r\n\r\n\r\n--b\r\n--b--\r\n--b\r\n",
    ] {
        check(message.as_bytes(), Ok((message, 0)));
    }
    check(b"X: y\r\n\r\nz", Ok(("X: y\r\n\r\nz\r\n", 0)));
    check(b"X: y", Ok(("X: y\r\n", 0)));
}

#[test]
fn parts_are_found() {
    let multipart = |kind: &str, encoding: &str, between: &str| {
        format!(
            "Content-Type: multipart/{kind}; boundary=\"b 1\"\r\n{CTE}: {encoding}\r\n\r\n\
             preamble\r\n--b 1\r\n{between}\r\n--b 1--\r\nepilogue\r\n"
        )
    };
    let whole = |message: &str, expected: &str, encoded| check(message.as_bytes(), Ok((expected, encoded)));
    // The line end before a delimiter is the delimiter's, and only CRLF is one.
    whole(
        &multipart(
            "mixed",
            "binary",
            &format!("{CTE}: binary\r\n\r\na\n--b 1\n\r\n--b 1\r\r\n\r\n--b 1 \r\n\r\nb\r\n"),
        ),
        &multipart(
            "mixed",
            "8bit",
            &format!("{CTE}: base64\r\n\r\nYQotLWIgMQoNCi0tYiAxDQ0K\r\n--b 1 \r\n\r\nb\r\n"),
        ),
        1,
    );
    // Messages and multiparts in multiparts, also where the outer one claims to be text.
    let inner = |encoding: &str, leaf: &str| {
        multipart(
            "digest",
            "7bit",
            &format!(
                "\r\nContent-Type: message/rfc822\r\n{CTE}: {encoding}\r\n\r\n\
                 Subject: in\r\n{leaf}\r\n--b 1\r\n\r\nX: y\r\n\r\nz"
            ),
        )
    };
    whole(
        &inner("binary", &format!("{CTE}: binary\r\n\r\n\n")),
        &inner("8bit", &format!("{CTE}: base64\r\n\r\nCg==")),
        1,
    );
    // What cannot be gone through is lines, or nothing.
    for header in ["Content-Type: message/partial", "Content-Type: multipart/mixed"] {
        whole(
            &format!("{header}\r\n{CTE}: binary\r\n\r\na\r\n"),
            &format!("{header}\r\n{CTE}: 8bit\r\n\r\na\r\n"),
            0,
        );
        check(
            format!("{header}\r\n{CTE}: binary\r\n\r\na\n").as_bytes(),
            Err(BinaryFault::BareLineEnd),
        );
    }
}

#[test]
fn a_message_that_cannot_be_followed_is_refused() {
    let refused = |message: &str, why| check(message.as_bytes(), Err(why));
    // Attack 9: where only CRLF is a line end a bare one forms no header.
    for message in [
        "X: y\rFrom: z\r\n\r\n",
        "X: y\nFrom: z\r\n\r\n",
        "\n",
        "\r\nbody\n",
        "\r\nbody\r",
        "\r\nbo\rdy\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\n\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\r--b--\r\n",
        "Content-Transfer-Encoding: base64\r\n\r\nYQ==\n",
        "Content-Transfer-Encoding: x-binary\r\n\r\n\n",
    ] {
        refused(message, BinaryFault::BareLineEnd);
    }
    for message in [
        "body\r\n\r\n",
        " X: y\r\n\r\n",
        "Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: binary\r\n\r\n",
        "Content-Type: text/plain\r\nContent-Type : multipart/mixed; boundary=b\r\n\r\n",
    ] {
        refused(message, BinaryFault::MalformedHeader);
    }
    let nested = "Content-Type: message/rfc822\r\n\r\n";
    assert!(convert(nested.repeat(MAX_DEPTH).as_bytes(), 1000).is_ok());
    assert_eq!(
        convert(nested.repeat(MAX_DEPTH + 1).as_bytes(), 1000),
        Err(BinaryFault::TooDeep)
    );
    let parts = |number| {
        let header = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
        convert((header + &"--b\r\n\r\n".repeat(number)).as_bytes(), 1000)
    };
    assert!(parts(MAX_PARTS - 1).is_ok());
    assert_eq!(parts(MAX_PARTS), Err(BinaryFault::TooManyParts));
    let line = |length: usize| convert(format!("X: {}\r\n\r\n", "y".repeat(length)).as_bytes(), 999);
    assert!(line(65_533).is_ok());
    assert_eq!(line(65_534), Err(BinaryFault::HeaderTooLarge));
    assert_eq!(
        convert("X: y\r\n".repeat(100_000).as_bytes(), 1000),
        Err(BinaryFault::HeaderTooLarge)
    );
}

/// A part, and the contents of the leaves in it.
type Tree = (Vec<u8>, Vec<Vec<u8>>);

fn leaf() -> impl Strategy<Value = Tree> {
    let binary = proptest::collection::vec(
        prop_oneof![
            Just(b"\r".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\r\n--b".to_vec()),
            Just(b"\r\n--b1 x\r\n".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..70),
        ],
        0..6,
    );
    let text = proptest::collection::vec("(--b1x|[ -~]{0,20})\r\n", 0..4);
    prop_oneof![
        binary.prop_map(|pieces| {
            let body = pieces.concat();
            (
                [b"Content-Transfer-Encoding: binary\r\n\r\n", &*body].concat(),
                vec![body],
            )
        }),
        text.prop_map(|lines| {
            let body = lines.concat().into_bytes();
            ([b"X: y\r\n\r\n", &*body].concat(), vec![body])
        }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(3, 12, 3, |part| {
        let boundary = "b[1-9]{8}";
        let multipart = (boundary, proptest::collection::vec(part.clone(), 1..4));
        let multipart = multipart.prop_map(|(boundary, parts): (String, Vec<Tree>)| {
            let mut text =
                format!("Content-Type: multipart/mixed; boundary={boundary}\r\n{CTE}: binary\r\n\r\n");
            let mut text = std::mem::take(&mut text).into_bytes();
            let mut leaves = Vec::new();
            for (part, found) in parts {
                text.extend(format!("--{boundary}\r\n").as_bytes());
                text.extend(part);
                text.extend(b"\r\n");
                leaves.extend(found);
            }
            text.extend(format!("--{boundary}--\r\n").as_bytes());
            (text, leaves)
        });
        let message = part.prop_map(|(text, leaves)| {
            let header = format!("Content-Type: message/rfc822\r\n{CTE}: binary\r\n\r\n");
            ([header.as_bytes(), &text].concat(), leaves)
        });
        prop_oneof![3 => multipart, 1 => message]
    })
}

proptest! {
    #[test]
    fn every_octet_is_found_again((message, leaves) in tree(), chunk in 1_usize..100) {
        let (text, _) = convert(&message, chunk).unwrap();
        prop_assert_eq!(&text, &convert(&message, 1 << 20).unwrap().0);
        prop_assert_eq!(contents(&text), leaves);
        is_legal(&text)?;
        // And there is nothing left to do.
        prop_assert_eq!(convert(&text, chunk), Ok((text, 0)));
    }

    #[test]
    fn arbitrary_octets_are_converted_somehow(message: Vec<u8>, chunk in 1_usize..9) {
        prop_assert_eq!(convert(&message, chunk), convert(&message, 1 << 20));
    }

    #[test]
    fn arbitrary_structure_is_converted_somehow(
        pieces in proptest::collection::vec(prop_oneof![
            8 => "(\r|\n|\r\n|--b|--|a|:| )",
            2 => "(\r\n\r\n|\r\n--b\r\n|\r\n--b--\r\n)",
            2 => "(content-type:(multipart/x;boundary=b|message/rfc822|text/x|x)|content-transfer-encoding:binary)\r\n",
        ], 0..40),
        chunk in 1_usize..30,
    ) {
        let message = pieces.concat();
        let converted = convert(message.as_bytes(), chunk);
        prop_assert_eq!(&converted, &convert(message.as_bytes(), 1 << 20));
        if let Ok((text, _)) = converted {
            is_legal(&text)?;
            let structure = Structure::of(&text);
            prop_assert!(structure.parts.iter().all(|part| part.encoding != Encoding::Binary));
        }
    }
}

/// Whether a text is lines and nothing else.
fn is_legal(text: &[u8]) -> Result<(), TestCaseError> {
    let text: Vec<u8> = text.to_vec();
    let mut lines = text.split(|octet| *octet == b'\n').peekable();
    while let Some(line) = lines.next() {
        let ends = lines.peek().is_some();
        let content = line.strip_suffix(b"\r");
        prop_assert_eq!(content.is_some(), ends, "a line without its end");
        prop_assert!(!content.unwrap_or(line).contains(&b'\r'));
    }
    Ok(())
}
