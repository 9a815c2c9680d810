use proptest::prelude::*;

use super::*;

fn found(value: &str) -> Result<Vec<String>, AuthorsError> {
    let authors = read(value.as_bytes())?;
    Ok(authors.iter().map(ToString::to_string).collect())
}

#[test]
fn addresses_are_found() {
    let check = |value: &str, expected: &[&str]| {
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(found(value), Ok(expected), "{value:?}");
    };
    check("a@x.example", &["a@x.example"]);
    check(" A <a@X.example>", &["a@x.example"]);
    check("a@x.example (b@y.example)", &["a@x.example"]);
    check("(b@y.example) a@x.example", &["a@x.example"]);
    check("a(b@y.example)@(c)x.example", &["a@x.example"]);
    check("\"b@y.example\" <a@x.example>", &["a@x.example"]);
    check("\"a b\"@x.example", &["\"a b\"@x.example"]);
    check("\"a\\\" <b@y.example>\" <a@x.example>", &["a@x.example"]);
    check("<a@x.example>", &["a@x.example"]);
    check("John Q. Public [x] <\ta@x.example >", &["a@x.example"]);
    check("=?utf-8?q?b=40y=2Eexample?= <a@x.example>", &["a@x.example"]);
    check(
        "a@x.example, B <b@y.example>,,c@z.example,",
        &["a@x.example", "b@y.example", "c@z.example"],
    );
    check("Us: a@x.example, <b@y.example>;", &["a@x.example", "b@y.example"]);
    check("Us:; , a@x.example", &["a@x.example"]);
    check("J\u{fc}rgen <a@x.example>", &["a@x.example"]);
    check("j\u{fc}rgen@x.example", &["j\u{fc}rgen@x.example"]);
    check("a@b\u{fc}cher.example", &["a@xn--bcher-kva.example"]);
    check("a@[192.0.2.1]", &["a@[192.0.2.1]"]);
}

#[test]
fn what_could_be_understood_in_two_ways_is_refused() {
    for value in [
        "",
        " (a@x.example)",
        "Us:;",
        "a",
        "a@",
        "@x.example",
        "<>",
        "A <>",
        "a@x.example <b@y.example>",
        "a@x.example b@y.example",
        "<a@x.example> <b@y.example>",
        "<a@x.example> b@y.example",
        "<a@x.example>b",
        "A <a@x.example",
        "A a@x.example>",
        "<<a@x.example>>",
        "<@y.example:a@x.example>",
        "a b@x.example",
        "a . b@x.example",
        "a@x . example",
        "a@b@x.example",
        "a@x.example;",
        "Us: a@x.example",
        "Us: Them: a@x.example;;",
        "Us: a@x.example; b@y.example",
        "a@x.example (",
        "\"a@x.example",
        "\"a\"b@x.example",
        "a\\@b@x.example",
        ")a@x.example",
        "=?utf-8?q?a=40x=2Eexample?=",
        "=?utf-8?q?a?=@x.example@y.example",
        "a@x.example\0",
        "a@x.example\r\n b@y.example",
        "a@[192.0.2.1",
        "a@x..example",
    ] {
        assert!(found(value).is_err(), "{value:?} has {:?}", found(value));
    }
    assert!(read(b"\xff <a@x.example>").is_err());
}

#[test]
fn nesting_and_length_have_no_price() {
    // Attack 38.
    let depth = 100_000;
    assert_eq!(
        found(&format!("a@x.example {}{}", "(".repeat(depth), ")".repeat(depth))),
        Ok(vec!["a@x.example".to_owned()])
    );
    for octet in ["(", "<", "\"", "\\", ":", "[", "a:", "((", "a@x.example ("] {
        assert!(found(&octet.repeat(depth)).is_err());
    }
    let authors = |number: usize| vec!["a@x.example"; number].join(",");
    assert_eq!(found(&authors(MAX_AUTHORS)).map(|all| all.len()), Ok(MAX_AUTHORS));
    assert_eq!(found(&authors(MAX_AUTHORS + 1)), Err(AuthorsError::TooMany));
}

proptest! {
    #[test]
    fn arbitrary_octets_are_judged(value: Vec<u8>) {
        let _ = read(&value);
    }

    #[test]
    fn arbitrary_syntax_is_judged(value in r#"([a-c]|@|x\.y|<|>|\(|\)|"|\\| |,|;|:|\[|\]|ü){0,40}"#) {
        if let Ok(authors) = found(&value) {
            // What is found is found again in what is printed, and nothing else.
            prop_assert_eq!(found(&authors.join(", ")), Ok(authors));
        }
    }
}
