//! Intake: takes connections from a listening socket, and in the end those that wait in the kernel. What becomes of them is
//! its caller's business.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::socket::{self, Socket};

/// How long to wait when the system has no descriptor or memory left for another socket.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are taken from a socket that closes; those beyond are refused by the kernel.
const MAX_LATE: usize = 1024;

/// Takes connections until it is told to end. If nobody serves the socket then, those who have connected already are taken,
/// too: closing it would reset them.
///
/// # Errors
/// What the system says of a socket that is broken.
pub(crate) async fn take(
    listener: &TcpListener,
    socket: &Socket,
    end: impl Future<Output = ()>,
    mut each: impl FnMut(TcpStream, SocketAddr),
) -> io::Result<()> {
    let mut end = pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => each(stream, peer),
            Err(why) if socket::is_passing(&why) => {}
            Err(why) if socket::is_exhausted(&why) => {
                tracing::warn!(target: "angarium::listener", %why, "no socket can be taken");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
            Err(why) => return Err(why),
        }
    }
    if socket.is_closed() {
        take_waiting(listener, each);
    }
    Ok(())
}

/// Takes those that wait in the kernel, and waits for nobody.
pub(crate) fn take_waiting(listener: &TcpListener, mut each: impl FnMut(TcpStream, SocketAddr)) {
    for _ in 0..MAX_LATE {
        match waiting(listener) {
            Ok((stream, peer)) => each(stream, peer),
            Err(why) if socket::is_passing(&why) => {}
            // `WouldBlock`: there is nobody. Whatever else it is, the socket closes.
            Err(_) => return,
        }
    }
}

/// The next connection that the kernel holds. It is asked itself: the runtime knows only of those that it has been told of.
fn waiting(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = SockRef::from(listener).accept()?;
    stream.set_nonblocking(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((TcpStream::from_std(stream.into())?, peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> (Socket, TcpListener) {
        let socket = Socket::bind("127.0.0.1:0".parse().unwrap(), 128).unwrap();
        let listener = socket.listen().unwrap();
        (socket, listener)
    }

    /// They wait in the kernel: nothing else runs on this thread until somebody awaits.
    fn connected(socket: &Socket) -> Vec<std::net::TcpStream> {
        let connect = |_| std::net::TcpStream::connect(socket.address()).unwrap();
        (0..50).map(connect).collect()
    }

    #[tokio::test]
    async fn who_waits_at_a_socket_that_closes_is_taken() {
        let (socket, listener) = bound();
        let waiting = connected(&socket);
        socket.close();
        let mut taken = 0;
        take(&listener, &socket, std::future::ready(()), |_, _| taken += 1)
            .await
            .unwrap();
        assert_eq!(taken, waiting.len());
    }

    #[tokio::test]
    async fn who_waits_at_a_socket_that_others_serve_is_left_to_them() {
        let (socket, listener) = bound();
        let waiting = connected(&socket);
        let mut here = 0;
        take(&listener, &socket, std::future::ready(()), |_, _| here += 1)
            .await
            .unwrap();
        let mut there = 0;
        take_waiting(&listener, |_, _| there += 1);
        assert_eq!(here + there, waiting.len());
        assert!(there > 0, "all were taken");
    }
}
