//! Thread: a thread and a runtime for the shell alone, so that an operator is answered however many tasks of the mail wait
//! for their turn. It belongs to the process.

use std::{io, sync::Arc};

use tokio::runtime::{Builder, Handle, Runtime};

/// One that carries all that the shell does without blocking: what blocks goes to threads that are made as they are needed.
const WORKERS: usize = 1;

/// The thread. It ends with the last copy.
#[derive(Clone, Debug)]
pub struct Thread(Arc<Owned>);

#[derive(Debug)]
struct Owned {
    handle: Handle,
    /// There until it is dropped.
    runtime: Option<Runtime>,
}

impl Thread {
    /// Begins.
    ///
    /// # Errors
    /// When the system has no thread or no descriptor left.
    pub fn begin() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("angarium-shell")
            .enable_all()
            .build()?;
        Ok(Self(Arc::new(Owned {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })))
    }

    /// What lives on it is spawned here.
    #[must_use]
    pub fn runtime(&self) -> Handle {
        self.0.handle.clone()
    }
}

impl Drop for Owned {
    /// Also from a task of another runtime, where nobody may wait, and from one of its own.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
