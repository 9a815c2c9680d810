//! The shell answers within its time, also when five times as many send as the server can serve.
//!
//! What a machine adds that others use is measured beside it: an echo on another Unix socket, at the same time, by a
//! thread of this process that has nothing else to do. It excuses what any thread must wait for a processor, and nothing
//! of what the server does. The difference must be within the limit, for each question, in the middle and at the end.

use std::{fmt, time::Duration};

use super::Broken;
use crate::times::percentile;

/// Its name.
pub(crate) const PROMISE: &str = "the shell answers within its time at five times the load";

/// Its time.
pub(crate) const LIMIT: Duration = Duration::from_millis(100);

/// The fewest answers of which a percentile says anything.
pub(crate) const FEWEST: usize = 20;

/// How long something took, over many times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    /// In the middle.
    pub(crate) p50: Duration,
    /// At the end.
    pub(crate) p99: Duration,
}

/// What was measured of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The shell.
    pub(crate) shell: Spread,
    /// The echo: the allowance.
    pub(crate) allowance: Spread,
}

impl Spread {
    /// Of these times.
    pub(crate) fn of(times: &mut [Duration]) -> Self {
        times.sort_unstable();
        let of = |percent| percentile(times, percent).unwrap_or_default();
        Self {
            p50: of(50),
            p99: of(99),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?}, {:.1?}", self.p50, self.p99)
    }
}

/// Whether the answers to one question were in time, less what the echo took.
pub(crate) fn check(question: &str, mut shell: Vec<Duration>, echo: &[Duration]) -> Result<Measured, Broken> {
    let mut echo = echo.to_vec();
    for (what, times) in [(question, &shell), ("the echo", &echo)] {
        if times.len() < FEWEST {
            let how = format!(
                "{what} was answered {} times, {FEWEST} say something",
                times.len()
            );
            return Err(Broken::new(PROMISE, how));
        }
    }
    let measured = Measured {
        shell: Spread::of(&mut shell),
        allowance: Spread::of(&mut echo),
    };
    let Measured { shell, allowance } = measured;
    for (percent, shell, allowance) in [(50, shell.p50, allowance.p50), (99, shell.p99, allowance.p99)] {
        if shell.saturating_sub(allowance) > LIMIT {
            let how = format!("{question}: its p{percent} is {shell:.1?} where an echo's is {allowance:.1?}");
            return Err(Broken::new(PROMISE, how));
        }
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(millis: u64, count: usize) -> Vec<Duration> {
        vec![Duration::from_millis(millis); count]
    }

    #[test]
    fn holds_within_the_limit_and_the_allowance() {
        for (shell, echo) in [(100, 0), (100, 100), (130, 30), (1, 500)] {
            let measured = check("tree", times(shell, 50), &times(echo, 50)).unwrap();
            for (spread, millis) in [(measured.shell, shell), (measured.allowance, echo)] {
                let time = Duration::from_millis(millis);
                assert_eq!(spread, Spread { p50: time, p99: time });
            }
        }
        // One in a hundred may be late.
        let mut late = times(1, 99);
        late.push(Duration::from_secs(9));
        check("tree", late, &times(0, 50)).unwrap();
    }

    #[test]
    fn sees_every_violation() {
        let mut late = times(1, 98);
        late.extend(times(900, 2));
        // An echo that is now and then late excuses nobody who always is.
        let mut moody = times(1, 90);
        moody.extend(times(500, 10));
        for (shell, echo, expected) in [
            (times(101, 50), times(0, 50), "p50 is 101"),
            (times(200, 50), times(99, 50), "p50 is 200"),
            (times(150, 50), moody, "p50 is 150"),
            (late, times(1, 50), "p99 is 900"),
            (times(1, 19), times(0, 50), "tree was answered 19 times"),
            (vec![], times(0, 50), "tree was answered 0 times"),
            (times(1, 50), vec![], "the echo was answered 0 times"),
        ] {
            let broken = check("tree", shell, &echo).unwrap_err().to_string();
            assert!(broken.contains(expected), "{expected}: {broken}");
        }
    }
}
