//! Command: one command line, parsed. Pure syntax; whether a command may come now is for the session's table.

mod parameters;
mod xclient;

use std::sync::Arc;

use memchr::memchr2;
use message::received::Greeting;
use message::{AddressError, ForwardPath, ReversePath};

pub(crate) use parameters::{Grammar, Parameters};
pub use xclient::Xclient;

use crate::recipients::RecipientPath;
use crate::reply::{Reply, table};
use crate::sasl;

/// A command. Syntax errors are one kind of it: their only meaning is their reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command<'a> {
    /// EHLO, HELO (RFC 5321 §4.1.1.1) or LHLO (RFC 2033 §4.1).
    Hello { name: Arc<str>, greeting: Greeting },
    /// MAIL. RFC 5321 §4.1.1.2
    Mail(ReversePath, Parameters),
    /// RCPT. RFC 5321 §4.1.1.3
    Recipient(RecipientPath),
    /// DATA. RFC 5321 §4.1.1.4
    Data,
    /// BDAT. RFC 3030 §2
    Chunk(Chunk),
    /// A BDAT that does not say how many octets follow it.
    Uncounted(Reply),
    /// RSET. RFC 5321 §4.1.1.5
    Reset,
    /// VRFY. RFC 5321 §4.1.1.6
    Verify,
    /// HELP. RFC 5321 §4.1.1.8
    Help,
    /// NOOP. RFC 5321 §4.1.1.9
    Noop,
    /// QUIT. RFC 5321 §4.1.1.10
    Quit,
    /// STARTTLS. RFC 3207 §4
    StartTls,
    /// AUTH, with its initial response as it was written. RFC 4954 §4
    Auth {
        mechanism: Arc<str>,
        initial: Option<&'a [u8]>,
    },
    /// XCLIENT of Postfix, or why it cannot be understood: to strangers that is no matter.
    Xclient(Result<Box<Xclient>, Reply>),
    /// A command of RFC 5321 or of an extension that this server does not have.
    NotImplemented,
    /// The first word of another protocol.
    Foreign,
    /// A line that is no command.
    Malformed(Reply),
}

/// What BDAT announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many octets follow.
    pub(crate) octets: u64,
    /// Whether the message ends with them.
    pub(crate) is_last: bool,
}

impl<'a> Command<'a> {
    /// Parses a line without its CRLF.
    pub(crate) fn parse(line: &'a [u8], grammar: Grammar<'_>) -> Self {
        match Self::parse_line(line, grammar) {
            Self::Malformed(reply) if is_bdat(line) => Self::Uncounted(reply),
            command => command,
        }
    }

    /// What a line announces if it is meant for BDAT, else nothing: no more of it is looked at.
    pub(crate) fn parse_chunk(line: &[u8]) -> Option<Command<'static>> {
        is_bdat(line).then(|| bdat(split_word(trim_end(line)).1))
    }

    fn parse_line(line: &'a [u8], grammar: Grammar<'_>) -> Self {
        if memchr2(b'\r', 0, line).is_some() {
            return Self::Malformed(table::CONTROL_CHARACTER);
        }
        // RFC 5321 §4.1.1: trailing white space is tolerated.
        let line = trim_end(line);
        let (verb, argument) = split_word(line);
        let mut upper = [0_u8; LONGEST_VERB];
        let Some(word) = upper.get_mut(..verb.len()) else {
            return Self::Malformed(table::UNKNOWN_COMMAND);
        };
        word.copy_from_slice(verb);
        word.make_ascii_uppercase();
        match &*word {
            b"EHLO" => hello(argument, Greeting::Ehlo),
            b"HELO" => hello(argument, Greeting::Helo),
            b"LHLO" => hello(argument, Greeting::Lhlo),
            b"MAIL" => mail(argument, grammar),
            b"RCPT" => recipient(argument, grammar),
            b"DATA" => alone(argument, Self::Data),
            b"RSET" => alone(argument, Self::Reset),
            b"QUIT" => alone(argument, Self::Quit),
            b"STARTTLS" => alone(argument, Self::StartTls),
            b"VRFY" => verify(argument, grammar),
            b"HELP" => Self::Help,
            b"NOOP" => Self::Noop,
            b"AUTH" => auth(argument),
            b"BDAT" => bdat(argument),
            b"XCLIENT" => Self::Xclient(Xclient::parse(argument).map(Box::new)),
            b"XFORWARD" | b"EXPN" | b"ETRN" | b"ATRN" | b"TURN" | b"SEND" | b"SOML" | b"SAML" => {
                Self::NotImplemented
            }
            // ALPACA and its kin: a browser or a proxy was made to speak to a mail server.
            b"GET" | b"POST" | b"PUT" | b"HEAD" | b"DELETE" | b"PATCH" | b"OPTIONS" | b"TRACE"
            | b"CONNECT" | b"PRI" | b"PROXY" => Self::Foreign,
            _ => Self::Malformed(table::UNKNOWN_COMMAND),
        }
    }

    /// Whether text follows this line that has no length, if the client believes that it was or will be obeyed.
    /// Told by the verb alone: the rest of the line may be the one that brought a session down.
    pub(crate) fn is_followed_by_text(line: &[u8]) -> bool {
        let (verb, _) = split_word(trim_end(line));
        verb.eq_ignore_ascii_case(b"DATA")
    }
}

