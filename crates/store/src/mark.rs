//! The sequence mark: a file beside the journal that says which command was last known to be durable.
//!
//! The engine takes damage that it cannot parse for a torn tail and drops what follows. A recovered sequence below
//! the mark makes that visible. The mark is written after each synced group and synced lazily: it may be behind after
//! a power cut, never ahead.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

/// Octets of a slot: magic, sequence, checksum.
const SLOT_OCTETS: usize = 20;
/// The two slots lie in different blocks, so that a torn write leaves one whole.
const SLOT_OFFSETS: [u64; 2] = [0, 4096];
const MAGIC: [u8; 8] = *b"angmark1";
/// How long a written mark may wait for its sync while groups go on.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);

/// The open mark file.
#[derive(Debug)]
pub(crate) struct Mark {
    file: File,
    slot: bool,
    synced: Instant,
}

impl Mark {
    /// Opens or creates the mark, and says what it promises: 0 when it is new.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let [first, second] = SLOT_OFFSETS.map(|offset| read_slot(&file, offset));
        let (first, second) = (first?, second?);
        let slot = first >= second;
        Ok((
            Self {
                file,
                slot,
                synced: Instant::now(),
            },
            first.max(second).unwrap_or(0),
        ))
    }

    /// Promises that this command, and all before it, are durable.
    pub(crate) fn write(&mut self, sequence: u64) -> io::Result<()> {
        let [first, second] = SLOT_OFFSETS;
        self.file
            .write_all_at(&encode(sequence), if self.slot { second } else { first })?;
        self.slot = !self.slot;
        if self.synced.elapsed() < SYNC_INTERVAL {
            return Ok(());
        }
        self.sync()
    }

    /// Makes the mark itself durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.synced = Instant::now();
        self.file.sync_data()
    }

    /// Takes back what was promised: the operator accepted a loss.
    pub(crate) fn reset(&mut self, sequence: u64) -> io::Result<()> {
        for offset in SLOT_OFFSETS {
            self.file.write_all_at(&encode(sequence), offset)?;
        }
        self.sync()
    }
}

fn encode(sequence: u64) -> [u8; SLOT_OCTETS] {
    let mut slot = [0; SLOT_OCTETS];
    let (body, checksum) = slot.split_at_mut(16);
    let (magic, number) = body.split_at_mut(8);
    magic.copy_from_slice(&MAGIC);
    number.copy_from_slice(&sequence.to_be_bytes());
    checksum.copy_from_slice(&crc32fast::hash(body).to_be_bytes());
    slot
}

/// The sequence in a slot; `None` when it was never written or is torn.
fn read_slot(file: &File, offset: u64) -> io::Result<Option<u64>> {
    let mut slot = [0; SLOT_OCTETS];
    match file.read_exact_at(&mut slot, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let Some(number) = slot.get(8..16).and_then(|number| number.try_into().ok()) else {
        return Ok(None);
    };
    let sequence = u64::from_be_bytes(number);
    Ok((encode(sequence) == slot).then_some(sequence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let (mut mark, promised) = Mark::open(&path).unwrap();
        assert_eq!(promised, 0);
        for sequence in [1, 2, 7, 9] {
            mark.write(sequence).unwrap();
            assert_eq!(Mark::open(&path).unwrap().1, sequence);
        }
        // The write of 9 was torn: 7 stands in the other slot.
        let (_, promised) = Mark::open(&path).unwrap();
        assert_eq!(promised, 9);
        let slot_of_nine = SLOT_OFFSETS
            .into_iter()
            .find(|&offset| read_slot(&mark.file, offset).unwrap() == Some(9))
            .unwrap();
        mark.file.write_all_at(&[0xff; 2], slot_of_nine + 12).unwrap();
        let (mut mark, promised) = Mark::open(&path).unwrap();
        assert_eq!(promised, 7);
        // The torn slot is the next to be written, so that 7 stays until 10 is whole.
        mark.write(10).unwrap();
        assert_eq!(read_slot(&mark.file, slot_of_nine).unwrap(), Some(10));
        mark.reset(3).unwrap();
        assert_eq!(Mark::open(&path).unwrap().1, 3);
    }
}
