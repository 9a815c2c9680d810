//! Clock: the one place that reads time. Machines and `apply` are given what it says.
//!
//! Deadlines follow tokio's clock, so that a test that pauses time moves them too. Wall time follows the system, or,
//! where a test asks for it, tokio's clock from a given start.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use message::time::{Tick, Timestamp};
use tokio::time::Instant;

/// Makes ticks and timestamps. Copied freely; all copies agree.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: Wall,
}

impl Clock {
    /// The clock of a running server.
    #[must_use]
    pub fn system() -> Self {
        Self {
            start: Instant::now(),
            wall: Wall::System,
        }
    }

    /// A clock whose wall time starts at `at` and moves with tokio's clock, paused or not.
    #[must_use]
    pub fn starting(at: Timestamp) -> Self {
        Self {
            start: Instant::now(),
            wall: Wall::Following(at),
        }
    }

    /// Now, for deadlines.
    #[must_use]
    pub fn tick(&self) -> Tick {
        Tick::from_micros(micros(self.start.elapsed()))
    }

    /// Now, for anything stored or shown.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        let millis = match self.wall {
            // A clock before 1970 is an operator's mistake that must not stop mail.
            Wall::System => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis),
            Wall::Following(at) => at.as_millis().saturating_add(millis(self.start.elapsed())),
        };
        Timestamp::from_millis(millis)
    }

    /// The moment of tokio's clock at which a deadline falls due; `None` for a deadline that never comes.
    #[must_use]
    pub fn instant(&self, deadline: Tick) -> Option<Instant> {
        if deadline == Tick::MAX {
            return None;
        }
        self.start
            .checked_add(Duration::from_micros(deadline.as_micros()))
    }
}

/// Where wall time comes from.
#[derive(Clone, Copy, Debug)]
enum Wall {
    System,
    Following(Timestamp),
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_times_follow_a_paused_clock() {
        let clock = Clock::starting(Timestamp::from_millis(1_000));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.tick(), Tick::from_micros(3_000_000));
        assert_eq!(clock.timestamp(), Timestamp::from_millis(4_000));
        let instant = clock.instant(Tick::from_micros(5_000_000)).unwrap();
        assert_eq!(instant - Instant::now(), Duration::from_secs(2));
        assert_eq!(clock.instant(Tick::MAX), None);
    }
}
