//! Manifests: which segments are the store at one moment. Lines of text, the last of which is the BLAKE3 of the others.

use std::{fs, io, path::Path};

use message::time::Timestamp;

use super::{BackupError, place};

/// One backup: what the store was at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The format of the store.
    pub format: u32,
    /// The number of its newest command.
    pub sequence: u64,
    /// When the backup began.
    pub at: Timestamp,
    /// How many records it has.
    pub records: u64,
    /// The segments that it is made of.
    pub parts: Vec<Part>,
}

/// A segment of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What is in it.
    pub kind: PartKind,
    /// The name of its file.
    pub name: String,
    /// The BLAKE3 of it.
    pub checksum: blake3::Hash,
    /// Octets of the file.
    pub octets: u64,
}

/// What is in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// Records of all kinds, but for chunks.
    Rows,
    /// Chunks of message bytes.
    Chunks,
}

const TITLE: &str = "angarium backup 1";
const ENDING: &str = ".manifest";
/// A manifest that is larger is none of ours: some 10 million segments.
const MAX_OCTETS: u64 = 2 << 30;

impl Manifest {
    /// The name by which it is asked for; names sort as the backups were taken.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{:016}-{}", self.at.as_millis(), self.sequence)
    }

    /// Octets of its segments on the disk.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.parts.iter().map(|part| part.octets).sum()
    }

    /// Writes it, durably: from now on there is this backup.
    pub(super) fn write(&self, manifests: &Path) -> Result<(), BackupError> {
        let path = manifests.join(format!("{}{ENDING}", self.name()));
        place::write_whole(&path, self.print().as_bytes())
    }

    fn print(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "{TITLE}\nformat {}\nsequence {}\nat {}\nrecords {}\n",
            self.format,
            self.sequence,
            self.at.as_millis(),
            self.records
        );
        for part in &self.parts {
            let kind = part.kind.word();
            // Writing into a string cannot fail.
            let _ = writeln!(
                text,
                "segment {kind} {} {} {}",
                part.name,
                part.checksum.to_hex(),
                part.octets
            );
        }
        let end = blake3::hash(text.as_bytes());
        let _ = writeln!(text, "end {}", end.to_hex());
        text
    }

    /// Reads one.
    pub(super) fn read(path: &Path) -> Result<Self, BackupError> {
        let octets = fs::metadata(path).map_err(BackupError::io(path))?.len();
        if octets > MAX_OCTETS {
            return Err(BackupError::damaged(path, "it is too large"));
        }
        let text = fs::read_to_string(path).map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => BackupError::damaged(path, "it is not text"),
            _ => BackupError::io(path)(error),
        })?;
        Self::parse(&text).ok_or_else(|| BackupError::damaged(path, "it is not what was written"))
    }

    fn parse(text: &str) -> Option<Self> {
        let (body, end) = text.strip_suffix('\n')?.rsplit_once('\n')?;
        let summed = text.get(..=body.len())?;
        let end = blake3::Hash::from_hex(end.strip_prefix("end ")?).ok()?;
        if blake3::hash(summed.as_bytes()) != end {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let mut number = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
        let mut manifest = Self {
            format: u32::try_from(number("format")?).ok()?,
            sequence: number("sequence")?,
            at: Timestamp::from_millis(number("at")?),
            records: number("records")?,
            parts: Vec::new(),
        };
        for line in lines {
            manifest.parts.push(Part::parse(line)?);
        }
        Some(manifest)
    }

    /// The name in the name of a file.
    pub(super) fn name_of(file: &str) -> Option<&str> {
        file.strip_suffix(ENDING)
    }
}

impl Part {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        if words.next()? != "segment" {
            return None;
        }
        let kind = match words.next()? {
            "rows" => PartKind::Rows,
            "chunks" => PartKind::Chunks,
            _ => return None,
        };
        let name = words.next()?;
        let is_name = name.len() == 64 && name.bytes().all(|octet| octet.is_ascii_hexdigit());
        let part = Self {
            kind,
            name: is_name.then(|| name.to_owned())?,
            checksum: blake3::Hash::from_hex(words.next()?).ok()?,
            octets: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(part)
    }
}

impl PartKind {
    const fn word(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Chunks => "chunks",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn manifest() -> Manifest {
        let part = |kind, n: u8| Part {
            kind,
            name: blake3::hash(&[n]).to_hex().to_string(),
            checksum: blake3::hash(&[n, n]),
            octets: u64::from(n),
        };
        Manifest {
            format: 1,
            sequence: 17,
            at: Timestamp::from_secs(1_800_000_000),
            records: 99,
            parts: vec![part(PartKind::Rows, 1), part(PartKind::Chunks, 2)],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written() {
        assert_eq!(Manifest::parse(&manifest().print()), Some(manifest()));
    }

    #[test]
    fn half_a_manifest_is_none() {
        let text = manifest().print();
        for cut in 0..text.len() {
            assert_eq!(Manifest::parse(&text[..cut]), None, "{cut} octets");
        }
        assert_eq!(Manifest::parse(&text.replace("17", "18")), None);
        assert_eq!(Manifest::parse(&format!("{text}\n")), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,300}") {
            Manifest::parse(&text);
        }
    }
}
