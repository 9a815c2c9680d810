//! Every message answered 250 is in its mailbox exactly once and byte for byte; others at most once.

use std::collections::{BTreeMap, btree_map::Entry as Place};

use super::Broken;
use crate::{
    ledger::{Entry, Fate},
    letter::{Letter, LetterId},
    promise::uids_grow::{Stored, Uid},
};

/// Its name.
pub(crate) const PROMISE: &str = "what was answered 250 is there exactly once and unchanged";

/// The fields that a server may put before a message, each once. RFC 5321 §4.4
const PREPENDED: [&[u8]; 2] = [b"Return-Path:", b"Received:"];

/// Compares the letters to one account with its mailbox, and says which letter has which unique id.
pub(crate) fn check(
    letters: &BTreeMap<LetterId, Entry>,
    mailbox: &[Stored],
) -> Result<BTreeMap<LetterId, Uid>, Broken> {
    let mut found = BTreeMap::new();
    for stored in mailbox {
        let Some(id) = Letter::id_of(&stored.octets) else {
            return Err(broken(format!("message {} names no letter", stored.uid)));
        };
        let Some(entry) = letters.get(&id) else {
            return Err(broken(format!("letter {} was never sent to this account", id.0)));
        };
        if entry.fate == Fate::Deleted {
            return Err(broken(format!("letter {} was deleted and is there again", id.0)));
        }
        if entry.fate == Fate::SetAside {
            return Err(broken(format!("letter {} was set aside and is there", id.0)));
        }
        if !is_same(&stored.octets, &entry.octets) {
            let (sent, now) = (entry.octets.len(), stored.octets.len());
            return Err(broken(format!(
                "letter {} is changed: {sent} octets were sent, {now} are stored",
                id.0
            )));
        }
        match found.entry(id) {
            Place::Vacant(place) => place.insert(stored.uid),
            Place::Occupied(first) => {
                let first = first.get();
                return Err(broken(format!(
                    "letter {} is there twice, as {first} and as {}",
                    id.0, stored.uid
                )));
            }
        };
    }
    match missing(letters, &found) {
        Some(id) => Err(broken(format!("letter {} was answered 250 and is lost", id.0))),
        None => Ok(found),
    }
}

/// How many letters must be there.
pub(crate) fn expected(letters: &BTreeMap<LetterId, Entry>) -> usize {
    let accepted = |entry: &&Entry| entry.fate == Fate::Accepted;
    letters.values().filter(accepted).count()
}

/// Whether a letter that was accepted is still on its way.
pub(crate) fn is_waiting(letters: &BTreeMap<LetterId, Entry>, mailbox: &[Stored]) -> bool {
    let there = |stored: &Stored| Some((Letter::id_of(&stored.octets)?, stored.uid));
    missing(letters, &mailbox.iter().filter_map(there).collect()).is_some()
}

/// The first letter that was accepted and is not among these.
fn missing(letters: &BTreeMap<LetterId, Entry>, found: &BTreeMap<LetterId, Uid>) -> Option<LetterId> {
    letters
        .iter()
        .find(|(id, entry)| entry.fate == Fate::Accepted && !found.contains_key(id))
        .map(|(id, _)| *id)
}

/// Whether a stored message is what was sent, with trace fields before it and nothing else.
pub(crate) fn is_same(stored: &[u8], sent: &[u8]) -> bool {
    let Some(trace) = stored.strip_suffix(sent) else {
        return false;
    };
    let mut left = PREPENDED.to_vec();
    let mut inside = false;
    trace.split_inclusive(|octet| *octet == b'\n').all(|line| {
        if matches!(line, [b' ' | b'\t', ..]) {
            return inside;
        }
        let field = left.iter().position(|field| line.starts_with(field));
        inside = field.map(|field| left.remove(field)).is_some();
        inside && line.ends_with(b"\r\n")
    })
}

fn broken(how: String) -> Broken {
    Broken::new(PROMISE, how)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const TRACE: &[u8] = b"Return-Path: <a@b>\r\nReceived: from x\r\n\tby y; now\r\n";

    fn letter(number: u64) -> Letter {
        Letter::of_commands(LetterId(number), "a0@localhost", 1)
    }

    fn letters(fates: &[(u64, Fate)]) -> BTreeMap<LetterId, Entry> {
        let entry = |(number, fate): &(u64, Fate)| {
            let entry = Entry {
                account: 0,
                octets: letter(*number).octets,
                fate: *fate,
            };
            (LetterId(*number), entry)
        };
        fates.iter().map(entry).collect()
    }

    fn stored(uid: u32, trace: &[u8], sent: &[u8]) -> Stored {
        Stored {
            uid: Uid { validity: 1, uid },
            octets: [trace, sent].concat(),
        }
    }

    fn whole(uid: u32, number: u64) -> Stored {
        stored(uid, TRACE, &letter(number).octets)
    }

    #[test]
    fn holds_when_everything_is_there() {
        let letters = letters(&[
            (1, Fate::Accepted),
            (2, Fate::Open),
            (3, Fate::Accepted),
            (4, Fate::Deleted),
            (5, Fate::SetAside),
        ]);
        for mailbox in [
            vec![whole(1, 1), whole(2, 3)],
            vec![whole(1, 3), whole(2, 1), whole(7, 2)],
            vec![stored(1, b"", &letter(1).octets), whole(2, 3)],
        ] {
            let found = check(&letters, &mailbox).unwrap();
            assert_eq!(found.len(), mailbox.len());
        }
    }

    #[test]
    fn sees_every_violation() {
        let letters = letters(&[
            (1, Fate::Accepted),
            (2, Fate::Open),
            (3, Fate::Deleted),
            (4, Fate::SetAside),
        ]);
        let sent = letter(1).octets;
        let mut flipped = sent.to_vec();
        *flipped.last_mut().unwrap() = b'!';
        let shortened: Arc<[u8]> = sent[..sent.len() - 2].into();
        for (mailbox, expected) in [
            (vec![], "1 was answered 250 and is lost"),
            (vec![whole(1, 2)], "1 was answered 250 and is lost"),
            (vec![whole(1, 1), whole(2, 1)], "there twice, as 1.1 and as 1.2"),
            (vec![whole(1, 1), whole(2, 2), whole(3, 2)], "there twice"),
            (vec![whole(1, 1), whole(2, 3)], "deleted and is there again"),
            (vec![whole(1, 1), whole(2, 4)], "set aside and is there"),
            (vec![whole(1, 1), whole(2, 9)], "never sent"),
            (vec![stored(1, TRACE, &flipped)], "changed"),
            (vec![stored(1, TRACE, &shortened)], "changed"),
            (vec![stored(1, TRACE, &[&sent[..], b".\r\n"].concat())], "changed"),
            (vec![stored(1, b"X-Other: 1\r\n", &sent)], "changed"),
            (vec![stored(1, b"\tReceived: 1\r\n", &sent)], "changed"),
            (vec![stored(1, &[TRACE, TRACE].concat(), &sent)], "changed"),
            (vec![stored(1, b"Received: bare\n", &sent)], "changed"),
            (
                vec![whole(1, 1), stored(2, b"", b"Subject: x\r\n\r\n")],
                "names no letter",
            ),
        ] {
            let broken = check(&letters, &mailbox).unwrap_err();
            assert!(broken.how.contains(expected), "{expected}: {broken}");
        }
    }
}
