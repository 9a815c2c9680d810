//! Random messages: what is written is found again, and octets without sense do no harm.

use proptest::prelude::*;

use super::*;

/// A message to be written.
#[derive(Debug, Clone)]
enum Tree {
    Leaf(String),
    Multipart {
        preamble: String,
        children: Vec<Tree>,
        epilogue: Option<String>,
    },
    Message(Box<Tree>),
}

/// Lines that look as much like delimiters as bodies may.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-z]{0,5}",
        "-{0,3}",
        "--b[0-9]{0,2}x",
        "--b[0-9]?-",
        "--c",
        "Content-Type: text/html",
        " --b1"
    ];
    proptest::collection::vec(line, 0..5).prop_map(|lines| lines.join("\n"))
}

fn tree() -> impl Strategy<Value = Tree> {
    text().prop_map(Tree::Leaf).prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            (
                text(),
                proptest::collection::vec(inner.clone(), 1..5),
                proptest::option::of(text())
            )
                .prop_map(|(preamble, children, epilogue)| Tree::Multipart {
                    preamble,
                    children,
                    epilogue
                }),
            inner.prop_map(|tree| Tree::Message(Box::new(tree))),
        ]
    })
}

/// What is expected of a part: depth, media type, body; the body of leaves only.
type Expected = Vec<(u8, &'static str, Option<String>)>;

impl Tree {
    /// Writes the entity and notes what should be found. Boundaries are `b1`, `b12`, `b123`, …: each begins as all
    /// outer ones do.
    fn write(&self, depth: u8, boundary: &str, to: &mut String, expected: &mut Expected) {
        match self {
            Self::Leaf(body) => {
                to.push_str("X-Leaf: yes\n\n");
                to.push_str(body);
                expected.push((depth, "text/plain", Some(body.clone())));
            }
            Self::Message(inside) => {
                to.push_str("Content-Type: message/rfc822\n\n");
                expected.push((depth, "message/rfc822", None));
                inside.write(depth + 1, boundary, to, expected);
            }
            Self::Multipart {
                preamble,
                children,
                epilogue,
            } => {
                let boundary = format!("{boundary}{}", depth % 10);
                to.push_str(&format!(
                    "Content-Type: multipart/mixed;\n boundary=\"{boundary}\"\n\n{preamble}\n"
                ));
                expected.push((depth, "multipart/mixed", None));
                for child in children {
                    to.push_str(&format!("--{boundary}\n"));
                    child.write(depth + 1, &boundary, to, expected);
                    to.push('\n');
                }
                to.push_str(&format!("--{boundary}--"));
                if let Some(epilogue) = epilogue {
                    to.push('\n');
                    to.push_str(epilogue);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_found_again(tree in tree(), crlf: bool, size in 1_usize..200) {
        let (mut message, mut expected) = (String::new(), Expected::new());
        tree.write(0, "b", &mut message, &mut expected);
        if crlf {
            message = message.replace('\n', "\r\n");
        }
        let structure = in_chunks(message.as_bytes(), size);
        agrees_with_itself(&structure, message.as_bytes());
        prop_assert!(structure.caveats.is_empty(), "{:?}", structure.caveats);
        prop_assert_eq!(structure.parts.len(), expected.len());
        for (part, (depth, media, body)) in structure.parts.iter().zip(expected) {
            prop_assert_eq!((part.depth, part.media.as_str()), (depth, media));
            if let Some(body) = body {
                let found = &message[part.body_start as usize..part.body_end as usize];
                prop_assert_eq!(found.replace("\r\n", "\n"), body);
            }
        }
    }

    #[test]
    fn chunks_change_nothing(
        pieces in proptest::collection::vec(
            prop_oneof![
                "(\r\n|\n|\r|\r\n\r\n|--| |a|: |Content-Type: |message/rfc822|multipart/mixed; boundary=a|multipart/digest; boundary=-)",
                "(--a\r\n|--a--\r\n|--a|-|--a\n|Content-Type: multipart/mixed; boundary=a\r\n\r\n|\r\n--a\r\n)",
                "\\PC{0,3}",
            ],
            0..60,
        ),
        cuts in proptest::collection::vec(1_usize..12, 1..40),
    ) {
        let message = pieces.concat();
        let mut scanner = StructureScanner::new();
        let mut rest = message.as_bytes();
        for size in cuts.iter().cycle() {
            let (chunk, behind) = rest.split_at((*size).min(rest.len()));
            scanner.feed(chunk);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let structure = scanner.finish();
        agrees_with_itself(&structure, message.as_bytes());
        prop_assert_eq!(structure, Structure::of(message.as_bytes()));
    }

    #[test]
    fn arbitrary_octets_have_a_structure(head in "(Content-Type: multipart/mixed; boundary=a\r\n\r\n)?", tail: Vec<u8>, size in 1_usize..50) {
        let message = [head.as_bytes(), &tail].concat();
        let structure = in_chunks(&message, size);
        agrees_with_itself(&structure, &message);
        prop_assert_eq!(structure, Structure::of(&message));
    }
}
