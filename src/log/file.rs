//! The log file and its older ones: `angarium.log`, `angarium.log.1`, `angarium.log.2`. A full file is renamed, and the
//! oldest goes.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::output::ENOUGH;

/// A log file.
pub(super) struct LogFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// Octets in the file, those in the buffer included.
    octets: u64,
    max_octets: u64,
    /// Full files that are kept.
    count: u32,
}

impl LogFile {
    pub(super) fn open(path: &Path, max_octets: u64, count: u32) -> io::Result<Self> {
        let file = append(path)?;
        Ok(Self {
            path: path.to_owned(),
            octets: file.metadata()?.len(),
            file: BufWriter::with_capacity(ENOUGH, file),
            max_octets,
            count,
        })
    }

    /// Begins a new file. Is that not possible, the lines go on in the one that is there.
    fn rotate(&mut self) -> io::Result<()> {
        self.file.flush()?;
        // Not to be tried again at each line, should it fail.
        self.octets = 0;
        if self.count == 0 {
            return self.file.get_mut().set_len(0);
        }
        for number in (1..self.count).rev() {
            match fs::rename(self.older(number), self.older(number + 1)) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
                _ => {}
            }
        }
        fs::rename(&self.path, self.older(1))?;
        self.file = BufWriter::with_capacity(ENOUGH, append(&self.path)?);
        Ok(())
    }

    fn older(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }
}

/// Addresses of people stand in a log: nobody but the owner and the group reads it.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

impl Write for LogFile {
    /// Takes a line as a whole, so that none is cut in two by a new file.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let octets = line.len() as u64;
        if self.octets > 0 && self.octets.saturating_add(octets) > self.max_octets {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.octets = self.octets.saturating_add(octets);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn texts(directory: &TempDir) -> Vec<(String, String)> {
        let mut texts: Vec<(String, String)> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        texts.sort();
        texts
    }

    fn write(path: &Path, count: u32, lines: &[&str]) {
        let mut log = LogFile::open(path, 8, count).unwrap();
        for line in lines {
            log.write_all(line.as_bytes()).unwrap();
        }
        log.flush().unwrap();
    }

    #[test]
    fn a_full_file_is_renamed_and_the_oldest_goes() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("a.log");
        write(&path, 2, &["one\n", "two\n", "three\n"]);
        // It goes on where another process stopped.
        write(&path, 2, &["4\n", "five\n", "six is longer than fits\n"]);
        let texts = texts(&directory);
        let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            texts,
            [
                ("a.log", "six is longer than fits\n"),
                ("a.log.1", "five\n"),
                ("a.log.2", "three\n4\n"),
            ]
        );
    }

    #[test]
    fn without_older_files_it_begins_again() {
        let directory = TempDir::new().unwrap();
        write(&directory.path().join("a.log"), 0, &["one\n", "two\n", "three\n"]);
        assert_eq!(texts(&directory), [("a.log".to_owned(), "three\n".to_owned())]);
    }

    #[test]
    fn where_no_file_can_be_made_the_lines_go_on() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("a.log");
        // A folder that is not empty stands in the way of the older file.
        fs::create_dir_all(directory.path().join("a.log.1/in the way")).unwrap();
        let mut log = LogFile::open(&path, 4, 1).unwrap();
        log.write_all(b"one\n").unwrap();
        assert!(log.write_all(b"two\n").is_err());
        log.write_all(b"two\n").unwrap();
        log.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
