//! Saved: the counters as they are written beside the store once a minute, so that a restart does not forgive.
//!
//! They may be lost: a file that is missing, cut, of another version or of an hour ago is as good as none.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
    time::Duration,
};

use message::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    table::{Key, Moments, Slot, Table},
    window::{Moment, Window},
};

/// What the file begins with; the number is the version of what follows.
const MAGIC: &[u8; 16] = b"angarium limits1";

/// Octets of the checksum at the end, of BLAKE3.
const CHECKSUM_OCTETS: usize = 32;

/// The largest file that is read: more than [`MAX_ROWS`] of every kind take.
const MAX_OCTETS: u64 = 32 << 20;

/// Subjects of one kind that are written; those that tell most.
pub(super) const MAX_ROWS: usize = 65_536;

/// The counters of all kinds at one moment.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) at: Timestamp,
    pub(super) addresses: Vec<Row>,
    pub(super) networks: Vec<Row>,
    pub(super) accounts: Vec<Row>,
    pub(super) domains: Vec<Row>,
}

/// What is known of one subject: how much of each thing in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) counts: [u32; 5],
}

/// Why a file says nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotSaved {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("it is damaged, or of another version")]
    Damaged,
}

impl Saved {
    /// Writes the file whole or not at all. Not synced: it may be lost. Blocks.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut octets = postcard::to_extend(self, MAGIC.to_vec()).map_err(io::Error::other)?;
        let checksum = blake3::hash(&octets);
        octets.extend_from_slice(checksum.as_bytes());
        let unfinished = path.with_extension("new");
        File::create(&unfinished)?.write_all(&octets)?;
        fs::rename(unfinished, path)
    }

    /// Reads the file; none when there is none. Blocks.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, NotSaved> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(why.into()),
        };
        let mut octets = Vec::new();
        file.take(MAX_OCTETS).read_to_end(&mut octets)?;
        Self::parse(&octets).map(Some).ok_or(NotSaved::Damaged)
    }

    fn parse(octets: &[u8]) -> Option<Self> {
        let (summed, checksum) = octets.split_last_chunk::<CHECKSUM_OCTETS>()?;
        let fields = summed.strip_prefix(MAGIC)?;
        if blake3::hash(summed) != *checksum {
            return None;
        }
        postcard::from_bytes(fields).ok()
    }
}

/// What a table knows; of more than are written those who tell most.
pub(super) fn rows(table: &Table, now: Moments) -> Vec<Row> {
    let mut slots = Vec::new();
    table.each(now, |key, slot| slots.push((slot.worth(now), *key, *slot)));
    if slots.len() > MAX_ROWS {
        slots.select_nth_unstable_by_key(MAX_ROWS, |(worth, ..)| std::cmp::Reverse(*worth));
        slots.truncate(MAX_ROWS);
    }
    let row = |(_, key, mut slot): (_, Key, Slot)| Row {
        key,
        counts: windows(&mut slot, now).map(|(window, now)| window.count(now)),
    };
    slots.into_iter().map(row).collect()
}

/// Counts on from what was written some time ago: of that as much as would still be in the window.
pub(super) fn restore(table: &Table, rows: &[Row], now: Moments, age: Duration) {
    for row in rows {
        table.change(&row.key, now, |slot| {
            for ((window, now), count) in windows(slot, now).into_iter().zip(row.counts) {
                window.add(now, now.left_of(count, age));
            }
        });
    }
}

/// The windows of a slot in the order in which they are written.
fn windows(slot: &mut Slot, now: Moments) -> [(&mut Window, Moment); 5] {
    [
        (&mut slot.connections, now.connections),
        (&mut slot.messages, now.messages),
        (&mut slot.recipients, now.messages),
        (&mut slot.offences, now.offences),
        (&mut slot.logins, now.logins),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("limits");
        assert!(matches!(Saved::read(&path), Ok(None)));
        let row = Row {
            key: [7; 16],
            counts: [1, 2, 3, 4, 5],
        };
        let saved = Saved {
            at: Timestamp::from_secs(1_700_000_000),
            addresses: vec![row; 3],
            ..Saved::default()
        };
        saved.write(&path).unwrap();
        assert_eq!(Saved::read(&path).unwrap(), Some(saved));
        let octets = fs::read(&path).unwrap();
        for place in 0..octets.len() {
            let mut damaged = octets.clone();
            damaged[place] ^= 1;
            assert_eq!(Saved::parse(&damaged), None, "changed at {place}");
            assert_eq!(Saved::parse(&octets[..place]), None, "cut at {place}");
        }
        fs::write(&path, b"").unwrap();
        assert!(matches!(Saved::read(&path), Err(NotSaved::Damaged)));
    }
}
