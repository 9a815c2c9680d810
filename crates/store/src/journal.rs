//! The journals of the engine, read before it opens them.
//!
//! fjall cuts a journal at the first entry that it cannot parse, as if a crash had torn it there, and goes on with the
//! next journal; it does not check the order of batches. So before it may touch them, the journals are walked here:
//! what comes behind the last whole batch, which commands are there, and whether batches stand in order. Contents are
//! not checked, fjall does that by checksum. The format is that of fjall 3 (its file `journal/entry.rs`).

use std::{
    fs::{self, File},
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rustix::fs::{SeekFrom, seek};

use crate::sequence;

/// What the journals of an engine hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Journals {
    /// The newest command of a whole batch; `None` when there is no batch with a command.
    pub(crate) newest: Option<u64>,
    /// Octets behind the last whole batch of the newest journal: torn by a crash, or damage.
    pub(crate) torn_octets: u64,
    /// Where a journal cannot be as it was written.
    pub(crate) damage: Option<Damage>,
}

/// Damage that no crash makes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Which journal.
    pub(crate) path: PathBuf,
    /// What is wrong.
    pub(crate) why: String,
}

impl Journals {
    /// Walks all journals of a directory, oldest first.
    pub(crate) fn walk(dir: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        let mut last_batch = None;
        let mut paths = journals(dir)?.into_iter().peekable();
        while let Some((_, path)) = paths.next() {
            let file = File::open(&path)?;
            let end = end(&file)?;
            let mut walk = Walk {
                reader: BufReader::with_capacity(BLOCK, file),
                at: 0,
                end,
                last_batch,
            };
            let mut whole = 0;
            let mut disorder = None;
            while let Some(batch) = walk.batch()? {
                if !batch.in_order {
                    disorder.get_or_insert(whole);
                }
                whole = walk.at;
                found.newest = found.newest.max(batch.command);
            }
            last_batch = walk.last_batch;
            let damage = |why| {
                Some(Damage {
                    path: path.clone(),
                    why,
                })
            };
            if let Some(at) = disorder {
                found.damage = damage(format!("the batch at octet {at} is out of order"));
                return Ok(found);
            }
            // An older journal was synced whole before the next one began.
            if paths.peek().is_some() && whole < end {
                found.damage = damage(format!("unreadable from octet {whole} on"));
                return Ok(found);
            }
            found.torn_octets = end.saturating_sub(whole);
        }
        Ok(found)
    }
}

/// One pass over a journal.
struct Walk {
    reader: BufReader<File>,
    at: u64,
    end: u64,
    last_batch: Option<u64>,
}

struct Batch {
    /// The newest command that it says; a batch of chunks alone says none.
    command: Option<u64>,
    in_order: bool,
}

const TAG_START: u8 = 1;
const TAG_ITEM: u8 = 2;
const TAG_END: u8 = 3;
const TAG_CLEAR: u8 = 4;
const TRAILER: [u8; 4] = *b"FJL\x03";
/// A value, a tombstone, a weak tombstone.
const MAX_VALUE_TYPE: u8 = 2;

impl Walk {
    /// The next whole batch; `None` where there is none.
    fn batch(&mut self) -> io::Result<Option<Batch>> {
        let Some([TAG_START, items @ .., s0, s1, s2, s3, s4, s5, s6, s7]) = self.take::<13>()? else {
            return Ok(None);
        };
        let number = u64::from_le_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
        let mut command = None;
        for _ in 0..u32::from_le_bytes(items) {
            match self.take::<1>()? {
                Some([TAG_ITEM]) => {
                    let Some(said) = self.item()? else { return Ok(None) };
                    command = command.max(said);
                }
                Some([TAG_CLEAR]) if self.skip(8)? => {}
                _ => return Ok(None),
            }
        }
        // Tag, checksum, trailer.
        let Some([TAG_END, .., t0, t1, t2, t3]) = self.take::<13>()? else {
            return Ok(None);
        };
        if [t0, t1, t2, t3] != TRAILER {
            return Ok(None);
        }
        let in_order = self.last_batch.is_none_or(|last| last < number);
        self.last_batch = Some(number);
        Ok(Some(Batch { command, in_order }))
    }

    /// The rest of an item behind its tag. Outer `None` when it is not whole, inner when it is not the sequence.
    fn item(&mut self) -> io::Result<Option<Option<u64>>> {
        // Value type, compression, keyspace (8), lengths of the key (2), of the value and of the value as stored (4).
        let Some(head) = self.take::<20>()? else {
            return Ok(None);
        };
        let [
            value_type,
            compression,
            ..,
            k0,
            k1,
            v0,
            v1,
            v2,
            v3,
            d0,
            d1,
            d2,
            d3,
        ] = head;
        let value = u32::from_le_bytes([v0, v1, v2, v3]);
        let key = u16::from_le_bytes([k0, k1]);
        if value_type > MAX_VALUE_TYPE || compression != 0 || value != u32::from_le_bytes([d0, d1, d2, d3]) {
            return Ok(None);
        }
        const RECORD: usize = sequence::KEY.len() + sequence::VALUE_OCTETS;
        if usize::from(key) != sequence::KEY.len() || value as usize != sequence::VALUE_OCTETS {
            return Ok(self.skip(u64::from(key) + u64::from(value))?.then_some(None));
        }
        let Some(record) = self.take::<RECORD>()? else {
            return Ok(None);
        };
        let said = record.strip_prefix(sequence::KEY).and_then(sequence::parse);
        Ok(Some(said))
    }

