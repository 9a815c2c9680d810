//! Waiting: looks again and again until something is seen or its time is over.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// The first looks follow one another at once, so that what takes microseconds is measured.
const EAGER_LOOKS: u32 = 64;

/// Between the looks after those.
const INTERVAL: Duration = Duration::from_millis(1);

/// Looks until there is something; `None` when the time is over.
///
/// # Errors
/// Those of a look end the waiting.
pub(crate) async fn until<T>(
    limit: Duration,
    mut look: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<Option<T>> {
    let end = Instant::now() + limit;
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = 0;
    loop {
        if let Some(seen) = look().await? {
            return Ok(Some(seen));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        looks += 1;
        if looks < EAGER_LOOKS {
            tokio::task::yield_now().await;
        } else {
            ticks.tick().await;
        }
    }
}

/// Lets time pass: between two faults, or between two letters.
pub(crate) async fn pass(time: Duration) {
    let nothing = std::future::pending::<()>();
    // The timeout is the point.
    let _ = tokio::time::timeout(time, nothing).await;
}
