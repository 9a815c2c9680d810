//! Messages that somebody wrote to hurt.

use super::*;

#[test]
fn a_million_header_lines() {
    let mut message = "X: y\r\n".repeat(1_000_000);
    message.push_str("Subject: late\r\n\r\nbody");
    let structure = Structure::of(message.as_bytes());
    assert_eq!(structure.caveats, Caveats::HEADER_CUT);
    assert_eq!(structure.envelope.subject, None);
    assert_eq!(structure.parts[0].octets(), 4);
    agrees_with_itself(&structure, message.as_bytes());
}

#[test]
fn a_header_line_of_ten_megabytes() {
    let message = format!("Subject: {}\r\nTo: a@x\r\n\r\nbody", "s".repeat(10_000_000));
    let structure = Structure::of(message.as_bytes());
    assert_eq!(
        structure.envelope.subject.as_ref().unwrap().as_bytes().len(),
        MAX_TEXT
    );
    assert_eq!(structure.envelope.to.len(), 1);
    assert_eq!(structure.caveats, Caveats::TEXT_CUT);
    assert_eq!(structure.parts[0].octets(), 4);
    assert_eq!(in_chunks(message.as_bytes(), 8192), structure);
}

#[test]
fn lines_around_the_bound_of_a_field() {
    for excess in 0..6 {
        for end in ["\r\n", "\n"] {
            let text = "s".repeat(MAX_FIELD - "To: ".len() - 3 + excess);
            let message = format!("To: {text}{end} b@x{end}{end}body");
            let whole = Structure::of(message.as_bytes());
            for size in [1, 7, 1000, MAX_FIELD, MAX_FIELD + 1] {
                assert_eq!(
                    in_chunks(message.as_bytes(), size),
                    whole,
                    "{excess} over, in chunks of {size}"
                );
            }
        }
    }
}

#[test]
fn a_field_folded_a_hundred_thousand_times() {
    let message = format!("Subject: a{}\r\n\r\n", "\r\n bb".repeat(100_000));
    let structure = Structure::of(message.as_bytes());
    assert!(structure.caveats.contains(Caveats::TEXT_CUT));
    assert_eq!(structure.envelope.subject.unwrap().as_bytes().len(), MAX_TEXT);
}

#[test]
fn comments_a_hundred_thousand_deep() {
    let deep = "(".repeat(100_000);
    let message =
        format!("Content-Type: text/html{deep}\r\nFrom: {deep}\r\nContent-Language: {deep}\r\n\r\n");
    let structure = Structure::of(message.as_bytes());
    assert_eq!(structure.parts[0].media.as_str(), "text/html");
    assert!(structure.envelope.from.is_empty());
}

/// Multiparts within multiparts, none ever ended.
fn nested(depth: usize) -> String {
    let level = |n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    (0..depth).map(level).collect::<String>() + "\r\nleaf"
}

#[test]
fn nesting_has_its_bound() {
    let structure = scan(nested(MAX_DEPTH).as_bytes());
    assert_eq!(structure.parts.len(), MAX_DEPTH + 1);
    assert_eq!(structure.caveats, Caveats::MULTIPART_UNENDED);
    let structure = scan(nested(MAX_DEPTH + 1).as_bytes());
    assert_eq!(structure.parts.len(), MAX_DEPTH + 1);
    assert_eq!(structure.caveats, Caveats::MULTIPART_UNENDED | Caveats::TOO_DEEP);
    let deepest = structure.parts.last().unwrap();
    assert_eq!(
        (deepest.media.as_str(), usize::from(deepest.depth)),
        ("text/plain", MAX_DEPTH)
    );
    let message = nested(10_000);
    agrees_with_itself(&Structure::of(message.as_bytes()), message.as_bytes());
    let message = "Content-Type: message/rfc822\r\n\r\n".repeat(10_000);
    let structure = Structure::of(message.as_bytes());
    assert_eq!(
        structure.parts.last().unwrap().media.as_str(),
        "application/octet-stream"
    );
    assert_eq!(structure.caveats, Caveats::TOO_DEEP);
    agrees_with_itself(&structure, message.as_bytes());
}

#[test]
fn parts_have_their_bound() {
    let parts = "--b\r\n\r\nx\r\n".repeat(MAX_PARTS * 3);
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n");
    let structure = Structure::of(message.as_bytes());
    assert_eq!(structure.parts.len(), MAX_PARTS);
    assert_eq!(structure.caveats, Caveats::TOO_MANY_PARTS);
    assert!(structure.parts[1..].iter().all(|part| part.octets() == 1));
    agrees_with_itself(&structure, message.as_bytes());
    let messages = "--b\r\nContent-Type: message/rfc822\r\n\r\n\r\nx\r\n".repeat(MAX_PARTS);
    let message = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{messages}--b--\r\n");
    let structure = Structure::of(message.as_bytes());
    assert_eq!(structure.parts.len(), MAX_PARTS);
    agrees_with_itself(&structure, message.as_bytes());
}

#[test]
fn parameters_have_their_bound() {
    let parameters = ";a=b".repeat(MAX_PARAMETERS + 1);
    let languages = "en,".repeat(MAX_PARAMETERS + 1);
    let header = format!("Content-Type: text/html{parameters}\r\n\r\n");
    let structure = scan(header.as_bytes());
    assert_eq!(structure.parts[0].parameters.len(), MAX_PARAMETERS);
    assert_eq!(structure.caveats, Caveats::TOO_MANY_PARAMETERS);
    let structure = scan(format!("Content-Language: {languages}\r\n\r\n").as_bytes());
    assert_eq!(structure.parts[0].language.len(), MAX_PARAMETERS);
    assert_eq!(structure.caveats, Caveats::TOO_MANY_PARAMETERS);
}

#[test]
fn all_that_is_kept_has_its_bound() {
    let part = format!("--b\r\nContent-Description: {}\r\n\r\n", "d".repeat(MAX_TEXT));
    let message = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b\r\nContent-ID: <x>\r\n\r\n--b--",
        part.repeat(200)
    );
    let structure = Structure::of(message.as_bytes());
    assert_eq!(structure.caveats, Caveats::FULL);
    assert_eq!(structure.parts.len(), 202);
    // What comes later is not kept in place of what came before, however short it is.
    assert_eq!(structure.parts[201].id, None);
    agrees_with_itself(&structure, message.as_bytes());
}

#[test]
fn a_body_of_nothing_but_dashes() {
    for line in ["--\r\n", "--b-\r\n", "-\r\n", "--b--x\r\n", "--b\r"] {
        let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
        let message = format!("{head}{}", line.repeat(100_000));
        let structure = Structure::of(message.as_bytes());
        assert_eq!(structure.parts.len(), 2, "{line:?}");
        assert_eq!(in_chunks(message.as_bytes(), 1000), structure);
    }
}

#[test]
fn a_delimiter_no_longer_than_a_line_may_be() {
    let head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (padding, end, parts) in [
        (995, "\r\n", 2),
        (996, "\r\n", 1),
        (995, "\n", 2),
        (996, "\n", 1),
        (5_000_000, "\n", 1),
    ] {
        let message = format!("{head}--b{}{end}{end}x", " ".repeat(padding));
        let structure = Structure::of(message.as_bytes());
        assert_eq!(structure.parts.len(), parts, "{padding}");
        for size in [1, 3, 997, 998, 999, 1000, 1001] {
            if padding < 1_000 || size > 900 {
                assert_eq!(
                    in_chunks(message.as_bytes(), size),
                    structure,
                    "{padding} in chunks of {size}"
                );
            }
        }
    }
}
