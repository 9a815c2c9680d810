//! Interrupts: Ctrl-C ends what is being asked, not the shell.

use std::{
    io,
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
};

use crate::cli::client::Client;

/// Whether somebody interrupted, and what that ends.
#[derive(Clone, Default)]
pub(super) struct Interrupts {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    interrupted: bool,
    /// The connection on which something is being asked.
    asked: Option<UnixStream>,
}

/// While it lives an interrupt ends a connection.
pub(super) struct Watched {
    interrupts: Interrupts,
}

impl Interrupts {
    /// None: an interrupt ends the program, as the system has it.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// Listens from now on, as long as the runtime lives. Before there is an editor: it puts back what handler it found.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn listen(runtime: &Runtime) -> io::Result<Self> {
        let interrupts = Self::default();
        let heard = interrupts.clone();
        let entered = runtime.enter();
        let mut signal = signal(SignalKind::interrupt())?;
        drop(entered);
        runtime.spawn(async move {
            while signal.recv().await.is_some() {
                heard.interrupt();
            }
        });
        Ok(interrupts)
    }

    fn interrupt(&self) {
        let mut state = self.state();
        state.interrupted = true;
        if let Some(stream) = &state.asked {
            drop(stream.shutdown(Shutdown::Both));
        }
        self.shared.1.notify_all();
    }

    /// What was interrupted before concerns what comes no more.
    pub(super) fn forget(&self) {
        self.state().interrupted = false;
    }

    /// Whether it was interrupted since it was last forgotten.
    pub(super) fn happened(&self) -> bool {
        self.state().interrupted
    }

    /// Has an interrupt end this connection.
    pub(super) fn end(&self, client: &Client) -> Watched {
        self.state().asked = client.twin().ok();
        Watched {
            interrupts: self.clone(),
        }
    }

    /// Waits; true when it was interrupted.
    pub(super) fn wait(&self, pause: Duration) -> bool {
        let waited = self
            .shared
            .1
            .wait_timeout_while(self.state(), pause, |state| !state.interrupted);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.interrupted
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.interrupts.state().asked = None;
    }
}
