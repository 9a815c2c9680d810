//! The stories of `tests/transcripts/pop3`, played against the machine; the README there has the format.

use std::collections::VecDeque;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use pop3::{Session, Settings, Tls};

use crate::actor::{Actor, settings};

#[test]
fn every_story_comes_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts/pop3");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".txt") {
            let text = fs::read_to_string(&path).unwrap();
            // In pieces, too: how the octets arrive is not part of the story.
            for piece in [usize::MAX, 1, 7] {
                play(&text, piece).unwrap_or_else(|why| panic!("{name}:{why} (pieces of {piece})"));
            }
            played += 1;
        }
    }
    assert!(played >= 8, "{played} stories");
}

#[test]
fn a_story_that_does_not_come_true_is_noticed() {
    let check = |story: &str, line: usize| {
        let why = play(story, usize::MAX).unwrap_err();
        assert!(why.starts_with(&format!("{line}: ")), "{why}");
    };
    check("S: +OK no\n", 1);
    check("S: +OK *\nC: NOOP\nS: +OK\n", 3);
    check("S: +OK *\n@close\n", 2);
    check("S: +OK *\nC: QUIT\nS: +OK *\nS: more\n", 4);
    check("S: +OK *\nC: QUIT\n", 3);
    check("S: +OK *\n@removed 1\n", 2);
    check("S: +OK *\n@fly\n", 2);
}

struct Stage {
    actor: Actor,
    heard: VecDeque<String>,
    piece: usize,
    /// What the client has said since it last listened.
    unsent: Vec<u8>,
    crash: bool,
}

fn play(story: &str, piece: usize) -> Result<(), String> {
    let mut settings = Settings {
        tls: Tls::Unavailable,
        ..settings()
    };
    let mut mailbox: Vec<Vec<u8>> = Vec::new();
    let mut stage: Option<Stage> = None;
    let mut number = 0;
    for line in story.lines() {
        number += 1;
        let at = |why: &str| format!("{number}: {why}");
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (kind, rest) = if line.starts_with('@') {
            line.split_once(' ').unwrap_or((line, ""))
        } else {
            line.split_at(2)
        };
        let rest = if line.starts_with('@') {
            rest
        } else {
            rest.strip_prefix(' ').unwrap_or(rest)
        };
        match (kind, stage.as_mut()) {
            ("@limit", None) => set(&mut settings, rest).map_err(at)?,
            ("@offer", None) if rest == "stls" => settings.tls = Tls::Offered,
            ("@message", None) => mailbox.push(Vec::new()),
            ("B:", None) => mailbox
                .last_mut()
                .ok_or(at("no message"))?
                .extend([&*octets(rest)?, b"\r\n"].concat()),
            ("B|", None) => mailbox.last_mut().ok_or(at("no message"))?.extend(octets(rest)?),
            ("S:", None) => {
                let mut entered = Stage::enter(settings.clone(), &mailbox, piece);
                entered.expect(rest).map_err(|why| at(&why))?;
                stage = Some(entered);
            }
            ("C:", Some(stage)) => stage.unsent.extend([&*octets(rest)?, b"\r\n"].concat()),
            ("C|", Some(stage)) => stage.unsent.extend(octets(rest)?),
            ("C*", Some(stage)) => stage.unsent.extend(repeated(rest)?),
            ("S:", Some(stage)) => stage.expect(rest).map_err(|why| at(&why))?,
            ("@tls", Some(stage)) => stage.actor.session.tls_established(false),
            ("@wait", Some(stage)) => stage.wait(rest)?,
            ("@crash", Some(stage)) => stage.crash = true,
            ("@removed", Some(stage)) => stage.removed(rest).map_err(|why| at(&why))?,
            ("@close", Some(stage)) => stage.close().map_err(|why| at(&why))?,
            _ => return Err(at("not in the format, or out of place")),
        }
    }
    let Some(mut stage) = stage else {
        return Err(format!("{number}: nothing happened"));
    };
    if stage.listen().is_empty() {
        Ok(())
    } else {
        Err(format!("{}: the server said more", number + 1))
    }
}

