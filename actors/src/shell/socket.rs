//! Socket: the bound Unix socket of the shell. It belongs to the process and outlives its acceptor.

use std::{
    fs, io,
    os::fd::AsRawFd as _,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::net::UnixListener;

/// Its name in the data directory.
pub const NAME: &str = "shell.sock";

/// A bound socket. Copies are the same socket.
#[derive(Clone, Debug)]
pub struct Socket {
    bound: Arc<Bound>,
}

#[derive(Debug)]
struct Bound {
    listener: StdListener,
    path: PathBuf,
}

impl Socket {
    /// Listens in a data directory, for its user and, if there is one, for this group. The socket that a dead process left
    /// is replaced, one that answers is not.
    ///
    /// # Errors
    /// When another process listens there, or what the system says.
    pub fn bind(data: &Path, readers: Option<u32>) -> io::Result<Self> {
        let path = data.join(NAME);
        match connect(data) {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) if why.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(why) => return Err(why),
        }
        // Nobody comes in by the true name before the mode is set.
        let unready = data.join(format!("{NAME}.new"));
        match fs::remove_file(&unready) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let near = Near::of(data)?;
        let listener = StdListener::bind(near.directory.join(format!("{NAME}.new")))?;
        listener.set_nonblocking(true)?;
        permit(&unready, readers)?;
        fs::rename(&unready, &path)?;
        Ok(Self {
            bound: Arc::new(Bound { listener, path }),
        })
    }

    /// A way to take its connections.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn listen(&self) -> io::Result<UnixListener> {
        UnixListener::from_std(self.bound.listener.try_clone()?)
    }

    /// Lets this group in from now on, or nobody but the user.
    ///
    /// # Errors
    /// What the system says.
    pub fn permit(&self, readers: Option<u32>) -> io::Result<()> {
        permit(&self.bound.path, readers)
    }

    /// Takes its name away: nobody comes any more.
    pub fn remove(&self) {
        drop(fs::remove_file(&self.bound.path));
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.bound.path
    }
}

/// Connects to the server of a data directory.
///
/// # Errors
/// What the system says: `NotFound` and `ConnectionRefused` when no server runs there.
pub fn connect(data: &Path) -> io::Result<StdStream> {
    StdStream::connect(Near::of(data)?.directory.join(NAME))
}

/// The longest path of a data directory that is used as it is: `sockaddr_un` has room for 107 octets with the name.
const MAX_DIRECTORY: usize = 90;

/// A data directory by a path that is short enough for a socket, however long its own is.
struct Near {
    directory: PathBuf,
    /// Open as long as that path is used.
    _open: Option<fs::File>,
}

impl Near {
    fn of(data: &Path) -> io::Result<Self> {
        if data.as_os_str().len() <= MAX_DIRECTORY {
            return Ok(Self {
                directory: data.to_owned(),
                _open: None,
            });
        }
        let open = fs::File::open(data)?;
        Ok(Self {
            directory: format!("/proc/self/fd/{}", open.as_raw_fd()).into(),
            _open: Some(open),
        })
    }
}

/// The group first: the mode must never let in one that it is not meant for.
fn permit(path: &Path, readers: Option<u32>) -> io::Result<()> {
    let mode = match readers {
        None => 0o600,
        Some(group) => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            chown(path, None, Some(group))?;
            0o660
        }
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let socket = Socket::bind(directory.path(), None).unwrap();
        let mode = |socket: &Socket| fs::metadata(socket.path()).unwrap().mode() & 0o777;
        assert_eq!(mode(&socket), 0o600);
        let group = fs::metadata(directory.path()).unwrap().gid();
        socket.permit(Some(group)).unwrap();
        assert_eq!(mode(&socket), 0o660);
        socket.permit(None).unwrap();
        assert_eq!(mode(&socket), 0o600);
        let refused = Socket::bind(directory.path(), None).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AddrInUse);
        let path = socket.path().to_owned();
        drop(socket);
        assert!(path.exists(), "as after a crash");
        let again = Socket::bind(directory.path(), None).unwrap();
        assert!(StdStream::connect(&path).is_ok());
        again.remove();
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_long_directory_has_one_too() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("d".repeat(200));
        assert_eq!(connect(&data).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::create_dir(&data).unwrap();
        assert_eq!(connect(&data).unwrap_err().kind(), io::ErrorKind::NotFound);
        let socket = Socket::bind(&data, None).unwrap();
        assert!(connect(&data).is_ok());
        assert!(socket.path().exists());
    }
}