/// Octets of STARTTLS, which no verb exceeds.
const LONGEST_VERB: usize = 8;

/// Octets of the name in EHLO. RFC 5321 §4.5.3.1.2
const MAX_HELLO: usize = 255;

/// Whether a line is meant for BDAT: then octets follow it.
pub(crate) fn is_bdat(line: &[u8]) -> bool {
    line.get(..4)
        .is_some_and(|verb| verb.eq_ignore_ascii_case(b"BDAT"))
}

fn bdat(argument: &[u8]) -> Command<'static> {
    let (size, rest) = split_word(argument);
    if size.is_empty() || !size.iter().all(u8::is_ascii_digit) {
        return Command::Malformed(table::BAD_ARGUMENT);
    }
    let is_last = rest.eq_ignore_ascii_case(b"LAST");
    if !is_last && !rest.is_empty() {
        return Command::Malformed(table::BAD_ARGUMENT);
    }
    let octets = size.iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    });
    match octets {
        Some(octets) => Command::Chunk(Chunk { octets, is_last }),
        None => Command::Malformed(table::TOO_LARGE),
    }
}

fn alone<'a>(argument: &[u8], command: Command<'a>) -> Command<'a> {
    if argument.is_empty() {
        command
    } else {
        Command::Malformed(table::BAD_ARGUMENT)
    }
}

/// A domain or an address literal. More is let through than RFC 5321 §4.1.2 allows, because real clients send their
/// bare host names with underscores and the like, but nothing that means something in a header field or a log.
fn hello(argument: &[u8], greeting: Greeting) -> Command<'static> {
    let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(octet);
    if argument.is_empty() || argument.len() > MAX_HELLO || !argument.iter().all(is_name) {
        return Command::Malformed(table::BAD_HELLO);
    }
    let Ok(name) = std::str::from_utf8(argument) else {
        return Command::Malformed(table::BAD_HELLO);
    };
    Command::Hello {
        name: name.into(),
        greeting,
    }
}

fn auth(argument: &[u8]) -> Command<'_> {
    let (name, rest) = split_word(argument);
    let initial = (!rest.is_empty()).then_some(rest);
    match sasl::mechanism(name) {
        Some(mechanism) => Command::Auth { mechanism, initial },
        None => Command::Malformed(table::BAD_ARGUMENT),
    }
}

