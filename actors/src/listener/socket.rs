//! Socket: a bound listening socket. It belongs to the process and outlives its acceptor.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use socket2::{Domain, Protocol, SockRef, Type};
use tokio::net::TcpListener;

/// A bound socket. Copies are the same socket.
#[derive(Clone, Debug)]
pub struct Socket {
    pub(super) listener: Arc<ArcSwapOption<std::net::TcpListener>>,
    address: SocketAddr,
}

impl Socket {
    /// Binds an address and listens; port 0 asks the system for a free one.
    ///
    /// # Errors
    /// What the system says: the address is in use, is not ours, or needs a privilege.
    pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<Self> {
        let socket = bound(address, false)?;
        socket.listen(length(backlog))?;
        Self::of(socket)
    }

    /// Binds an address that overlaps with one of ours which [shares](Self::share) its port, and does not listen yet:
    /// peers go on to the old one until [`Self::begin`].
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub(super) fn bind_beside(address: SocketAddr) -> io::Result<Self> {
        Self::of(bound(address, true)?)
    }

    /// A socket that somebody else has bound, and that listens.
    pub(super) fn inherited(listener: std::net::TcpListener) -> io::Result<Self> {
        Self::of(listener.into())
    }

    /// Listens from now on, or holds another number of connections until they are taken.
    ///
    /// # Errors
    /// What the system says; or that the socket was closed.
    pub(super) fn begin(&self, backlog: u32) -> io::Result<()> {
        match &*self.listener.load() {
            Some(listener) => SockRef::from(&**listener).listen(length(backlog)),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Whether others of this user may bind the same port at other addresses of the machine.
    pub(super) fn share(&self, is_shared: bool) {
        if let Some(listener) = &*self.listener.load()
            && let Err(why) = SockRef::from(&**listener).set_reuse_port(is_shared)
        {
            tracing::warn!(target: "angarium::listener", address = %self.address, %why, "a port cannot be shared");
        }
    }

    fn of(socket: socket2::Socket) -> io::Result<Self> {
        let listener = std::net::TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok(Self {
            listener: Arc::new(ArcSwapOption::from_pointee(listener)),
            address,
        })
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether both are the same socket.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.listener, &other.listener)
    }

    /// A way to take its connections. Needs a runtime.
    ///
    /// # Errors
    /// When the system has no descriptor left, or the socket was closed.
    pub fn listen(&self) -> io::Result<TcpListener> {
        match &*self.listener.load() {
            Some(listener) => TcpListener::from_std(listener.try_clone()?),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Listens no more: as soon as its acceptor ends, too, who connects is refused at once and need not wait for an
    /// answer that never comes.
    pub fn close(&self) {
        self.listener.store(None);
    }

    /// Whether it listens no more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.listener.load().is_none()
    }
}

fn bound(address: SocketAddr, is_shared: bool) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // The families have a socket each, whatever the system's default is: no peer is shown as ::ffff:192.0.2.1,
        // and one of them may be refused an address without the other.
        socket.set_only_v6(true)?;
    }
    // A restarted server must not wait for connections of the one before to time out.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(is_shared)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// The kernel cuts what is longer than it allows.
fn length(backlog: u32) -> i32 {
    i32::try_from(backlog).unwrap_or(i32::MAX)
}

/// Addresses as the line `ready` shows them: `0.0.0.0:25,[::]:25`.
#[must_use]
pub fn printed(addresses: impl IntoIterator<Item = SocketAddr>) -> String {
    let addresses: Vec<String> = addresses.into_iter().map(|it| it.to_string()).collect();
    addresses.join(",")
}

/// The peer went before it was taken, or its network did: nothing is wrong here. accept(2) asks for all of these to be
/// treated as if nobody had come: ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH.
pub(crate) fn is_passing(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    ) || matches!(
        why.raw_os_error(),
        Some(64 | 71 | 92 | 95 | 100 | 101 | 112 | 113)
    )
}

/// EMFILE, ENFILE, ENOBUFS, ENOMEM.
pub(crate) fn is_exhausted(why: &io::Error) -> bool {
    matches!(why.raw_os_error(), Some(24 | 23 | 105 | 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_families_share_a_port() {
        let Ok(six) = Socket::bind("[::]:0".parse().unwrap(), 1) else {
            // A machine without IPv6.
            return;
        };
        let four = SocketAddr::from(([0, 0, 0, 0], six.address().port()));
        // Another process may have the port; that is no EADDRINUSE of ours.
        if std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, four.port())).is_err() {
            return;
        }
        let four = Socket::bind(four, 1).expect("the same port of IPv4");
        assert_eq!(
            printed([four.address(), six.address()]),
            format!("0.0.0.0:{0},[::]:{0}", six.address().port())
        );
    }
}
