//! Transcript: a story of client and server as a text file, taken apart. `tests/transcripts/README.md` has the format.
//!
//! Only the format is here. Who runs a story decides what plays the server: the machine alone, or a socket.

use std::time::Duration;

use message::time::Timestamp;
use thiserror::Error;

use crate::offers::{FutureRelease, Offers};
use crate::sasl::Mechanisms;
use crate::settings::{Mode, Settings};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What is to be set before the first step, as name and value.
    pub limits: Vec<(String, u64)>,
    /// What the listener is for.
    pub mode: Mode,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
    /// Whether the client is a trusted proxy.
    pub xclient: bool,
    /// By which mechanisms a client may log in.
    pub mechanisms: Mechanisms,
    /// What is offered beside that.
    pub offers: Offers,
    /// Whether what is sent at once must also arrive at once for the story to come true.
    pub together: bool,
    /// What happens, with the number of the line that says so.
    pub steps: Vec<(usize, Step)>,
}

/// One step of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The client sends these octets. Several in a row are sent at once.
    Send(Vec<u8>),
    /// The server sends a line that matches this pattern (see [`matches`]); without its CRLF.
    Expect(String),
    /// The server says lines that match this pattern, as many as follow each other, also none.
    ExpectAll(String),
    /// The server closes the connection.
    Close,
    /// Client and server make a TLS handshake.
    Tls,
    /// Time passes.
    Wait(Duration),
    /// The actor that owns the session dies in the next turn and is started again.
    Crash {
        /// Whether what it proposed to the store in that turn became durable before.
        after_accept: bool,
    },
    /// A message was accepted, after those that were accepted before.
    Accepted(Accepted),
}

/// What a server must have accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// The reverse-path with its angle brackets.
    pub reverse_path: String,
    /// The addresses, in the order of their commands.
    pub recipients: Vec<String>,
    /// The octets of the message, without what the server puts before them.
    pub text: Vec<u8>,
}

/// Why a file is no story.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {why}")]
pub struct StoryError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Story {
    /// Takes a file apart.
    ///
    /// # Errors
    /// Names the first line that is not in the format.
    pub fn parse(text: &str) -> Result<Self, StoryError> {
        let mut story = Self {
            limits: Vec::new(),
            mode: Mode::Relay,
            starttls: false,
            xclient: false,
            mechanisms: Mechanisms::default(),
            offers: Offers::default(),
            together: false,
            steps: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            story
                .take(line, number)
                .map_err(|why| StoryError { line: number, why })?;
        }
        Ok(story)
    }

    /// Whether only a machine can play it: over a socket nobody can let time pass or kill an actor at a given octet,
    /// who logs in by which mechanism is not the machine's, and the program offers SMTPUTF8 always and other extensions
    /// not yet.
    #[must_use]
    pub fn is_for_the_machine(&self) -> bool {
        let offers = Offers {
            utf8: true,
            ..self.offers.clone()
        };
        let program = Offers {
            utf8: true,
            ..Offers::default()
        };
        !self.mechanisms.is_empty()
            || offers != program
            || self.xclient
            || self
                .steps
                .iter()
                .any(|(_, step)| matches!(step, Step::Wait(_) | Step::Crash { .. }))
    }

    /// The settings that the story wants, made from those that it does not mention.
    ///
    /// # Errors
    /// [`StoryError`] with line 0 for a limit that there is not, or a value that it cannot have.
    pub fn settings(&self, base: Settings) -> Result<Settings, StoryError> {
        let mut settings = base;
        settings.mode = self.mode;
        settings.starttls = self.starttls;
        settings.xclient = self.xclient;
        settings.mechanisms = self.mechanisms.clone();
        settings.offers = self.offers.clone();
        for (name, value) in &self.limits {
            set(&mut settings, name, *value).map_err(|why| StoryError { line: 0, why })?;
        }
        Ok(settings)
    }

