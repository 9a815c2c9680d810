//! Window: how much of something happened lately, in twelve octets.
//!
//! Two buckets slide: what is counted now, and the bucket before, of which as much still counts as lies inside the
//! window. If what was counted before came evenly the answer is exact; at worst it is one bucket wrong. Why not GCRA
//! is in `docs/decisions/0026-counting-in-windows.md`.

use std::time::Duration;

use message::time::Tick;

/// Something counted in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// The bucket that is counted in; 0 is none yet.
    bucket: u32,
    current: u32,
    previous: u32,
}

/// A moment, as windows of one length see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    bucket: u32,
    /// Microseconds of the bucket that have passed.
    passed: u64,
    /// Microseconds of a bucket.
    length: u64,
}

impl Moment {
    /// A moment in windows of a length. A window is never shorter than a millisecond.
    pub(super) fn of(now: Tick, length: Duration) -> Self {
        let length = u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1_000);
        let bucket = now.as_micros() / length;
        Self {
            // At one bucket a millisecond this is reached after fifty days, and then only begins to count anew.
            bucket: (bucket % u64::from(u32::MAX)) as u32 + 1,
            passed: now.as_micros() % length,
            length,
        }
    }

    /// As much of a count as would still be in the window after some time, rounded up.
    pub(super) fn left_of(self, count: u32, age: Duration) -> u32 {
        let left = u128::from(self.length).saturating_sub(age.as_micros());
        let left = (u128::from(count) * left).div_ceil(u128::from(self.length));
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

impl Window {
    /// How much it was within the last window.
    pub(super) fn count(self, now: Moment) -> u32 {
        let Self {
            current, previous, ..
        } = self.moved(now);
        let left = u128::from(now.length - now.passed.min(now.length));
        let previous = u128::from(previous) * left / u128::from(now.length);
        current.saturating_add(u32::try_from(previous).unwrap_or(u32::MAX))
    }

    /// Counts more, and says how much it is now.
    pub(super) fn add(&mut self, now: Moment, amount: u32) -> u32 {
        *self = self.moved(now);
        self.current = self.current.saturating_add(amount);
        self.count(now)
    }

    /// Whether this much more stays within a limit; 0 is no limit.
    pub(super) fn has_room(self, now: Moment, amount: u32, limit: u32) -> bool {
        limit == 0 || self.count(now).saturating_add(amount) <= limit
    }

    /// Whether nothing is left of what was counted.
    pub(super) fn is_idle(self, now: Moment) -> bool {
        let moved = self.moved(now);
        moved.current == 0 && moved.previous == 0
    }

    /// The same in the bucket of a moment.
    const fn moved(self, now: Moment) -> Self {
        match now.bucket.checked_sub(self.bucket) {
            // Of two threads the later may come first: what is a little older counts in the bucket that stands.
            Some(0) => self,
            None if self.bucket - now.bucket == 1 => self,
            Some(1) => Self {
                bucket: now.bucket,
                current: 0,
                previous: self.current,
            },
            // Long ago; or the length was changed, and windows of another length say nothing.
            Some(_) | None => Self {
                bucket: now.bucket,
                current: 0,
                previous: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Moment {
        Moment::of(Tick::from_micros(seconds * 1_000_000), MINUTE)
    }

    #[test]
    fn the_bucket_before_counts_as_far_as_it_lies_inside() {
        for (added, asked, expected) in [
            (0, 0, 60),
            (0, 59, 60),
            (0, 60, 60),
            (0, 75, 45),
            (0, 90, 30),
            (0, 119, 1),
            (0, 120, 0),
            (59, 61, 59),
            (0, 100_000, 0),
        ] {
            let mut window = Window::default();
            window.add(at(added), 60);
            assert_eq!(window.count(at(asked)), expected, "{added} {asked}");
            assert_eq!(window.is_idle(at(asked)), asked >= 120, "{added} {asked}");
        }
    }

    /// However events are spread, no stretch of one length lets more through than twice the limit, and a steady sender
    /// a little below the limit is not held back.
    #[test]
    fn a_limit_holds_over_any_stretch() {
        const LIMIT: u32 = 60;
        for period in [1_u64, 7, 250, 999, 1_000, 1_001, 5_000] {
            let mut window = Window::default();
            let mut taken = Vec::new();
            for step in 0..200_000 / period {
                let now = Tick::from_micros(step * period * 1_000);
                let moment = Moment::of(now, MINUTE);
                if window.has_room(moment, 1, LIMIT) {
                    window.add(moment, 1);
                    taken.push(now);
                }
            }
            for from in &taken {
                let until = *from + MINUTE;
                let stretch = taken.iter().filter(|at| *at >= from && **at < until).count();
                assert!(stretch <= 2 * LIMIT as usize, "{period} {stretch}");
            }
            if period > 1_050 {
                assert_eq!(taken.len() as u64, 200_000 / period, "{period}");
            }
        }
    }

    #[test]
    fn a_thread_that_comes_late_takes_nothing_back() {
        let mut window = Window::default();
        window.add(at(59), 5);
        window.add(at(60), 1);
        window.add(at(59), 1);
        assert_eq!(window.count(at(60)), 7);
    }

    #[test]
    fn another_length_begins_anew_and_nothing_overflows() {
        let mut window = Window::default();
        window.add(at(100_000), u32::MAX);
        window.add(at(100_000), u32::MAX);
        assert_eq!(window.count(at(100_000)), u32::MAX);
        assert!(!window.has_room(at(100_000), 1, u32::MAX - 1));
        let hour = Moment::of(Tick::from_micros(100_000 * 1_000_000), 60 * MINUTE);
        assert_eq!(window.count(hour), 0);
        let end = Moment::of(Tick::MAX, Duration::ZERO);
        assert_eq!(Window::default().add(end, 1), 1);
    }
}
