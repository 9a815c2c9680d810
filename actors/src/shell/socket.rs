//! Socket: the bound Unix socket of the shell. It belongs to the process and outlives its acceptor.

use std::{
    fs, io,
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
    /// Listens in a data directory, for its user and, if there is one, for this group. The socket that a dead process left is replaced, one that answers
    /// is not.
    ///
    /// # Errors
    /// When another process listens there, or what the system says.
    pub fn bind(data: &Path, readers: Option<u32>) -> io::Result<Self> {
        let path = data.join(NAME);
        match StdStream::connect(&path) {
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
        let listener = StdListener::bind(&unready)?;
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
}
