//! What opening did to the journals of the engine.
//!
//! fjall cuts a journal at the first entry that it cannot parse, as if a crash had torn it, and then goes on with the
//! next journal. For the newest journal that may be so; its loss is measured by the sequence mark. An older journal
//! was synced whole before the next one began, so cutting it is damage that leaves a hole.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rustix::fs::{SeekFrom, seek};

/// The journals of an engine as they were before it was opened.
#[derive(Debug)]
pub(crate) struct Journals {
    /// By number, the newest last.
    journals: Vec<Journal>,
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

/// What was cut.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Octets behind the last whole batch of the newest journal.
    Tail(u64),
    /// A journal that was complete once has a hole from this octet on.
    Hole(PathBuf, u64),
}

impl Journals {
    /// Looks before the engine is opened.
    pub(crate) fn look(dir: &Path) -> io::Result<Self> {
        let mut journals = Vec::new();
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { journals }),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let Some(number) = number(&path) else { continue };
            let file = File::open(&path)?;
            let end = end(&file)?;
            journals.push(Journal {
                number,
                path,
                file,
                end,
            });
        }
        journals.sort_by_key(|journal| journal.number);
        Ok(Self { journals })
    }

    /// Compares after the engine was opened.
    pub(crate) fn cut(&self) -> io::Result<Cut> {
        let mut tail = 0;
        let newest = self.journals.last().map(|journal| journal.number);
        for journal in &self.journals {
            let left = journal.file.metadata()?.len();
            let cut = journal.end.saturating_sub(left);
            if Some(journal.number) == newest {
                tail = cut;
            } else if cut > 0 {
                return Ok(Cut::Hole(journal.path.clone(), left));
            }
        }
        Ok(Cut::Tail(tail))
    }
}

fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".jnl")?.parse().ok()
}

/// The offset behind the last octet that is not zero.
fn end(file: &File) -> io::Result<u64> {
    const BLOCK: usize = 64 << 10;
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
    Ok(if end == 0 { length } else { end.min(length) })
}
