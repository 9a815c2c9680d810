use proptest::prelude::*;

use super::*;

fn completion() -> Completion {
    Completion::new(Supplement {
        date: Timestamp::from_millis(1_795_464_952_250),
        id: MessageId::from_bytes([7; 16]),
        host: DomainName::parse(b"mail.example.org").unwrap(),
        sender: Some(EmailAddress::parse(b"alice@example.org").unwrap()),
    })
}

/// The message as it becomes, and the addresses of From and Sender.
type Completed = Result<(String, Vec<String>, Vec<String>), SubmissionFault>;

fn complete(message: &[u8], chunk: usize) -> Completed {
    let mut completion = completion();
    let mut out = Vec::new();
    for piece in message.chunks(chunk) {
        completion.feed(piece, &mut out)?;
    }
    completion.finish(&mut out)?;
    let claims = completion.take_claims().unwrap();
    let texts = |all: Vec<EmailAddress>| all.iter().map(ToString::to_string).collect();
    Ok((
        String::from_utf8_lossy(&out).into_owned(),
        texts(claims.from),
        texts(claims.sender),
    ))
}

fn check(message: &str, expected: &Completed) {
    for chunk in 1..=message.len().max(1) {
        assert_eq!(
            complete(message.as_bytes(), chunk),
            *expected,
            "{message:?} in chunks of {chunk}"
        );
    }
}

fn becomes(message: &str, expected: &str, from: &[&str], sender: &[&str]) {
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    check(
        message,
        &Ok((expected.replace("{id}", &id()), texts(from), texts(sender))),
    );
}

fn id() -> String {
    format!(
        "Message-ID: <{}@mail.example.org>\r\n",
        MessageId::from_bytes([7; 16])
    )
}

const DATE: &str = "Date: Mon, 23 Nov 2026 20:15:52 +0000\r\n";
const WHOLE: &str = "From: a@example.org\r\nDate: now\r\nMessage-ID: <1@x>\r\n";

#[test]
fn what_is_whole_stays_as_it_is() {
    for rest in [
        "\r\nbody\r\n",
        "\r\n",
        "Bcc-Not: x\r\nX-Bcc: x\r\nSubject: =?utf-8?q?x?=\r\n =?utf-8?q?y?=\r\n\r\nBcc: c@x.example\r\n",
        "X-Odd!#: \r\n \r\n\t\r\nx : y\r\n\r\n\0\r\n",
        "Mime-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n.\r\n\r\n",
    ] {
        let message = WHOLE.to_owned() + rest;
        becomes(&message, &message, &["a@example.org"], &[]);
    }
    // The words of others stay as they wrote them.
    let message = WHOLE.replace(
        "From: a@example.org",
        "FROM :\r\n =?utf-8?q?b=40x?=\r\n\t(b@x)\r\n <a@example.org>\r\nSender: c@example.org",
    ) + "\r\n";
    becomes(&message, &message, &["a@example.org"], &["c@example.org"]);
}

#[test]
fn what_is_missing_is_put_behind() {
    let from = "From: alice@example.org\r\n";
    becomes(
        "\r\nbody",
        &format!("{from}{DATE}{{id}}\r\nbody"),
        &["alice@example.org"],
        &[],
    );
    becomes(
        "",
        &format!("{from}{DATE}{{id}}\r\n"),
        &["alice@example.org"],
        &[],
    );
    becomes(
        "Subject: x\r\nFrom: A <a@example.org>\r\n\r\n",
        &format!("Subject: x\r\nFrom: A <a@example.org>\r\n{DATE}{{id}}\r\n"),
        &["a@example.org"],
        &[],
    );
    // A header without its end, and a last line without its own.
    becomes(
        "Subject: x",
        &format!("Subject: x\r\n{from}{DATE}{{id}}\r\n"),
        &["alice@example.org"],
        &[],
    );
    becomes(
        "From: a@example.org, b@example.org\r\nDate:\r\nMessage-Id:\r\n\r\n",
        "From: a@example.org, b@example.org\r\nDate:\r\nMessage-Id:\r\nSender: alice@example.org\r\n\r\n",
        &["a@example.org", "b@example.org"],
        &["alice@example.org"],
    );
}