impl Stage {
    fn enter(settings: Settings, mailbox: &[Vec<u8>], piece: usize) -> Self {
        let mut actor = Actor::new(settings, &[]);
        actor.name = "ada@example.org";
        actor.mailbox = mailbox.iter().cloned().map(Bytes::from).collect();
        actor.part_octets = piece;
        let heard = actor.greeting().lines().map(str::to_owned).collect();
        Self {
            actor,
            heard,
            piece,
            unsent: Vec::new(),
            crash: false,
        }
    }

    fn listen(&mut self) -> &VecDeque<String> {
        let said = std::mem::take(&mut self.unsent);
        if self.crash && !said.is_empty() {
            self.crash = false;
            self.actor.session = Session::recover(self.actor.session.clone(), self.actor.now);
        }
        let replies: String = said
            .chunks(self.piece)
            .map(|piece| self.actor.feed(piece))
            .collect();
        self.heard
            .extend(replies.split_terminator("\r\n").map(str::to_owned));
        &self.heard
    }

    fn expect(&mut self, pattern: &str) -> Result<(), String> {
        self.listen();
        match self.heard.pop_front() {
            Some(line) if matches(pattern, &line) => Ok(()),
            Some(line) => Err(format!("the server said {line:?}")),
            None => Err("the server said nothing".to_owned()),
        }
    }

    fn wait(&mut self, seconds: &str) -> Result<(), String> {
        self.listen();
        let seconds = seconds.parse().map_err(|_| "seconds are a number")?;
        self.actor.now += Duration::from_secs(seconds);
        self.actor.session.timeout(self.actor.now);
        Ok(())
    }

    fn removed(&mut self, numbers: &str) -> Result<(), String> {
        self.listen();
        let uids: Vec<u32> = numbers
            .split_whitespace()
            .flat_map(str::parse::<u32>)
            .map(|number| number * 10)
            .collect();
        let expected: Vec<String> = (!uids.is_empty())
            .then(|| format!("remove {uids:?}"))
            .into_iter()
            .collect();
        let found: Vec<&String> = self
            .actor
            .asked
            .iter()
            .filter(|asked| asked.starts_with("remove"))
            .collect();
        if found.iter().copied().eq(&expected) {
            Ok(())
        } else {
            Err(format!("it was {found:?}"))
        }
    }

    fn close(&mut self) -> Result<(), String> {
        if !self.listen().is_empty() {
            return Err(format!("the server said more: {:?}", self.heard));
        }
        if self.actor.session.ended() {
            Ok(())
        } else {
            Err("the connection is open".to_owned())
        }
    }
}

fn set(settings: &mut Settings, limit: &str) -> Result<(), &'static str> {
    let (name, value) = limit.split_once(' ').ok_or("a limit has a name and a value")?;
    let value: u32 = value.parse().map_err(|_| "a limit is a number")?;
    let time = Duration::from_secs(value.into());
    match name {
        "cleartext_login" => {
            settings.cleartext_login = value != 0;
            if value == 0 {
                settings.mechanisms.clear.clear();
            }
        }
        "error_limit" => settings.error_limit = value,
        "failed_login_limit" => settings.failed_login_limit = value,
        "idle_timeout" => settings.idle_timeout = time,
        "login_timeout" => settings.login_timeout = time,
        "session_timeout" => settings.session_timeout = time,
        _ => return Err("no such limit"),
    }
    Ok(())
}

/// Whether `line` is what `pattern` says: `*` stands for any octets, everything else for itself.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == line;
    };
    let Some(mut line) = line.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest
        .rsplit_once('*')
        .map_or((None, rest), |(middle, last)| (Some(middle), last));
    for piece in middle.into_iter().flat_map(|middle| middle.split('*')) {
        let Some((_, behind)) = line.split_once(piece) else {
            return false;
        };
        line = behind;
    }
    line.ends_with(last)
}

fn repeated(text: &str) -> Result<Vec<u8>, String> {
    let (count, text) = text.split_once(' ').ok_or("how often, and what")?;
    let count = count.parse().map_err(|_| "how often is a number")?;
    Ok(octets(text)?.repeat(count))
}

/// The octets of a text with `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH` in it.
fn octets(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        octets.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = [rest.next().unwrap_or(b'?'), rest.next().unwrap_or(b'?')];
                let digits = str::from_utf8(&digits).map_err(|_| "two digits follow \\x")?;
                u8::from_str_radix(digits, 16).map_err(|_| "two digits follow \\x")?
            }
            _ => return Err("no such escape".to_owned()),
        });
    }
    Ok(octets)
}
