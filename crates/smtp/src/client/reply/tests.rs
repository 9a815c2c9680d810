use proptest::prelude::*;

use super::*;

/// Everything that a reader makes of octets that are offered piece by piece, and what it leaves.
fn read(pieces: &[&[u8]]) -> (Vec<Reply>, Result<Vec<u8>, ReplyError>) {
    let mut reader = ReplyReader::new();
    let (mut unread, mut replies) = (Vec::new(), Vec::new());
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            match reader.receive(&unread) {
                Err(why) => return (replies, Err(why)),
                Ok((consumed, reply)) => {
                    unread.drain(..consumed);
                    match reply {
                        Some(reply) => replies.push(reply),
                        None => break,
                    }
                }
            }
        }
    }
    (replies, Ok(unread))
}

fn check(input: &str, expected: &str) {
    let (replies, rest) = read(&[input.as_bytes()]);
    let mut shown: Vec<String> = replies.iter().map(Reply::to_string).collect();
    if let Err(why) = rest {
        shown.push(format!("{why:?}"));
    }
    assert_eq!(shown.join("; "), expected, "{input:?}");
}

#[test]
fn replies_are_read_whole() {
    check("250 Ok\r\n", "250 Ok");
    check("250\r\n", "250 ");
    check("250 \r\n", "250 ");
    check("250 2.0.0 Ok\r\n", "250 2.0.0 Ok");
    check("250-one\r\n250-two\r\n250 three\r\n", "250 one / two / three");
    check("220 a\r\n250 b\r\n", "220 a; 250 b");
    check(
        "550-5.1.1 no\r\n550 5.1.1 such user\r\n",
        "550 5.1.1 no / such user",
    );
    check("250 Gr\u{fc}\u{df}e\r\n", "250 Gr\u{fc}\u{df}e");
    check("421 4.4.2\r\n", "421 4.4.2 ");
    // Only the end that came is read; what is not whole waits.
    check("250-one\r\n250", "");
}

#[test]
fn odd_servers_are_understood() {
    check("250 Ok\n", "250 Ok");
    check("250-a\n250 b\r\n", "250 a / b");
    // An enhanced code of another class, or of none, is text.
    check("250 5.0.0 what\r\n", "250 5.0.0 what");
    check("354 3.0.0 go on\r\n", "354 3.0.0 go on");
    check("250 2.0.0.1 ok\r\n", "250 2.0.0.1 ok");
    check("250 2.0000.1 ok\r\n", "250 2.0000.1 ok");
}

#[test]
fn what_is_no_reply_is_named() {
    for input in [
        "\r\n",
        "25\r\n",
        "hello\r\n",
        "150 not yet\r\n",
        "600 what\r\n",
        "000 x\r\n",
        "250_Ok\r\n",
        "2500 Ok\r\n",
        "+OK POP3\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
    ] {
        check(input, "NotAReply");
    }
    check("250-one\r\n550 two\r\n", "CodesDiffer");
    check("250-one\r\nfoo\r\n", "NotAReply");
}

#[test]
fn nothing_that_is_said_can_end_a_line_of_ours() {
    let (replies, _) = read(&[b"250 a\rb\0c\x1b[31m\x7f\xff\r\n"]);
    assert_eq!(replies[0].text(), "a?b?c?[31m?\u{fffd}");
}

#[test]
fn lines_and_replies_are_bounded() {
    let endless = vec![b'2'; MAX_LINE];
    assert_eq!(read(&[&endless]).1, Err(ReplyError::LineTooLong));
    let mut longest = b"250 ".to_vec();
    longest.resize(MAX_LINE - 2, b'x');
    longest.extend_from_slice(b"\r\n");
    assert_eq!(read(&[&longest]).0.len(), 1);
    let line = [b"250-".as_slice(), &longest[4..]].concat();
    let lines = line.repeat(MAX_REPLY / MAX_LINE + 1);
    assert_eq!(read(&[&lines]).1, Err(ReplyError::TooLong));
    // Each reply has its own measure.
    let replies = longest.repeat(2 * MAX_REPLY / MAX_LINE);
    assert_eq!(read(&[&replies]).1, Ok(Vec::new()));
}

proptest! {
    #[test]
    fn any_octets_are_read_without_panic_and_however_they_are_cut(
        input in prop::collection::vec(
            prop_oneof![Just(b'2'), Just(b'5'), Just(b'0'), Just(b' '), Just(b'-'), Just(b'.'), Just(b'\r'), Just(b'\n'), any::<u8>()],
            0..200,
        ),
        cut in 0_usize..200,
    ) {
        let (head, tail) = input.split_at(cut.min(input.len()));
        prop_assert_eq!(read(&[&input]), read(&[head, tail]));
        let octets: Vec<&[u8]> = input.chunks(1).collect();
        prop_assert_eq!(read(&[&input]), read(&octets));
    }

    #[test]
    fn what_we_say_is_read_as_it_was_meant(
        code in 200_u16..600,
        subject in 0_u16..1000,
        text in "[ -~]{0,40}(\n[ -~]{0,40}){0,3}",
    ) {
        prop_assume!(!(300..400).contains(&code));
        let class = u8::try_from(code / 100).unwrap();
        let said = crate::reply::Reply::new(code, Enhanced(class, subject, 1), &text);
        let (replies, rest) = read(&[said.wire().as_bytes()]);
        prop_assert_eq!(rest, Ok(Vec::new()));
        prop_assert_eq!(replies.len(), 1);
        prop_assert_eq!(replies[0].code(), code);
        prop_assert_eq!(replies[0].enhanced(), Some(Enhanced(class, subject, 1)));
        let lines: Vec<&str> = text.split('\n').collect();
        prop_assert_eq!(replies[0].lines(), lines);
    }
}
