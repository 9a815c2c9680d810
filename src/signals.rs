//! Signals of the operator, as events.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the server listens for.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens for SIGTERM, SIGINT and SIGHUP from now on.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal that ends the server in order, and names it. A SIGHUP, such as a closing terminal or a
    /// habit of operators sends, does not end it; a new configuration is taken at the next start.
    pub async fn next(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                _ = self.hangup.recv() => tracing::warn!(
                    target: "angarium",
                    "SIGHUP: the configuration is not read again; restart to take a new one",
                ),
            }
        }
    }
}
