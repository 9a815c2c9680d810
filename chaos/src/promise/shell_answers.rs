//! The shell answers within its time, also when five times as many send as the server can serve.
//!
//! What a machine adds that others use is measured beside it: an echo on another Unix socket, answered by the same process
//! at the same time. The difference must be within the limit, for each question, in the middle and at the end: at the 99th
//! percentile alone, where both wait for a turn, an echo would excuse much.

use std::time::Duration;

use super::Broken;
use crate::times::percentile;

/// Its name.
pub(crate) const PROMISE: &str = "the shell answers within its time at five times the load";

/// Its time.
pub(crate) const LIMIT: Duration = Duration::from_millis(100);

/// Where it is held.
const PERCENTS: [usize; 2] = [50, 99];

/// The fewest answers of which a percentile says anything.
pub(crate) const FEWEST: usize = 20;

/// What was measured of one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// The shell's p99.
    pub(crate) shell: Duration,
    /// The echo's p99: the allowance.
    pub(crate) allowance: Duration,
}

/// Whether the answers to one question were in time, less what the echo took.
pub(crate) fn check(question: &str, mut shell: Vec<Duration>, echo: &[Duration]) -> Result<Measured, Broken> {
    let mut echo = echo.to_vec();
    shell.sort_unstable();
    echo.sort_unstable();
    for (what, times) in [(question, &shell), ("the echo", &echo)] {
        if times.len() < FEWEST {
            let how = format!(
                "{what} was answered {} times, {FEWEST} say something",
                times.len()
            );
            return Err(Broken::new(PROMISE, how));
        }
    }
    let mut measured = Measured {
        shell: Duration::ZERO,
        allowance: Duration::ZERO,
    };
    for percent in PERCENTS {
        let of = |times: &[Duration]| percentile(times, percent).unwrap_or_default();
        measured = Measured {
            shell: of(&shell),
            allowance: of(&echo),
        };
        let Measured { shell, allowance } = measured;
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
            assert_eq!(measured.shell, Duration::from_millis(shell));
            assert_eq!(measured.allowance, Duration::from_millis(echo));
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
