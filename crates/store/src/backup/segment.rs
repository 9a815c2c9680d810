//! Segments: files of records.
//!
//! Eight octets that say the kind; records, one behind the other, of a segment of rows compressed as a whole; the BLAKE3 of
//! all that. A record is its keyspace (1), the lengths of key and value (4 each, big-endian), key and value.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{BackupError, PartKind, place};
use crate::key::{Key, Keyspace};

const ROWS: [u8; 8] = *b"angrows1";
const CHUNKS: [u8; 8] = *b"angchks1";
const CHECKSUM_OCTETS: usize = 32;
/// How hard rows are compressed: as message bytes are.
const LEVEL: i32 = 1;
/// Octets of rows in one segment, at most: what is held in memory.
pub(super) const MAX_ROWS_OCTETS: usize = 4 << 20;
/// The largest record: a value is at most a batch, a key at most what the engine takes.
const MAX_RECORD_OCTETS: usize = 16 << 20;

/// A segment as a manifest knows it.
pub(super) struct Written {
    pub(super) checksum: blake3::Hash,
    pub(super) octets: u64,
}

/// Appends a record.
pub(super) fn push(out: &mut Vec<u8>, key: &Key, value: &[u8]) {
    out.push(
        Keyspace::ALL
            .iter()
            .position(|space| *space == key.space)
            .unwrap_or_default() as u8,
    );
    for length in [key.bytes.len(), value.len()] {
        out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend_from_slice(&key.bytes);
    out.extend_from_slice(value);
}

/// A segment that is being written, under another name.
pub(super) struct Writer {
    out: BufWriter<File>,
    hasher: blake3::Hasher,
    path: PathBuf,
    unfinished: PathBuf,
    octets: u64,
    is_finished: bool,
}

impl Writer {
    pub(super) fn create(path: &Path, kind: PartKind) -> Result<Self, BackupError> {
        if let Some(parent) = path.parent() {
            place::make_dir(parent)?;
        }
        let unfinished = place::unfinished(path);
        let mut writer = Self {
            out: BufWriter::with_capacity(256 << 10, place::create(&unfinished)?),
            hasher: blake3::Hasher::new(),
            path: path.to_owned(),
            unfinished,
            octets: 0,
            is_finished: false,
        };
        writer.write(&head(kind))?;
        Ok(writer)
    }

    pub(super) fn write(&mut self, octets: &[u8]) -> Result<(), BackupError> {
        self.hasher.update(octets);
        self.octets += octets.len() as u64;
        self.out
            .write_all(octets)
            .map_err(BackupError::io(&self.unfinished))
    }

    /// Syncs it and gives it its name.
    pub(super) fn finish(mut self) -> Result<Written, BackupError> {
        let checksum = self.hasher.finalize();
        let written = self
            .out
            .write_all(checksum.as_bytes())
            .and_then(|()| self.out.flush())
            .and_then(|()| self.out.get_ref().sync_all());
        self.is_finished = true;
        place::finish(&self.unfinished, &self.path, written)?;
        Ok(Written {
            checksum,
            octets: self.octets + CHECKSUM_OCTETS as u64,
        })
    }
}

impl Drop for Writer {
    /// What could not be written whole takes no space.
    fn drop(&mut self) {
        if !self.is_finished {
            drop(std::fs::remove_file(&self.unfinished));
        }
    }
}

/// Writes a segment of rows, already joined.
pub(super) fn write_rows(path: &Path, rows: &[u8]) -> Result<Written, BackupError> {
    let packed = zstd::bulk::compress(rows, LEVEL).map_err(BackupError::io(path))?;
    let mut writer = Writer::create(path, PartKind::Rows)?;
    writer.write(&packed)?;
    writer.finish()
}

/// What a segment that is there says about itself, without reading it; `None` when there is none.
pub(super) fn known(path: &Path) -> Result<Option<Written>, BackupError> {
    use std::os::unix::fs::FileExt as _;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::io(path)(error)),
    };
    let octets = file.metadata().map_err(BackupError::io(path))?.len();
    let mut checksum = [0; CHECKSUM_OCTETS];
    let Some(at) = octets.checked_sub(CHECKSUM_OCTETS as u64) else {
        return Ok(None);
    };
    file.read_exact_at(&mut checksum, at)
        .map_err(BackupError::io(path))?;
    Ok(Some(Written {
        checksum: blake3::Hash::from_bytes(checksum),
        octets,
    }))
}

/// Reads a segment, gives each record, and compares all of it with its checksum. What was given is not to be believed
/// before this has said that it is whole.
pub(super) fn read(
    path: &Path,
    kind: PartKind,
    expected: &Written,
    mut each: impl FnMut(Key, Bytes) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::damaged(path, "it is missing"),
        _ => BackupError::io(path)(error),
    })?;
    let octets = file.metadata().map_err(BackupError::io(path))?.len();
    if octets != expected.octets {
        let why = format!("it has {octets} octets, not {}", expected.octets);
        return Err(BackupError::damaged(path, why));
    }
    // Whole first: what is given must not be undone.
    let mut body = BufReader::with_capacity(256 << 10, file).take(octets - CHECKSUM_OCTETS as u64);
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut body, &mut hasher).map_err(BackupError::io(path))?;
    // Its own word for it is what the next backup will believe.
    let own = known(path)?.map(|known| known.checksum);
    if hasher.finalize() != expected.checksum || own != Some(expected.checksum) {
        return Err(BackupError::damaged(path, "its checksum differs"));
    }
    let file = File::open(path).map_err(BackupError::io(path))?;
    let mut body = BufReader::with_capacity(256 << 10, file).take(octets - CHECKSUM_OCTETS as u64);
    let mut found = [0; 8];
    body.read_exact(&mut found).map_err(BackupError::io(path))?;
    if found != head(kind) {
        return Err(BackupError::damaged(path, "it is of another kind"));
    }
    match kind {
        PartKind::Chunks => records(path, &mut body, &mut each),
        PartKind::Rows => {
            let decoder = zstd::stream::read::Decoder::new(body).map_err(BackupError::io(path))?;
            records(path, &mut BufReader::new(decoder), &mut each)
        }
    }
}

fn records(
    path: &Path,
    from: &mut impl Read,
    each: &mut impl FnMut(Key, Bytes) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    loop {
        let mut space = [0];
        if from.read(&mut space).map_err(BackupError::io(path))? == 0 {
            return Ok(());
        }
        let mut lengths = [0; 8];
        from.read_exact(&mut lengths).map_err(BackupError::io(path))?;
        let [k0, k1, k2, k3, v0, v1, v2, v3] = lengths;
        let key = u32::from_be_bytes([k0, k1, k2, k3]) as usize;
        let value = u32::from_be_bytes([v0, v1, v2, v3]) as usize;
        let [number] = space;
        let Some(&space) = Keyspace::ALL
            .get(usize::from(number))
            .filter(|_| key <= MAX_RECORD_OCTETS && value <= MAX_RECORD_OCTETS)
        else {
            return Err(BackupError::damaged(path, "a record in it cannot be one"));
        };
        let mut bytes = vec![0; key];
        from.read_exact(&mut bytes).map_err(BackupError::io(path))?;
        let mut octets = vec![0; value];
        from.read_exact(&mut octets).map_err(BackupError::io(path))?;
        each(Key { space, bytes }, octets.into())?;
    }
}

const fn head(kind: PartKind) -> [u8; 8] {
    match kind {
        PartKind::Rows => ROWS,
        PartKind::Chunks => CHUNKS,
    }
}
