//! The section `http`: health and metrics for programs.

use std::net::SocketAddr;
use std::time::Duration;

use crate::section::section;

section! {
    /// Health and metrics over HTTP: /healthz, /readyz, /startupz and /metrics. Whoever reaches it reads them, without
    /// TLS and without a password: an address of loopback, or a network that only machines of yours reach.
    pub struct Http {
        /// The addresses and ports to listen on, such as "127.0.0.1:9090"; port 0 takes a free one. Without one
        /// nothing is served.
        bind: Vec<SocketAddr> = Vec::new();

        /// Connections open at once; more are closed.
        max_connections: u32 = 64, 1..=1_024;

        /// How long a connection may take, from its first octet to the last of its answer. Each has one request.
        timeout: Duration = Duration::from_secs(10), Duration::from_secs(1)..=Duration::from_secs(60);

        /// How long /readyz waits for the store to commit before it says no.
        ready_timeout: Duration = Duration::from_secs(2), Duration::from_millis(100)..=Duration::from_secs(30);
    }
}