#[test]
fn nobody_writes_for_nobody() {
    for (message, expected) in [
        ("\r\n", Err(SubmissionFault::Missing)),
        (
            "From: a@example.org, b@example.org\r\n\r\n",
            Err(SubmissionFault::Missing),
        ),
        ("From: a@example.org\r\n\r\n", Ok(())),
    ] {
        let mut completion = completion();
        completion.supplement.sender = None;
        assert_eq!(completion.feed(message.as_bytes(), &mut Vec::new()), expected);
    }
}

#[test]
fn blind_copies_stay_blind() {
    let rest = "To: b@example.org\r\n\r\nBcc: in the body\r\n";
    for bcc in [
        "Bcc: c@x.example\r\n",
        "bcc:\r\n",
        "BCC : c@x.example,\r\n\td@x.example,\r\n e@x.example\r\n",
        "Resent-Bcc: c@x.example\r\nBcc: d@x.example\r\n",
        "Return-Path: <c@x.example>\r\n",
    ] {
        let expected = WHOLE.to_owned() + rest;
        becomes(&format!("{WHOLE}{bcc}{rest}"), &expected, &["a@example.org"], &[]);
        becomes(&format!("{bcc}{WHOLE}{rest}"), &expected, &["a@example.org"], &[]);
    }
    becomes(
        &format!("{WHOLE}Bcc: c"),
        &format!("{WHOLE}\r\n"),
        &["a@example.org"],
        &[],
    );
}

#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    let refused = |message: &str, why: SubmissionFault| check(message, &Err(why));
    for header in [
        "body\r\n\r\n",
        "From alice Mon Nov 23 20:15:52 2026\r\n",
        " From: a@example.org\r\n\r\n",
        ": x\r\n\r\n",
        "Fr om: x\r\n\r\n",
        "Fr\u{f6}m: x\r\n\r\n",
        "Subject: \0\r\n\r\n",
        "Subject: x\r\n\rFrom: a@example.org\r\n\r\n",
        "From: a@example.org\rb@example.org\r\n\r\n",
        "From: a@example.org\r\r\n\r\n",
        "From: a@example.org\r\r",
        "Subject",
        "Subject: x\r",
        "\r",
    ] {
        refused(header, SubmissionFault::Malformed);
    }
    refused(
        "From: a@example.org\r\nX: y\r\nfrom : a@example.org\r\n\r\n",
        SubmissionFault::Repeated("From"),
    );
    refused(
        "Sender: a@example.org\r\nSender: a@example.org\r\n\r\n",
        SubmissionFault::Repeated("Sender"),
    );
    refused(
        "From: us:;\r\n\r\n",
        SubmissionFault::Author("From", AuthorsError::Nobody),
    );
    refused(
        "Sender: a@example.org, b@example.org\r\n\r\n",
        SubmissionFault::Author("Sender", AuthorsError::TooMany),
    );
    refused(
        "From: a@example.org\u{7}\r\n\r\n",
        SubmissionFault::Author("From", AuthorsError::Syntax("it has a control character")),
    );
    let name = "x".repeat(MAX_NAME + 1) + ":\r\n";
    assert_eq!(complete(name.as_bytes(), 100), Err(SubmissionFault::Malformed));
    let from = "From: a@example.org\r\n".to_owned() + &" (a)\r\n".repeat(MAX_AUTHOR_FIELD / 6);
    assert_eq!(
        complete(from.as_bytes(), 1000),
        Err(SubmissionFault::TooLong("From"))
    );
}

proptest! {
    #[test]
    fn arbitrary_octets_are_completed_somehow(message: Vec<u8>, chunk in 1_usize..9) {
        prop_assert_eq!(complete(&message, chunk), complete(&message, 1 << 20));
    }

    #[test]
    fn what_was_completed_is_whole(
        lines in proptest::collection::vec(
            "((From|Bcc|bcc |Date|X|Sender)(: a@example.org|:)| [a-c]|\r|[a-z])\r\n?|\r\n", 0..12),
        chunk in 1_usize..30,
    ) {
        let message = lines.concat();
        let completed = complete(message.as_bytes(), chunk);
        prop_assert_eq!(&completed, &complete(message.as_bytes(), 1 << 20));
        if let Ok((once, from, sender)) = completed {
            prop_assert_eq!(complete(once.as_bytes(), chunk), Ok((once, from, sender)));
        }
    }
}
