//! Reads: a bounded pool of threads for reads that may touch the disk and for other work that blocks.
//!
//! An actor must not block a thread of the runtime. It hands a closure to the pool, one hop a request, and waits.

use std::sync::{Arc, Mutex, PoisonError};

use supervision::Broken;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A pool. Copies share its bound.
#[derive(Clone, Debug)]
pub struct Reads {
    permits: Arc<Semaphore>,
    bound: Arc<Mutex<Bound>>,
}

#[derive(Debug)]
struct Bound {
    limit: usize,
    /// Permits that go when they come back: the pool has become smaller under them.
    owed: usize,
}

impl Reads {
    /// A pool that does at most `limit` things at once; who comes later waits in line.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limit)),
            bound: Arc::new(Mutex::new(Bound { limit, owed: 0 })),
        }
    }

    /// Does at most so many things at once from now on. What is being done is done.
    pub fn resize(&self, limit: usize) {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if limit >= bound.limit {
            let more = limit - bound.limit;
            let forgiven = more.min(bound.owed);
            bound.owed -= forgiven;
            self.permits.add_permits(more - forgiven);
        } else {
            let fewer = bound.limit - limit;
            bound.owed += fewer - self.permits.forget_permits(fewer);
        }
        bound.limit = limit;
    }

    /// How many things are done at once at most.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner).limit
    }

    fn give_back(&self, permit: OwnedSemaphorePermit) {
        let mut bound = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if bound.owed > 0 {
            bound.owed -= 1;
            permit.forget();
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
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let given_back = GivenBack(&pool, Some(permit));
            let result = read();
            drop(given_back);
            result
        });
        done.await
            .map_err(|why| Broken::because(format!("a read did not end: {why}")))
    }
}

/// Gives a permit back, also when the read panics.
struct GivenBack<'p>(&'p Reads, Option<OwnedSemaphorePermit>);

impl Drop for GivenBack<'_> {
    fn drop(&mut self) {
        if let Some(permit) = self.1.take() {
            self.0.give_back(permit);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn it_shrinks_under_those_who_read() {
        let reads = Reads::new(2);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let first = {
            let reads = reads.clone();
            tokio::spawn(async move { reads.run(move || released.recv()).await })
        };
        while reads.permits.available_permits() != 1 {
            tokio::task::yield_now().await;
        }
        reads.resize(0);
        assert_eq!(reads.permits.available_permits(), 0);
        drop(release);
        assert!(first.await.unwrap().is_ok());
        let waits = tokio::time::timeout(Duration::from_millis(1), reads.run(|| ()));
        assert!(waits.await.is_err());
        reads.resize(1);
        assert!(reads.run(|| ()).await.is_ok());
        assert_eq!((reads.permits.available_permits(), reads.limit()), (1, 1));
    }
}
