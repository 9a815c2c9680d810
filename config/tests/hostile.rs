//! Texts that nobody would write: they are answered with mistakes, within bounds, and never with a panic.

use config::{ConfigError, Mistake, Profile, Source, parse, parse_bytes};
use proptest::prelude::*;

/// Mistakes that are listed, and the line that says there are more.
const MAX_LISTED: usize = 101;

/// The mistakes of a file; every one has a place in it and is one line.
fn mistakes(content: &[u8]) -> Vec<ConfigError> {
    let errors = parse_bytes("a.toml", content, Profile::Development)
        .err()
        .unwrap_or_default();
    let lines = content.split(|octet| *octet == b'\n').count();
    assert!(errors.len() <= MAX_LISTED);
    for error in &errors {
        assert_eq!(&*error.place.source, "a.toml");
        assert!(
            error
                .place
                .position
                .is_none_or(|(line, column)| (1..=lines).contains(&line) && column > 0)
        );
        let printed = error.to_string();
        assert!(printed.lines().count() == 1 && printed.len() < 2_000, "{printed}");
    }
    errors
}

fn refused(content: &str) {
    assert!(
        !mistakes(content.as_bytes()).is_empty(),
        "accepted: {:.60}",
        content
    );
}

#[test]
fn deep_nesting_is_refused() {
    refused(&format!("a = {}", "[".repeat(100_000)));
    refused(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000)));
    refused(&format!("a = {}", "{b=".repeat(100_000)));
    refused(&format!("{}a = 1", "a.".repeat(100_000)));
    refused(&format!("[{}a]", "a.".repeat(100_000)));
    refused(&format!("smtp = {}", "{smtp=[".repeat(10_000)));
    refused(&"[".repeat(500_000));
}

#[test]
fn great_numbers_are_refused() {
    for number in [
        "9".repeat(100_000),
        format!("0x{}", "f".repeat(100)),
        "-1".to_owned(),
        "1e400".to_owned(),
        "nan".to_owned(),
    ] {
        refused(&format!("smtp.max_errors = {number}"));
    }
    refused(&format!("smtp.command_timeout = \"{}s\"", "9".repeat(100_000)));
    refused(&format!("smtp.max_message_size = \"{}B\"", "9".repeat(100_000)));
    refused(&format!(
        "listeners.mx.bind = \"127.0.0.1:{}\"",
        "9".repeat(100_000)
    ));
}

#[test]
fn many_mistakes_are_counted_out() {
    for content in [
        "= 1\n".repeat(10_000),
        "[[\n".repeat(10_000),
        "[smtp]\n".repeat(10_000),
        "[smtp]\n".to_owned() + &"max_errors = 1\n".repeat(10_000),
        "[smtp]\n".to_owned() + &(0..10_000).map(|n| format!("k{n} = 1\n")).collect::<String>(),
        "smtp = {".to_owned() + &(0..10_000).map(|n| format!("k{n} = 1, ")).collect::<String>() + "}",
        (0..5_000)
            .map(|n| format!("[listeners.\"L{n}\"]\n"))
            .collect::<String>(),
        (0..5_000).map(|n| format!("[unknown{n}]\n")).collect::<String>(),
    ] {
        let errors = mistakes(content.as_bytes());
        assert_eq!(
            errors.last().map(|error| &error.mistake),
            Some(&Mistake::TooMany(100)),
            "{content:.30}"
        );
    }
}

#[test]
fn strange_characters_are_refused_or_escaped() {
    for content in [
        "server.data = \"a\0b\"",
        "smtp\0 = 1",
        "\0",
        "server.data = \"\\u0000\"",
        "a = \u{1b}[31m",
        "\r",
        "a = '\u{202e}'",
    ] {
        refused(content);
    }
    for error in
        mistakes("\"\\u001b[31m\\n\" = 1\nsmtp.\"\\u0000\" = 1\nserver.data = \"\\u001b[31m\"".as_bytes())
    {
        assert!(!error.to_string().contains(char::is_control), "{error}");
    }
    assert!(mistakes("\u{feff}[smtp]\r\nmax_errors = 5\r\n".as_bytes()).is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_answered(content in proptest::collection::vec(any::<u8>(), 0..400)) {
        mistakes(&content);
    }

    #[test]
    fn any_text_is_answered(content in "\\PC{0,200}") {
        mistakes(content.as_bytes());
    }

    #[test]
    fn anything_like_a_file_is_answered(
        pieces in proptest::collection::vec(prop::sample::select(vec![
            "[", "]", "[[", "]]", "\n", "\n", "\n", "=", " = ", ".", ",", "{", "}", "\"", "'", "\"\"\"", "'''", "#", "\\",
            "smtp", "[smtp]\n", "[listeners.mx]\n", "[listeners]\n", "mx", "bind", "\"127.0.0.1:25\"", "max_errors", "= 5\n",
            "routes", "\"a.example\"", "kind = \"discard\"\n", "server", "profile", "\"production\"", "1979-05-27T07:32:00Z",
            "1.5", "true", "0x", "-", "+", "_", "é", "\u{e000}", "\"\u{e000}1\"", "\r", "\t", "\0",
        ]), 0..60),
    ) {
        mistakes(pieces.concat().as_bytes());
    }

    #[test]
    fn the_order_of_files_and_arguments_is_of_no_matter(errors in 1_u32..1_000, is_first: bool) {
        let file = Source::file("a.toml", "[smtp]\nmax_errors = 5");
        let argument = Source::command_line(format!("smtp.max_errors={errors}"));
        let sources = if is_first { [argument, file] } else { [file, argument] };
        prop_assert_eq!(parse(&sources, Profile::Development).map(|config| config.smtp.max_errors), Ok(errors));
    }
}
