//! The journal of systemd: each line is a datagram of `NAME=value` lines to its socket (systemd's "native protocol").
//! A value holds no line break, because everything in a line is escaped.

use std::{
    io::{self, Write},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
};

/// Where the journal listens.
pub(super) const SOCKET: &str = "/run/systemd/journal/socket";

/// A way to the journal.
pub(super) struct Journal {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Journal {
    pub(super) fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        is_there(&path)?;
        Ok(Self {
            socket: UnixDatagram::unbound()?,
            path,
        })
    }
}

/// Whether somebody listens there: asked once, to be told at the start.
fn is_there(path: &Path) -> io::Result<()> {
    UnixDatagram::unbound()?.connect(path)
}

impl Write for Journal {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        // By its path each time: a journal that was started again has another socket.
        self.socket.send_to(entry, &self.path)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn an_entry_is_a_datagram_also_when_the_journal_was_started_again() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("socket");
        assert!(Journal::open(&path).is_err());
        let mut heard = [0; 64];
        let journal = UnixDatagram::bind(&path).unwrap();
        let mut ours = Journal::open(&path).unwrap();
        ours.write_all(b"MESSAGE=one\n").unwrap();
        assert_eq!(journal.recv(&mut heard).unwrap(), 12);
        drop(journal);
        std::fs::remove_file(&path).unwrap();
        assert!(ours.write_all(b"MESSAGE=two\n").is_err());
        let journal = UnixDatagram::bind(&path).unwrap();
        ours.write_all(b"MESSAGE=three\n").unwrap();
        assert_eq!(journal.recv(&mut heard).unwrap(), 14);
    }
}
