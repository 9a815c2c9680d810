//! Resolution: the addresses of a StatsD daemon that the settings call by a name, as the resolver of the system has them.
//!
//! Asking it may take long and cannot be broken off, so that it is asked by a thread of the runtime, once at a time.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::lookup_host;

/// How often a name is looked up again: so soon a daemon that has moved is found.
pub(super) const AGAIN: Duration = Duration::from_secs(60);

/// How soon again, when it was not to be found.
pub(super) const SOONER: Duration = Duration::from_secs(10);

/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;

/// What was found: at least one address, or why there is none.
pub(super) type Found = Result<Vec<SocketAddr>, String>;

/// Asks the system.
pub(super) async fn resolve(host: &str, port: u16) -> Found {
    let found: io::Result<Vec<SocketAddr>> = lookup_host((host, port))
        .await
        .map(|addresses| addresses.take(MAX_ADDRESSES).collect());
    match found {
        Ok(addresses) if addresses.is_empty() => Err("it has no address".to_owned()),
        Ok(addresses) => Ok(addresses),
        Err(why) => Err(why.to_string()),
    }
}