    fn take(&mut self, line: &str, number: usize) -> Result<(), &'static str> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(directive) = line.strip_prefix('@') {
            return self.directive(directive, number);
        }
        let (kind, rest) = line
            .split_at_checked(2)
            .ok_or("a step begins with C: C| C* S: S* B: B| B* or @")?;
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        let step = match kind {
            "C:" => Step::Send([&*octets(rest)?, b"\r\n"].concat()),
            "C|" => Step::Send(octets(rest)?),
            "C*" => Step::Send(repeated(rest)?),
            "S:" => Step::Expect(rest.to_owned()),
            "S*" => Step::ExpectAll(rest.to_owned()),
            "B:" => return self.text(&[&*octets(rest)?, b"\r\n"].concat()),
            "B|" => return self.text(&octets(rest)?),
            "B*" => return self.text(&repeated(rest)?),
            _ => return Err("a step begins with C: C| C* S: S* B: B| B* or @"),
        };
        self.steps.push((number, step));
        Ok(())
    }

    fn directive(&mut self, directive: &str, number: usize) -> Result<(), &'static str> {
        let mut words = directive.split_whitespace();
        let name = words.next().ok_or("a directive has a name")?;
        let words: Vec<_> = words.collect();
        let step = match (name, &*words) {
            ("limit", [name, value]) => {
                let value = value.parse().map_err(|_| "a limit is a number")?;
                self.limits.push(((*name).to_owned(), value));
                return Ok(());
            }
            ("mode", [mode @ ("submission" | "lmtp")]) => {
                self.mode = if *mode == "lmtp" {
                    Mode::Lmtp
                } else {
                    Mode::Submission
                };
                return Ok(());
            }
            ("offer", ["starttls"]) => {
                self.starttls = true;
                return Ok(());
            }
            ("offer", ["xclient"]) => {
                self.xclient = true;
                return Ok(());
            }
            ("offer", ["auth", names @ ..]) => {
                let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
                self.mechanisms = Mechanisms {
                    clear: names.clone(),
                    tls: names,
                };
                return Ok(());
            }
            ("offer", ["auth-under-tls", names @ ..]) => {
                self.mechanisms.tls = names.iter().map(|&name| name.to_owned()).collect();
                return Ok(());
            }
            ("offer", [name]) => return offer(&mut self.offers, name),
            ("together", []) => {
                self.together = true;
                return Ok(());
            }
            ("close", []) => Step::Close,
            ("tls", []) => Step::Tls,
            ("wait", [seconds]) => Step::Wait(Duration::from_secs(
                seconds.parse().map_err(|_| "seconds are a number")?,
            )),
            ("crash", []) => Step::Crash { after_accept: false },
            ("crash", ["after-accept"]) => Step::Crash { after_accept: true },
            ("accepted", [reverse_path, recipients @ ..]) => Step::Accepted(Accepted {
                reverse_path: (*reverse_path).to_owned(),
                recipients: recipients.iter().map(|&recipient| recipient.to_owned()).collect(),
                text: Vec::new(),
            }),
            _ => return Err("no such directive"),
        };
        self.steps.push((number, step));
        Ok(())
    }

    fn text(&mut self, text: &[u8]) -> Result<(), &'static str> {
        match self.steps.last_mut() {
            Some((_, Step::Accepted(accepted))) => {
                accepted.text.extend_from_slice(text);
                Ok(())
            }
            _ => Err("B lines follow @accepted"),
        }
    }
}

/// Whether `line` is what `pattern` says: `*` stands for any octets, everything else for itself.
#[must_use]
pub fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn set(settings: &mut Settings, name: &str, value: u64) -> Result<(), &'static str> {
    let small = || u32::try_from(value).map_err(|_| "too large for this limit");
    let length = || usize::try_from(value).map_err(|_| "too large for this limit");
    let time = Duration::from_secs(value);
    match name {
        "max_message_size" => settings.max_message_size = value,
        "max_recipients" => settings.max_recipients = length()?,
        "max_errors" => settings.max_errors = small()?,
        "max_unknown_commands" => settings.max_unknown_commands = small()?,
        "max_refused_recipients" => settings.max_refused_recipients = small()?,
        "max_commands_without_mail" => settings.max_commands_without_mail = small()?,
        "max_transactions" => settings.max_transactions = small()?,
        "max_command_line" => settings.max_command_line = length()?,
        "max_hops" => settings.max_hops = small()?,
        "greeting_delay" => settings.timeouts.greeting = time,
        "command_timeout" => settings.timeouts.command = time,
        "data_block_timeout" => settings.timeouts.data_block = time,
        "data_total_timeout" => settings.timeouts.data_total = time,
        "session_total_timeout" => settings.timeouts.session_total = time,
        _ => return Err("no such limit"),
    }
    Ok(())
}

