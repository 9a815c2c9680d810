//! Socket: a bound listening socket. It belongs to the process and outlives its acceptor.

use std::{io, net::SocketAddr, sync::Arc};

use arc_swap::ArcSwapOption;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

/// A bound listening socket. Copies are the same socket.
#[derive(Clone, Debug)]
pub struct Socket {
    listener: Arc<ArcSwapOption<std::net::TcpListener>>,
    address: SocketAddr,
}

impl Socket {
    /// Binds an address; port 0 asks the system for a free one. Needs a runtime.
    ///
    /// # Errors
    /// What the system says: the address is in use, is not ours, or needs a privilege.
    pub fn bind(address: SocketAddr, backlog: u32) -> io::Result<Self> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            let socket = TcpSocket::new_v6()?;
            // The families have a socket each, whatever the system's default is: no peer is shown as ::ffff:192.0.2.1,
            // and one of them may be refused an address without the other.
            SockRef::from(&socket).set_only_v6(true)?;
            socket
        };
        // A restarted server must not wait for connections of the one before to time out.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(backlog)?.into_std()?;
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

    /// A way to take its connections.
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
}

/// Addresses as the line `ready` shows them: `0.0.0.0:25,[::]:25`.
#[must_use]
pub fn printed(addresses: impl IntoIterator<Item = SocketAddr>) -> String {
    let addresses: Vec<String> = addresses.into_iter().map(|it| it.to_string()).collect();
    addresses.join(",")
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
