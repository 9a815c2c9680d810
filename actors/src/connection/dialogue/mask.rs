//! What of a line may be shown. Everything that could be a secret is masked: not only what is one, but also what might
//! have been meant as one, such as a password behind an AUTH that was refused.

use std::borrow::Cow;

use super::Wire;

/// What stands in the place of a secret.
pub(super) const MASKED: &str = "***";
/// Octets of a line that are shown.
const MAX_SHOWN: usize = 512;

/// Commands of SMTP whose arguments are no secrets. RFC 5321 and its extensions
const SMTP: [&str; 15] = [
    "HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP",
    "STARTTLS", "ETRN",
];
/// Commands of POP3 whose arguments are no secrets. RFC 1939 and its extensions
const POP3: [&str; 14] = [
    "USER", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "QUIT", "TOP", "UIDL", "CAPA", "STLS", "UTF8",
    "LANG",
];
/// Mechanisms that may stand behind AUTH; anything else there might be a secret.
const MECHANISMS: [&str; 10] = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-256-PLUS",
    "EXTERNAL",
    "XOAUTH2",
];

/// What may be shown of a line in which a command was expected.
pub(super) fn command(wire: Wire, line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\r', '\n']);
    let mut words = text.split_ascii_whitespace();
    let verb = words.next().unwrap_or_default();
    let is = |names: &[&str], word: &str| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    let open: &[&str] = match wire {
        Wire::Smtp => &SMTP,
        Wire::Pop3 => &POP3,
    };
    // A command does not begin with a blank: what does may be anything.
    if is(open, verb) && text.starts_with(verb) {
        return shown(text);
    }
    if is(&["AUTH"], verb) {
        return match (words.next(), words.next()) {
            (None, _) => verb.to_owned(),
            (Some(mechanism), rest) if is(&MECHANISMS, mechanism) => {
                let rest = rest.map_or(Cow::Borrowed(""), |_| format!(" {MASKED}").into());
                format!("{verb} {mechanism}{rest}")
            }
            (Some(_), _) => format!("{verb} {MASKED}"),
        };
    }
    match wire {
        Wire::Smtp if is(&["XCLIENT"], verb) => format!("{verb} {MASKED}"),
        Wire::Pop3 if is(&["PASS", "APOP"], verb) => format!("{verb} {MASKED}"),
        Wire::Smtp | Wire::Pop3 => format!("<{} octets that are no command>", line.len()),
    }
}

/// What may be shown of a line of a reply.
pub(super) fn reply(wire: Wire, line: &[u8]) -> String {
    let challenge: &[u8] = match wire {
        Wire::Smtp => b"334",
        Wire::Pop3 => b"+ ",
    };
    match line.starts_with(challenge) {
        true => format!("{} {MASKED}", String::from_utf8_lossy(challenge).trim_end()),
        false => shown(&String::from_utf8_lossy(line)),
    }
}

/// Octets that are not shown.
pub(super) fn octets(count: u64) -> String {
    format!("<{count} octets>")
}

/// The first line without its end, and what stands behind it.
pub(super) fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&octet| octet == b'\n');
    let (line, rest) = match end {
        Some(end) => text.split_at(end + 1),
        None => (text, [].as_slice()),
    };
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// One printable line, and not a long one: it ends on somebody's terminal.
fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(MAX_SHOWN));
    for char in text.chars() {
        if shown.len() >= MAX_SHOWN {
            shown.push('\u{2026}');
            break;
        }
        // Not `escape_debug` alone: it lets quotes look like something else.
        if char.is_control() || is_format(char) {
            shown.extend(char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    shown
}

/// Characters that turn text around or hide it.
const fn is_format(char: char) -> bool {
    matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_shown() {
        let smtp = |line: &str| command(Wire::Smtp, line.as_bytes());
        for (line, expected) in [
            ("EHLO client.example\r\n", "EHLO client.example"),
            (
                "mail FROM:<a@example.org> SIZE=5\r\n",
                "mail FROM:<a@example.org> SIZE=5",
            ),
            ("AUTH\r\n", "AUTH"),
            ("AUTH PLAIN\r\n", "AUTH PLAIN"),
            ("AUTH PLAIN AGEAYg==\r\n", "AUTH PLAIN ***"),
            ("auth\tlogin\tYW5uYQ==\r\n", "auth login ***"),
            ("AUTH AGEAYg==\r\n", "AUTH ***"),
            ("AUTH  PLAIN  a  b  c\r\n", "AUTH PLAIN ***"),
            ("XCLIENT ADDR=192.0.2.1 LOGIN=anna\r\n", "XCLIENT ***"),
            ("AGEAYg==\r\n", "<10 octets that are no command>"),
            (" EHLO secret\r\n", "<14 octets that are no command>"),
            ("PASS secret\r\n", "<13 octets that are no command>"),
            ("NOOP \u{1b}[2J\u{202e}x\r\n", "NOOP \\u{1b}[2J\\u{202e}x"),
            ("\r\n", "<2 octets that are no command>"),
        ] {
            assert_eq!(smtp(line), expected, "{line:?}");
        }
        let pop3 = |line: &str| command(Wire::Pop3, line.as_bytes());
        for (line, expected) in [
            ("USER anna\r\n", "USER anna"),
            ("pass se cret\r\n", "pass ***"),
            ("APOP anna c4c9334bac560ecc979e58001b3e22fb\r\n", "APOP ***"),
            ("AUTH PLAIN AGEAYg==\r\n", "AUTH PLAIN ***"),
            ("XCLIENT a\r\n", "<11 octets that are no command>"),
        ] {
            assert_eq!(pop3(line), expected, "{line:?}");
        }
        assert_eq!(reply(Wire::Smtp, b"334 cj1hYmM="), "334 ***");
        assert_eq!(reply(Wire::Smtp, b"334"), "334 ***");
        assert_eq!(reply(Wire::Smtp, b"235 2.7.0 Ok"), "235 2.7.0 Ok");
        assert_eq!(reply(Wire::Pop3, b"+ cj1hYmM="), "+ ***");
        assert_eq!(reply(Wire::Pop3, b"+OK"), "+OK");
    }

    proptest! {
        #[test]
        fn no_password_is_ever_shown(
            before in "(?i)(auth|auth plain|auth [a-z0-9+/=]{1,20}|pass|apop anna|xclient|[ \t]*pass|)[ \t]{1,3}",
            pop3: bool,
        ) {
            let wire = if pop3 { Wire::Pop3 } else { Wire::Smtp };
            let line = format!("{before}S3cretS3cret\r\n");
            prop_assert!(!command(wire, line.as_bytes()).contains("S3cret"), "{}", command(wire, line.as_bytes()));
        }

        #[test]
        fn any_octets_become_one_short_printable_line(line: Vec<u8>, pop3: bool) {
            let wire = if pop3 { Wire::Pop3 } else { Wire::Smtp };
            for text in [command(wire, &line), reply(wire, &line)] {
                prop_assert!(!text.contains(char::is_control));
                prop_assert!(text.len() <= MAX_SHOWN + 16);
            }
            let (first, rest) = first_line(&line);
            prop_assert!(first.len() + rest.len() <= line.len());
        }
    }
}
