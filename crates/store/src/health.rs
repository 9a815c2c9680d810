//! Whether the store can still promise anything.

use tokio::sync::watch;

/// Set once, by whoever meets the first failure.
#[derive(Debug)]
pub(crate) struct Health {
    failure: watch::Sender<Option<String>>,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self {
            failure: watch::Sender::new(None),
        }
    }

    /// Nothing can be promised any more. Only the first reason is kept.
    pub(crate) fn poison(&self, why: String) {
        tracing::error!(%why, "the store is poisoned");
        self.failure.send_if_modified(|failure| {
            let first = failure.is_none();
            if first {
                *failure = Some(why);
            }
            first
        });
    }

    /// Why nothing can be promised, if so.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.borrow().clone()
    }

    /// Waits for the first failure.
    pub(crate) fn poisoned(&self) -> impl Future<Output = String> + Send + use<> {
        let mut failures = self.failure.subscribe();
        async move {
            if let Ok(failure) = failures.wait_for(Option::is_some).await
                && let Some(why) = failure.clone()
            {
                return why;
            }
            // The store is gone and did not fail.
            std::future::pending().await
        }
    }
}
