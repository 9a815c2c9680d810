//! UIDs are unique and grow, over every reading and every restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use angarium::client::pop3;

use super::Broken;
use crate::letter::LetterId;

/// Its name.
pub(crate) const PROMISE: &str = "UIDs are unique and grow";

/// A unique id as POP3 shows it: `uidvalidity.uid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Uid {
    pub(crate) validity: u32,
    pub(crate) uid: u32,
}

/// A message as a mailbox gives it.
pub(crate) type Stored = pop3::Stored<Uid>;

impl FromStr for Uid {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts = text.split_once('.');
        let (validity, uid) = parts.ok_or_else(|| anyhow::anyhow!("{text:?} is no UID"))?;
        Ok(Self {
            validity: validity.parse()?,
            uid: uid.parse()?,
        })
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.validity, self.uid)
    }
}

/// Everything that was read of one mailbox.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    known: BTreeMap<LetterId, Uid>,
    highest: Option<Uid>,
}

impl Readings {
    /// One more listing of the whole mailbox, in the order of its message numbers.
    pub(crate) fn listed(&self, uids: &[Uid]) -> Result<(), Broken> {
        let mut unique = BTreeSet::new();
        for uid in uids {
            if !unique.insert(uid) {
                return Err(broken(format!("{uid} is given to two messages")));
            }
        }
        if let Some((first, second)) = uids.iter().zip(uids.iter().skip(1)).find(|(a, b)| a >= b) {
            return Err(broken(format!("{second} is listed behind {first}")));
        }
        let changed = |uid: &&Uid| {
            self.highest
                .is_some_and(|highest| uid.validity != highest.validity)
        };
        match uids.iter().find(changed) {
            Some(uid) => Err(broken(format!("UIDVALIDITY has changed to {}", uid.validity))),
            None => Ok(()),
        }
    }

    /// One more reading of the whole mailbox: which letter has which unique id.
    pub(crate) fn read(&mut self, found: &BTreeMap<LetterId, Uid>) -> Result<(), Broken> {
        for (id, uid) in found {
            match (self.known.get(id), self.highest) {
                (Some(before), _) if before != uid => {
                    return Err(broken(format!("letter {} was {before} and is now {uid}", id.0)));
                }
                (None, Some(highest)) if *uid <= highest => {
                    return Err(broken(format!(
                        "letter {} is new and has {uid}, {highest} was given before",
                        id.0
                    )));
                }
                _ => {}
            }
        }
        self.highest = self.highest.max(found.values().max().copied());
        self.known.extend(found);
        Ok(())
    }
}

fn broken(how: String) -> Broken {
    Broken::new(PROMISE, how)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(validity: u32, uid: u32) -> Uid {
        Uid { validity, uid }
    }

    fn found(rows: &[(u64, u32)]) -> BTreeMap<LetterId, Uid> {
        rows.iter()
            .map(|(id, number)| (LetterId(*id), uid(1, *number)))
            .collect()
    }

    #[test]
    fn holds_while_they_grow() {
        let mut readings = Readings::default();
        for reading in [
            &[][..],
            &[(5, 1), (3, 2)],
            &[(5, 1), (3, 2)],
            &[(3, 2), (1, 3), (2, 9)],
        ] {
            let found = found(reading);
            let mut uids: Vec<Uid> = found.values().copied().collect();
            uids.sort_unstable();
            readings.listed(&uids).unwrap();
            readings.read(&found).unwrap();
        }
    }

    #[test]
    fn sees_every_violation() {
        let mut readings = Readings::default();
        readings.read(&found(&[(1, 4), (2, 6)])).unwrap();
        for (listing, expected) in [
            (vec![uid(1, 4), uid(1, 4)], "two messages"),
            (vec![uid(1, 6), uid(1, 4)], "behind"),
            (vec![uid(2, 4)], "UIDVALIDITY"),
        ] {
            let broken = readings.listed(&listing).unwrap_err();
            assert!(broken.how.contains(expected), "{expected}: {broken}");
        }
        for (reading, expected) in [
            (&[(1, 5)][..], "was 1.4 and is now 1.5"),
            (&[(3, 5)], "is new"),
            (&[(3, 6)], "is new"),
        ] {
            let broken = readings.read(&found(reading)).unwrap_err();
            assert!(broken.how.contains(expected), "{expected}: {broken}");
        }
    }
}
