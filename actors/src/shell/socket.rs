//! Socket: the bound Unix socket of the shell. It belongs to the process and outlives its acceptor.

use std::{
    fs, io,
    os::unix::{
        fs::PermissionsExt as _,
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
    /// Listens in a data directory, with this mode. The socket that a dead process left is replaced, one that answers
    /// is not.
    ///
    /// # Errors
    /// When another process listens there, or what the system says.
    pub fn bind(data: &Path, mode: u32) -> io::Result<Self> {
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
        fs::set_permissions(&unready, fs::Permissions::from_mode(mode))?;
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
