//! Activation: listening sockets that the service manager has opened for this process (sd_listen_fds(3)).

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::Context as _;
use listenfd::ListenFd;

/// The inherited sockets, by their addresses. None when nobody has passed any to this very process.
///
/// # Errors
/// When one of them is no listening TCP socket: the unit asks for something else than this server can give.
pub fn inherited() -> anyhow::Result<BTreeMap<SocketAddr, std::net::TcpListener>> {
    let mut passed = ListenFd::from_env();
    let mut sockets = BTreeMap::new();
    for number in 0..passed.len() {
        let context = || format!("inherited socket {number} is no listening TCP socket");
        if let Some(socket) = passed.take_tcp_listener(number).with_context(context)? {
            socket.set_nonblocking(true).with_context(context)?;
            sockets.insert(socket.local_addr().with_context(context)?, socket);
        }
    }
    Ok(sockets)
}