    fn take<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut octets = [0; N];
        if self.end - self.at < N as u64 {
            return Ok(None);
        }
        self.reader.read_exact(&mut octets)?;
        self.at += N as u64;
        Ok(Some(octets))
    }

    fn skip(&mut self, octets: u64) -> io::Result<bool> {
        if self.end - self.at < octets {
            return Ok(false);
        }
        // Less than 2 × 4 GiB.
        self.reader.seek_relative(octets.cast_signed())?;
        self.at += octets;
        Ok(true)
    }
}

/// Number and path of each journal, the oldest first.
fn journals(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut journals = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(number) = name.and_then(|name| name.strip_suffix(".jnl")?.parse().ok()) {
            journals.push((number, path));
        }
    }
    journals.sort_unstable();
    Ok(journals)
}

/// Octets that are read at once.
const BLOCK: usize = 256 << 10;

/// The offset behind the last octet that is not zero; journals are preallocated, and no batch ends with a zero.
fn end(file: &File) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    let mut end = data_end(file)?;
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let part = block.get_mut(..(end - start) as usize).unwrap_or_default();
        file.read_exact_at(part, start)?;
        if let Some(last) = part.iter().rposition(|&octet| octet != 0) {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Where the hole begins that ends the file, so that preallocated space is not read.
fn data_end(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut end = 0;
    // Few steps: a journal is written from front to back.
    while let Ok(data) = seek(file, SeekFrom::Data(end)) {
        end = seek(file, SeekFrom::Hole(data))?;
    }
    seek(file, SeekFrom::Start(0))?;
    Ok(end.min(length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::Op;

    fn write(dir: &Path, number: u64, octets: &[u8]) -> PathBuf {
        let path = dir.join(format!("{number}.jnl"));
        fs::write(&path, octets).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(1 << 20)
            .unwrap();
        path
    }

    fn item(key: &[u8], value: &[u8]) -> Vec<u8> {
        let mut item = vec![TAG_ITEM, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        item.extend_from_slice(&(key.len() as u16).to_le_bytes());
        item.extend_from_slice(&(value.len() as u32).to_le_bytes());
        item.extend_from_slice(&(value.len() as u32).to_le_bytes());
        [item.as_slice(), key, value].concat()
    }

    /// A batch as fjall writes it, but for its checksum.
    fn batch(number: u64, items: &[Vec<u8>]) -> Vec<u8> {
        let mut batch = vec![TAG_START];
        batch.extend_from_slice(&(items.len() as u32).to_le_bytes());
        batch.extend_from_slice(&number.to_le_bytes());
        items.iter().for_each(|item| batch.extend_from_slice(item));
        batch.push(TAG_END);
        batch.extend_from_slice(&[9; 8]);
        batch.extend_from_slice(&TRAILER);
        batch
    }

    /// A batch with one command, a message that quotes the record of another, and number `10 * command`.
    fn command(command: u64) -> Vec<u8> {
        let Op::Put(key, value) = sequence::put(command) else {
            panic!()
        };
        let Op::Put(other, quoted) = sequence::put(command + 1000) else {
            panic!()
        };
        let body = [&other.bytes[..], &quoted, &[7; 300]].concat();
        batch(
            10 * command,
            &[item(b"tenant and so on", &body), item(&key.bytes, &value)],
        )
    }

    fn walk(journals: &[Vec<u8>]) -> Journals {
        let dir = tempfile::tempdir().unwrap();
        for (number, octets) in (0..).zip(journals) {
            write(dir.path(), number, octets);
        }
        let mut found = Journals::walk(dir.path()).unwrap();
        if let Some(damage) = &mut found.damage {
            damage.path = damage.path.strip_prefix(dir.path()).unwrap().to_owned();
        }
        found
    }

    fn damaged(journal: &str, why: &str) -> Option<Damage> {
        Some(Damage {
            path: journal.into(),
            why: why.to_owned(),
        })
    }

    #[test]
    fn whole_journals_say_their_newest_command() {
        assert_eq!(walk(&[]), Journals::default());
        assert_eq!(walk(&[Vec::new()]), Journals::default());
        let chunks = batch(45, &[item(b"chunk", &[1; 5000])]);
        let found = walk(&[[command(3), command(4)].concat(), [chunks, command(5)].concat()]);
        assert_eq!(
            found,
            Journals {
                newest: Some(5),
                ..Journals::default()
            }
        );
    }

    #[test]
    fn what_is_torn_is_a_tail_of_the_newest_journal_and_damage_in_an_older_one() {
        let whole = [command(3), command(4)].concat();
        for cut in 1..command(4).len() {
            let torn = whole[..whole.len() - cut].to_vec();
            let found = walk(std::slice::from_ref(&torn));
            // A tail of zeros cannot be told from space that was never written.
            let zeros = torn.iter().rev().take_while(|&&octet| octet == 0).count();
            let torn_octets = (command(4).len() - cut).saturating_sub(zeros) as u64;
            assert_eq!(
                found,
                Journals {
                    newest: Some(3),
                    torn_octets,
                    damage: None
                },
                "without {cut} octets"
            );
            let found = walk(&[torn, command(5)]);
            let why = format!("unreadable from octet {} on", command(3).len());
            assert_eq!(
                found.damage,
                (torn_octets > 0).then(|| damaged("0.jnl", &why)).flatten()
            );
        }
    }

    #[test]
    fn batches_out_of_order_are_damage() {
        let why = format!("the batch at octet {} is out of order", command(4).len());
        assert_eq!(
            walk(&[[command(4), command(3)].concat()]).damage,
            damaged("0.jnl", &why)
        );
        let why = "the batch at octet 0 is out of order";
        assert_eq!(walk(&[command(4), command(4)]).damage, damaged("1.jnl", why));
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..200), begin in 0_usize..400) {
            let whole = command(3);
            let octets = [&whole[..begin.min(whole.len())], &octets].concat();
            walk(&[octets.clone(), octets]);
        }
    }
}