fn offer(offers: &mut Offers, name: &str) -> Result<(), &'static str> {
    match name {
        "smtputf8" => offers.utf8 = true,
        "dsn" => offers.dsn = true,
        "future-release" => {
            offers.future_release = Some(FutureRelease {
                max_interval: Duration::from_secs(7 * 24 * 60 * 60),
                max_until: Timestamp::from_secs(1_800_000_000),
            });
        }
        "deliver-by" => offers.deliver_by = Some(Duration::from_secs(60)),
        "mt-priority" => offers.mt_priority = true,
        "require-tls" => offers.require_tls = true,
        _ => return Err("no such offer"),
    }
    Ok(())
}

fn repeated(text: &str) -> Result<Vec<u8>, &'static str> {
    let (count, text) = text.split_once(' ').ok_or("how often, and what")?;
    let count = count.parse().map_err(|_| "how often is a number")?;
    Ok(octets(text)?.repeat(count))
}

/// The octets of a text with `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` in it.
fn octets(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let mut characters = escape.chars();
        match characters.next() {
            Some('r') => octets.push(b'\r'),
            Some('n') => octets.push(b'\n'),
            Some('t') => octets.push(b'\t'),
            Some('0') => octets.push(0),
            Some('\\') => octets.push(b'\\'),
            Some('x') => {
                let digits = escape.get(1..3).ok_or("two digits follow \\x")?;
                octets.push(u8::from_str_radix(digits, 16).map_err(|_| "two digits follow \\x")?);
                characters = escape.get(3..).unwrap_or_default().chars();
            }
            _ => return Err("no such escape"),
        }
        rest = characters.as_str();
    }
    octets.extend_from_slice(rest.as_bytes());
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_taken_apart() {
        let story = Story::parse(
            "# title\n\n@limit max_errors 3\n@offer starttls\nC: a\\x00\\\\\nC| b\nC* 2 \\r\nS: 250 *\n@wait 5\n\
             @accepted <> x@y\nB: line\n@close\n",
        )
        .unwrap();
        assert_eq!(story.limits, [("max_errors".to_owned(), 3)]);
        assert!(story.starttls && story.is_for_the_machine());
        let accepted = Accepted {
            reverse_path: "<>".into(),
            recipients: vec!["x@y".into()],
            text: b"line\r\n".into(),
        };
        let expected = [
            (5, Step::Send(b"a\0\\\r\n".into())),
            (6, Step::Send(b"b".into())),
            (7, Step::Send(b"\r\r".into())),
            (8, Step::Expect("250 *".into())),
            (9, Step::Wait(Duration::from_secs(5))),
            (10, Step::Accepted(accepted)),
            (12, Step::Close),
        ];
        assert_eq!(story.steps, expected);
        assert_eq!(story.settings(Settings::new("x")).unwrap().max_errors, 3);
    }

    #[test]
    fn what_is_no_story_is_refused_by_line() {
        for text in [
            "C: ok\nX: y",
            "C: ok\nC: \\q",
            "C: ok\n@fly",
            "C: ok\nB: no",
            "C: ok\nC* x y",
            "C: ok\n@wait x",
        ] {
            assert_eq!(Story::parse(text).unwrap_err().line, 2, "{text}");
        }
    }

    #[test]
    fn a_star_matches_anything() {
        let check =
            |pattern, line, expected| assert_eq!(matches(pattern, line), expected, "{pattern} {line}");
        check("250 Ok", "250 Ok", true);
        check("250 Ok", "250 Okay", false);
        check("250 *", "250 ", true);
        check("250-*", "250 x", false);
        check("*a*b", "xaxbxb", true);
        check("*a*b", "xbxa", false);
        check("a*a", "a", false);
    }
}
