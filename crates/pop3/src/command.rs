//! Command: one line of a client, taken apart.
//!
//! Keywords may be written in any case. More than one space between words, and spaces at the end, are tolerated, except
//! in PASS, where every octet behind the first space belongs to the password (RFC 1939 §7).

/// A command of RFC 1939, RFC 2449, RFC 2595 or RFC 5034. Legal states are the session's to know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    Auth {
        mechanism: &'a str,
        initial: Option<&'a str>,
    },
    Capa,
    Dele(u32),
    List(Option<u32>),
    Noop,
    Pass(&'a [u8]),
    Quit,
    Retr(u32),
    Rset,
    Stat,
    Stls,
    Top {
        number: u32,
        lines: u32,
    },
    Uidl(Option<u32>),
    User(&'a str),
}

impl<'a> Command<'a> {
    /// Takes a line apart, given without its CRLF.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Self, Fault> {
        // RFC 1939 §3: printable ASCII. NUL, other controls and octets above 127 are in no command.
        if !line.iter().all(|octet| (0x20..0x7f).contains(octet)) {
            return Err(Fault::Octets);
        }
        let text = std::str::from_utf8(line).map_err(|_| Fault::Octets)?;
        let (keyword, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut folded = [0; 4];
        let Some(folded) = folded.get_mut(..keyword.len()) else {
            return Err(Fault::Unknown);
        };
        folded.copy_from_slice(keyword.as_bytes());
        folded.make_ascii_uppercase();
        match &*folded {
            b"AUTH" => auth(rest),
            b"CAPA" => no_argument(rest, Self::Capa),
            b"DELE" => Ok(Self::Dele(number(rest)?)),
            b"LIST" => Ok(Self::List(optional_number(rest)?)),
            b"NOOP" => no_argument(rest, Self::Noop),
            b"PASS" => present(rest).map(|password| Self::Pass(password.as_bytes())),
            b"QUIT" => no_argument(rest, Self::Quit),
            b"RETR" => Ok(Self::Retr(number(rest)?)),
            b"RSET" => no_argument(rest, Self::Rset),
            b"STAT" => no_argument(rest, Self::Stat),
            b"STLS" => no_argument(rest, Self::Stls),
            b"TOP" => top(rest),
            b"UIDL" => Ok(Self::Uidl(optional_number(rest)?)),
            b"USER" => present(rest.trim_matches(' ')).map(Self::User),
            _ => Err(Fault::Unknown),
        }
    }
}

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An octet that no command has.
    Octets,
    /// A keyword that we do not know.
    Unknown,
    /// Arguments that the keyword does not have.
    Arguments,
}

/// RFC 5034 §4: `AUTH mechanism [initial-response]`.
fn auth(rest: &str) -> Result<Command<'_>, Fault> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    match (words.next(), words.next(), words.next()) {
        (Some(mechanism), initial, None) => Ok(Command::Auth { mechanism, initial }),
        _ => Err(Fault::Arguments),
    }
}

fn no_argument<'a>(rest: &str, command: Command<'a>) -> Result<Command<'a>, Fault> {
    if rest.trim_matches(' ').is_empty() {
        Ok(command)
    } else {
        Err(Fault::Arguments)
    }
}

fn present(rest: &str) -> Result<&str, Fault> {
    if rest.is_empty() {
        Err(Fault::Arguments)
    } else {
        Ok(rest)
    }
}

fn optional_number(rest: &str) -> Result<Option<u32>, Fault> {
    if rest.trim_matches(' ').is_empty() {
        Ok(None)
    } else {
        number(rest).map(Some)
    }
}

fn top(rest: &str) -> Result<Command<'_>, Fault> {
    let (first, second) = rest.trim_matches(' ').split_once(' ').ok_or(Fault::Arguments)?;
    Ok(Command::Top {
        number: number(first)?,
        lines: number(second)?,
    })
}

/// Digits that fit 32 bits; neither sign nor anything else that Rust would take for a number.
fn number(rest: &str) -> Result<u32, Fault> {
    const DIGITS_LIMIT: usize = 10;
    let digits = rest.trim_matches(' ');
    if digits.len() > DIGITS_LIMIT || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return Err(Fault::Arguments);
    }
    digits.parse().map_err(|_| Fault::Arguments)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_taken_apart() {
        let check = |line: &str, expected: Result<Command<'_>, Fault>| {
            assert_eq!(Command::parse(line.as_bytes()), expected, "{line:?}");
        };
        check("CAPA", Ok(Command::Capa));
        check("stat", Ok(Command::Stat));
        check("sTaT  ", Ok(Command::Stat));
        check("STAT 1", Err(Fault::Arguments));
        check("LIST", Ok(Command::List(None)));
        check("LIST ", Ok(Command::List(None)));
        check("LIST 2", Ok(Command::List(Some(2))));
        check("LIST 002 ", Ok(Command::List(Some(2))));
        check("LIST 2 3", Err(Fault::Arguments));
        check("UIDL 4294967295", Ok(Command::Uidl(Some(u32::MAX))));
        check("UIDL 4294967296", Err(Fault::Arguments));
        check("UIDL 00000000001", Err(Fault::Arguments));
        check("RETR", Err(Fault::Arguments));
        check("RETR -1", Err(Fault::Arguments));
        check("RETR +1", Err(Fault::Arguments));
        check("RETR 1x", Err(Fault::Arguments));
        check("RETR 0", Ok(Command::Retr(0)));
        check("DELE 7", Ok(Command::Dele(7)));
        check("TOP 1 10", Ok(Command::Top { number: 1, lines: 10 }));
        check("TOP  1  0 ", Ok(Command::Top { number: 1, lines: 0 }));
        check("TOP 1", Err(Fault::Arguments));
        check("TOP", Err(Fault::Arguments));
        check("TOP 1 2 3", Err(Fault::Arguments));
        check("USER ada@example.org", Ok(Command::User("ada@example.org")));
        check("USER  ada ", Ok(Command::User("ada")));
        check("USER", Err(Fault::Arguments));
        check("USER   ", Err(Fault::Arguments));
        check("PASS secret", Ok(Command::Pass(b"secret")));
        check("PASS  two words ", Ok(Command::Pass(b" two words ")));
        check("PASS ", Err(Fault::Arguments));
        check("PASS", Err(Fault::Arguments));
        check("", Err(Fault::Unknown));
        check(" STAT", Err(Fault::Unknown));
        check("STATS", Err(Fault::Unknown));
        check("APOP a b", Err(Fault::Unknown));
        let auth = |initial| {
            Ok(Command::Auth {
                mechanism: "PLAIN",
                initial,
            })
        };
        check("AUTH PLAIN", auth(None));
        check("auth  PLAIN  AGEAYg== ", auth(Some("AGEAYg==")));
        check("AUTH", Err(Fault::Arguments));
        check("AUTH ", Err(Fault::Arguments));
        check("AUTH PLAIN a b", Err(Fault::Arguments));
        check("STAT\0", Err(Fault::Octets));
        check("STAT\r", Err(Fault::Octets));
        check("PASS a\tb", Err(Fault::Octets));
        check("USER ä", Err(Fault::Octets));
        check("PASS \u{7f}", Err(Fault::Octets));
    }

    proptest! {
        #[test]
        fn any_line_is_taken_apart_without_panic(line in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn any_argument_is_taken_apart_without_panic(
            keyword in "(TOP|RETR|LIST|PASS|USER|QUIT|AUTH)",
            rest in "[ 0-9+-]{0,24}",
        ) {
            let _ = Command::parse(format!("{keyword}{rest}").as_bytes());
        }
    }
}
