//! Sockets: where HTTP listens. They belong to the process and outlive their acceptor.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;

use crate::listener::socket::Socket;

/// Connections that the kernel holds until they are taken.
const BACKLOG: u32 = 64;

/// Bound sockets, each with the address that the settings gave. Copies are the same.
#[derive(Clone, Debug, Default)]
pub struct Sockets(Arc<ArcSwap<Vec<Bound>>>);

/// A socket and the address that the settings gave, of which the port may be 0.
#[derive(Clone, Debug)]
pub struct Bound {
    wanted: SocketAddr,
    socket: Socket,
}

impl Sockets {
    /// The sockets of these addresses: those that are open already, and new ones. Nothing changes yet.
    ///
    /// # Errors
    /// What the system says of an address, with the address.
    pub fn fitting(&self, addresses: &[SocketAddr]) -> Result<Vec<Bound>, String> {
        let open = self.0.load();
        let bound = |wanted: &SocketAddr| match open.iter().find(|bound| bound.wanted == *wanted) {
            Some(bound) => Ok(bound.clone()),
            None => bind(*wanted).map_err(|why| format!("cannot listen on {wanted} (http.bind): {why}")),
        };
        addresses.iter().map(bound).collect()
    }

    /// Listens on these from now on, and on no others.
    pub fn put(&self, sockets: Vec<Bound>) {
        let old = self.0.swap(Arc::new(sockets));
        let now = self.0.load();
        let is_kept = |bound: &&Bound| now.iter().any(|kept| kept.wanted == bound.wanted);
        old.iter()
            .filter(|bound| !is_kept(bound))
            .for_each(|bound| bound.socket.close());
    }

    /// Whether it listens on these.
    #[must_use]
    pub fn fits(&self, addresses: &[SocketAddr]) -> bool {
        self.0.load().iter().map(|bound| &bound.wanted).eq(addresses)
    }

    /// The sockets.
    #[must_use]
    pub fn open(&self) -> Vec<Socket> {
        self.0.load().iter().map(|bound| bound.socket.clone()).collect()
    }

    /// Where they listen, with the real ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.load().iter().map(|bound| bound.socket.address()).collect()
    }
}

fn bind(wanted: SocketAddr) -> io::Result<Bound> {
    let socket = Socket::bind(wanted, BACKLOG)?;
    Ok(Bound { wanted, socket })
}
