//! Intensity: how often a child may be restarted before that is no longer a repair. Pure: time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// At most so many restarts in a period; one more is too many (OTP's `intensity` and `period`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts allowed within the period. Zero allows none.
    pub restarts: u32,
    /// How long a restart is remembered.
    pub period: Duration,
}

impl Intensity {
    /// So many restarts in a period.
    #[must_use]
    pub const fn new(restarts: u32, period: Duration) -> Self {
        Self { restarts, period }
    }
}

impl Default for Intensity {
    /// Three restarts in ten seconds.
    fn default() -> Self {
        Self::new(3, Duration::from_secs(10))
    }
}

/// The restarts of the current period. Holds at most one mark more than the intensity allows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    marks: VecDeque<Instant>,
}

/// What one more failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Restart it: this is the n-th restart of the period, counted from one.
    Restart(u32),
    /// More than the intensity allows.
    Exceeded,
}

impl Window {
    /// Counts a failure at `now`.
    pub(crate) fn record(&mut self, intensity: Intensity, now: Instant) -> Verdict {
        while self
            .marks
            .front()
            .is_some_and(|mark| now.saturating_duration_since(*mark) >= intensity.period)
        {
            self.marks.pop_front();
        }
        let count = u32::try_from(self.marks.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        if count > intensity.restarts {
            return Verdict::Exceeded;
        }
        self.marks.push_back(now);
        Verdict::Restart(count)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Intensity, Verdict, Window};

    /// Failures at these milliseconds, under so many restarts in 1,000 ms, give these verdicts; zero is "exceeded".
    fn check(restarts: u32, failures: &[(u64, u32)]) {
        let start = Instant::now();
        let intensity = Intensity::new(restarts, Duration::from_millis(1000));
        let mut window = Window::default();
        for (at, expected) in failures {
            let expected = if *expected == 0 {
                Verdict::Exceeded
            } else {
                Verdict::Restart(*expected)
            };
            let verdict = window.record(intensity, start + Duration::from_millis(*at));
            assert_eq!(
                verdict, expected,
                "restarts {restarts}, at {at} ms of {failures:?}"
            );
        }
    }

    #[test]
    fn counts_within_the_period_only() {
        check(0, &[(0, 0)]);
        check(1, &[(0, 1), (999, 0)]);
        check(1, &[(0, 1), (1000, 1), (2000, 1)]);
        check(3, &[(0, 1), (1, 2), (2, 3), (3, 0)]);
        check(3, &[(0, 1), (400, 2), (800, 3), (1000, 3), (1100, 0), (1400, 3)]);
        check(2, &[(0, 1), (600, 2), (1200, 2), (1800, 2)]);
        check(2, &[(0, 1), (10_000, 1), (10_001, 2), (10_002, 0)]);
    }
}
