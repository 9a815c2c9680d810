//! What opening did to the journals of the engine.
//!
//! fjall cuts a journal at the first entry that it cannot parse, as if a crash had torn it, and then goes on with the
//! next journal. An older journal was synced whole before the next one began: cutting it is damage. In the newest
//! one a tail may be torn, but nothing up to the newest batch that the sequence mark promises.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use memchr::memmem;
use rustix::fs::{SeekFrom, seek};

use crate::sequence;

/// The journals of an engine as they were before it was opened.
#[derive(Debug)]
pub(crate) struct Journals {
    /// By number, the newest last.
    journals: Vec<Journal>,
    /// Where batches of the newest journal say their sequence, as far as the mark promises them.
    promised: Vec<Sequence>,
}

#[derive(Debug)]
struct Journal {
    number: u64,
    path: PathBuf,
    /// Kept open: a journal may be cut, replayed, flushed and removed before anyone looks.
    file: File,
    /// Behind the last octet that is not zero; journals are preallocated with zeros, and no entry ends with one.
    end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sequence {
    offset: u64,
    sequence: u64,
}

/// What was cut.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Octets behind the last whole batch of the newest journal, none of them promised.
    Tail(u64),
    /// The newest journal ends before commands that were promised: this is the newest command that it still has.
    Promised(u64),
    /// A journal that was complete once has a hole from this octet on.
    Hole(PathBuf, u64),
}

impl Journals {
    /// Looks before the engine is opened. `promised` is the newest command of the mark.
    pub(crate) fn look(dir: &Path, promised: u64) -> io::Result<Self> {
        let mut journals = Vec::new();
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries?),
        };
        for entry in entries.into_iter().flatten() {
            let path = entry?.path();
            let Some(number) = number(&path) else { continue };
            let file = File::open(&path)?;
            let end = end(&file)?;
            journals.push(Journal { number, path, file, end });
        }
        journals.sort_by_key(|journal| journal.number);
        let mut sequences = journals.last().map_or(Ok(Vec::new()), |newest| sequences(&newest.file, newest.end))?;
        sequences.retain(|said| said.sequence <= promised);
        Ok(Self { journals, promised: sequences })
    }

    /// Compares after the engine was opened.
    pub(crate) fn cut(&self) -> io::Result<Cut> {
        let Some((newest, older)) = self.journals.split_last() else { return Ok(Cut::Tail(0)) };
        for journal in older {
            let left = journal.file.metadata()?.len();
            if left < journal.end {
                return Ok(Cut::Hole(journal.path.clone(), left));
            }
        }
        let left = newest.file.metadata()?.len();
        if self.promised.last().is_some_and(|newest| newest.offset >= left) {
            let kept = self.promised.iter().rev().find(|said| said.offset < left);
            let before = self.promised.first().map_or(0, |first| first.sequence.saturating_sub(1));
            return Ok(Cut::Promised(kept.map_or(before, |said| said.sequence)));
        }
        Ok(Cut::Tail(newest.end.saturating_sub(left)))
    }
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".jnl")?.parse().ok()
}

/// Octets that are read at once.
const BLOCK: usize = 256 << 10;

/// The offset behind the last octet that is not zero.
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
    Ok(end.min(length))
}

/// All places where a journal holds a record of the sequence, in order.
fn sequences(file: &File, end: u64) -> io::Result<Vec<Sequence>> {
    let finder = memmem::Finder::new(sequence::KEY);
    let mut found = Vec::new();
    let mut block = vec![0; BLOCK];
    let mut start = 0;
    while start < end {
        let part = block.get_mut(..((end - start) as usize).min(BLOCK)).unwrap_or_default();
        file.read_exact_at(part, start)?;
        for at in finder.find_iter(part) {
            // In a journal the value follows its key.
            let value = part.get(at + sequence::KEY.len()..).and_then(|rest| rest.get(..sequence::VALUE_OCTETS));
            if let Some(sequence) = value.and_then(sequence::parse) {
                found.push(Sequence { offset: start + at as u64, sequence });
            }
        }
        if part.len() < BLOCK {
            break;
        }
        // Blocks overlap by less than one record, so each is found whole, and once.
        start += (BLOCK - (sequence::KEY.len() + sequence::VALUE_OCTETS - 1)) as u64;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Op;

    fn journal(dir: &Path, number: u64, octets: &[u8]) -> PathBuf {
        let path = dir.join(format!("{number}.jnl"));
        fs::write(&path, octets).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(1 << 20).unwrap();
        path
    }

    fn record(sequence: u64) -> Vec<u8> {
        let Op::Put(key, value) = sequence::put(sequence) else { panic!() };
        [b"head".as_slice(), &key.bytes, &value, b"tail"].concat()
    }

    fn truncate(path: &Path, octets: u64) {
        File::options().write(true).open(path).unwrap().set_len(octets).unwrap();
    }

    #[test]
    fn a_cut_is_a_torn_tail_a_broken_promise_or_a_hole() {
        let record_octets = record(1).len() as u64;
        let check = |promised: u64, older: u64, newest: u64, expected: fn(&Path) -> Cut| {
            let dir = tempfile::tempdir().unwrap();
            let old = journal(dir.path(), 9, &[record(1), record(2)].concat());
            let new = journal(dir.path(), 10, &[record(3), record(4), record(5)].concat());
            let journals = Journals::look(dir.path(), promised).unwrap();
            truncate(&old, older);
            truncate(&new, newest);
            fs::remove_file(&new).unwrap();
            assert_eq!(journals.cut().unwrap(), expected(dir.path()));
        };
        // As fjall leaves an undamaged journal: without its preallocated tail.
        check(5, 2 * record_octets, 3 * record_octets, |_| Cut::Tail(0));
        check(5, 1 << 20, 1 << 20, |_| Cut::Tail(0));
        // The last batch was not promised yet.
        check(4, 1 << 20, 2 * record(1).len() as u64, |_| Cut::Tail(record(1).len() as u64));
        check(5, 1 << 20, 2 * record(1).len() as u64, |_| Cut::Promised(4));
        check(9, 1 << 20, 0, |_| Cut::Promised(2));
        check(2, 1 << 20, 0, |_| Cut::Tail(3 * record(1).len() as u64));
        check(5, record_octets, 1 << 20, |dir| Cut::Hole(dir.join("9.jnl"), record(1).len() as u64));
    }

    #[test]
    fn records_across_blocks_are_found_once() {
        let dir = tempfile::tempdir().unwrap();
        for lead in BLOCK - 40..BLOCK + 3 {
            let mut octets = vec![b'x'; lead];
            octets.extend(record(7));
            octets.extend(vec![b'y'; BLOCK]);
            octets.extend(record(8));
            let path = journal(dir.path(), 0, &octets);
            let file = File::open(&path).unwrap();
            let end = end(&file).unwrap();
            assert_eq!(end, octets.len() as u64);
            let found = sequences(&file, end).unwrap();
            let numbers: Vec<u64> = found.iter().map(|said| said.sequence).collect();
            assert_eq!(numbers, [7, 8], "lead {lead}");
            assert_eq!(found[0].offset, lead as u64 + 4);
        }
    }

    #[test]
    fn a_directory_without_journals_has_nothing_to_cut() {
        let dir = tempfile::tempdir().unwrap();
        let journals = Journals::look(&dir.path().join("missing"), 3).unwrap();
        assert_eq!(journals.cut().unwrap(), Cut::Tail(0));
        journal(dir.path(), 0, b"");
        let journals = Journals::look(dir.path(), 3).unwrap();
        assert_eq!(journals.cut().unwrap(), Cut::Tail(0));
    }
}
