//! Alarm: the one timer of a connection.
//!
//! Most deadlines move before they pass. So setting one costs nothing: the timer is left where it is, and only when
//! it fires does the alarm look whether the deadline has moved on.

use std::pin::Pin;

use message::time::Tick;
use tokio::time::Sleep;

use crate::clock::Clock;

/// Rings when the deadline that was set last has passed.
pub(super) struct Alarm {
    clock: Clock,
    deadline: Tick,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            deadline: Tick::MAX,
            timer: None,
        }
    }

    /// Moves the deadline.
    pub(super) fn set(&mut self, deadline: Tick) {
        if deadline < self.deadline {
            // The timer may be armed for a later moment.
            self.timer = None;
        }
        self.deadline = deadline;
    }

    /// Waits until the deadline has passed. May be dropped and called again.
    pub(super) async fn ring(&mut self) {
        while self.clock.tick() < self.deadline {
            let Some(at) = self.clock.instant(self.deadline) else {
                return std::future::pending().await;
            };
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
            if timer.is_elapsed() {
                timer.as_mut().reset(at);
            }
            timer.as_mut().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(clock: Clock, seconds: u64) -> Tick {
        clock.tick() + Duration::from_secs(seconds)
    }

    #[tokio::test(start_paused = true)]
    async fn rings_at_the_deadline_that_was_set_last() {
        for (deadlines, expected) in [(vec![5], 5), (vec![5, 9], 9), (vec![9, 5], 5), (vec![5, 0], 0)] {
            let clock = Clock::system();
            let mut alarm = Alarm::new(clock);
            for deadline in &deadlines {
                alarm.set(after(clock, *deadline));
                // Arm the timer for this deadline, as a wait that ended early does.
                drop(tokio::time::timeout(Duration::ZERO, alarm.ring()).await);
            }
            let started = tokio::time::Instant::now();
            alarm.ring().await;
            let waited = started.elapsed();
            // tokio's timers have a granularity of a millisecond.
            let expected = Duration::from_secs(expected);
            assert!(
                waited >= expected && waited < expected + Duration::from_millis(5),
                "{deadlines:?}: {waited:?}"
            );
        }
    }
}
