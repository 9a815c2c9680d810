//! Reads: a bounded pool of threads for reads that may touch the disk and for other work that blocks.
//!
//! An actor must not block a thread of the runtime. It hands a closure to the pool, one hop a request, and waits.

use std::sync::Arc;

use supervision::Broken;
use tokio::sync::Semaphore;

/// A pool. Copies share its bound.
#[derive(Clone, Debug)]
pub struct Reads {
    permits: Arc<Semaphore>,
}

impl Reads {
    /// A pool that does at most `limit` things at once; who comes later waits in line.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limit)),
        }
    }

    /// Runs a closure on a thread that may block.
    ///
    /// # Errors
    /// [`Broken`] when it panicked: the bug is the caller's, and so is the crash.
    pub async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Broken> {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return Err(Broken::because("the pool of readers is closed"));
        };
        let done = tokio::task::spawn_blocking(move || {
            let result = read();
            drop(permit);
            result
        });
        done.await
            .map_err(|why| Broken::because(format!("a read did not end: {why}")))
    }
}