/// VRFY and whom; SMTPUTF8 behind it is a parameter, without which nothing but ASCII is understood. RFC 6531 §3.1
fn verify(argument: &[u8], grammar: Grammar<'_>) -> Command<'static> {
    let (whom, is_utf8) = match memchr::memrchr(b' ', argument).and_then(|at| argument.split_at_checked(at)) {
        Some((whom, word)) if grammar.offers.utf8 && word.eq_ignore_ascii_case(b" SMTPUTF8") => (whom, true),
        _ => (argument, false),
    };
    if !whom.is_ascii() && !is_utf8 {
        return Command::Malformed(table::ADDRESS_NOT_ASCII);
    }
    if whom.is_empty() || std::str::from_utf8(whom).is_err() {
        return Command::Malformed(table::BAD_ARGUMENT);
    }
    Command::Verify
}

fn mail(argument: &[u8], grammar: Grammar<'_>) -> Command<'static> {
    let Some(text) = after_keyword(argument, b"FROM:") else {
        return Command::Malformed(table::BAD_ARGUMENT);
    };
    let parsed = if grammar.offers.utf8 {
        ReversePath::parse_prefix_utf8(text)
    } else {
        ReversePath::parse_prefix(text)
    };
    let (path, rest) = match parsed {
        Ok(parsed) => parsed,
        Err(AddressError::NotAscii) => return Command::Malformed(table::ADDRESS_NOT_ASCII),
        Err(AddressError::UnacceptableDomain(_)) => return Command::Malformed(table::BAD_SENDER_DOMAIN),
        Err(_) => return Command::Malformed(table::BAD_SENDER),
    };
    match Parameters::parse(rest, grammar) {
        // The word that allows it stands behind the path. RFC 6531 §3.5
        Ok(parameters) if !parameters.options.utf8 && !before(text, rest).is_ascii() => {
            Command::Malformed(table::ADDRESS_NOT_ASCII)
        }
        Ok(parameters) => Command::Mail(path, parameters),
        Err(reply) => Command::Malformed(reply),
    }
}

fn recipient(argument: &[u8], grammar: Grammar<'_>) -> Command<'static> {
    let Some(text) = after_keyword(argument, b"TO:") else {
        return Command::Malformed(table::BAD_ARGUMENT);
    };
    let parsed = if grammar.utf8 {
        ForwardPath::parse_prefix_utf8(text)
    } else {
        ForwardPath::parse_prefix(text)
    };
    let (path, rest) = match parsed {
        Ok(parsed) => parsed,
        Err(AddressError::NotAscii) => return Command::Malformed(table::ADDRESS_NOT_ASCII),
        Err(AddressError::UnacceptableDomain(_)) => return Command::Malformed(table::BAD_RECIPIENT_DOMAIN),
        Err(_) => return Command::Malformed(table::BAD_RECIPIENT),
    };
    let options = match parameters::of_recipient(rest, grammar) {
        Ok(options) => options,
        Err(reply) => return Command::Malformed(reply),
    };
    let path_as_written = before(text, rest);
    let original = path_as_written
        .get(1..path_as_written.len().saturating_sub(1))
        .unwrap_or_default();
    match std::str::from_utf8(original) {
        Ok(original) => Command::Recipient(RecipientPath {
            path,
            original: original.into(),
            options,
        }),
        Err(_) => Command::Malformed(table::ADDRESS_NOT_ASCII),
    }
}

/// What stands before `rest`, which is the end of `text`.
fn before<'a>(text: &'a [u8], rest: &[u8]) -> &'a [u8] {
    text.get(..text.len().saturating_sub(rest.len()))
        .unwrap_or_default()
}

/// What stands behind `FROM:` or `TO:`. Spaces before the path are not in the grammar (RFC 5321 §3.3), but sent by
/// many; they are tolerated.
fn after_keyword<'a>(argument: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let (word, rest) = argument.split_at_checked(keyword.len())?;
    if !word.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let spaces = rest.iter().take_while(|octet| **octet == b' ').count();
    rest.get(spaces..)
}

/// The text up to the first space, and what stands behind that space.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(at) => (
            text.get(..at).unwrap_or_default(),
            text.get(at + 1..).unwrap_or_default(),
        ),
        None => (text, &[]),
    }
}

fn trim_end(text: &[u8]) -> &[u8] {
    let kept = text
        .iter()
        .rposition(|octet| !matches!(octet, b' ' | b'\t'))
        .map_or(0, |last| last + 1);
    text.get(..kept).unwrap_or_default()
}

#[cfg(test)]
mod tests;
