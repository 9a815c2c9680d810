//! Letter: one message of ours, different from every other, so that each octet of it can be asked for again.

use std::sync::Arc;

use angarium::client::smtp;
use rand::{Rng, rngs::StdRng};

/// The field that names a letter.
const FIELD: &[u8] = b"X-Letter: ";

/// Most letters are short.
const SHORT: usize = 8 << 10;

/// Some are longer than a chunk of the store, so that they are written in parts.
const LONG: usize = 300 << 10;

/// One in so many letters is long.
const LONG_IN: u32 = 40;

/// The number of a letter. Every attempt to send is a letter of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LetterId(pub(crate) u64);

/// A message as it is to be found in the end.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    /// Its number, which it also carries.
    pub(crate) id: LetterId,
    /// All of it, lines ending in CRLF, dots not doubled.
    pub(crate) octets: Arc<[u8]>,
}

impl Letter {
    /// A letter of a length and with words that are drawn.
    pub(crate) fn drawn(id: LetterId, rng: &mut StdRng) -> Self {
        let most = if rng.random_ratio(1, LONG_IN) { LONG } else { SHORT };
        let length = rng.random_range(0..most);
        let mut octets = head(id);
        let end = octets.len() + length;
        while octets.len() < end {
            let line = rng.random_range(0..78_usize);
            // Dots at the head of a line are what the transport doubles.
            octets.extend((0..rng.random_range(0..3_usize).min(line)).map(|_| b'.'));
            octets.extend((0..line).map(|_| rng.random_range(b' '..=b'~')));
            octets.extend_from_slice(b"\r\n");
        }
        Self {
            id,
            octets: octets.into(),
        }
    }

    /// A letter whose text is a client's half of a session, so many times: should any of it be read as commands, the
    /// replies tell.
    pub(crate) fn of_commands(id: LetterId, to: &str, times: usize) -> Self {
        let mut octets = head(id);
        let text = format!(
            "EHLO body.example\r\nMAIL FROM:<body@body.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n.\r\n..\r\n.QUIT\r\n\
             RSET\r\nVRFY a0\r\nNOOP\r\n.RSET\r\n\r\nSTARTTLS\r\nQUIT\r\n"
        );
        octets.extend_from_slice(text.repeat(times).as_bytes());
        Self {
            id,
            octets: octets.into(),
        }
    }

    /// The letter as it crosses the wire, its end included. RFC 5321 §4.5.2
    pub(crate) fn on_the_wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(self.octets.len() + 64);
        for line in self.octets.split_inclusive(|octet| *octet == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(b".\r\n");
        wire
    }

    /// Which letter a stored message says it is.
    pub(crate) fn id_of(stored: &[u8]) -> Option<LetterId> {
        stored
            .split(|octet| *octet == b'\n')
            .take_while(|line| !matches!(line, [] | [b'\r']))
            .find_map(|line| line.strip_prefix(FIELD))
            .and_then(|rest| std::str::from_utf8(rest).ok()?.trim_end().parse().ok())
            .map(LetterId)
    }
}

/// The commands before a letter to this address, to be sent at once.
pub(crate) fn commands(to: &str) -> String {
    smtp::commands("chaos@sender.example", to)
}

fn head(id: LetterId) -> Vec<u8> {
    let mut head = FIELD.to_vec();
    head.extend_from_slice(
        format!(
            "{:08}\r\nFrom: chaos@sender.example\r\nSubject: letter {:08}\r\n\r\n",
            id.0, id.0
        )
        .as_bytes(),
    );
    head
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_letter_is_found_by_its_number() {
        let mut rng = StdRng::seed_from_u64(1);
        for number in [0, 7, u64::MAX] {
            let letter = Letter::drawn(LetterId(number), &mut rng);
            let stored = [b"Return-Path: <>\r\nReceived: x\r\n\tX\r\n", &*letter.octets].concat();
            assert_eq!(Letter::id_of(&stored), Some(LetterId(number)));
        }
        assert_eq!(Letter::id_of(b"Subject: x\r\n\r\nX-Letter: 7\r\n"), None);
    }

    #[test]
    fn dots_are_doubled_on_the_wire() {
        let letter = Letter::of_commands(LetterId(1), "a0@localhost", 1);
        let wire = String::from_utf8(letter.on_the_wire()).unwrap();
        assert!(wire.contains("\r\n..\r\n...\r\n..QUIT\r\n"), "{wire}");
        assert!(wire.ends_with("QUIT\r\n.\r\n"));
        assert_eq!(wire.matches("\r\n.\r\n").count(), 1);
    }
}
