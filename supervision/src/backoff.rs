//! Backoff: how long a supervisor waits before a restart. Pure: the random number is handed in.

use std::time::Duration;

/// The longest wait before the second restart of a period; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// No wait is longer: a dependency that comes back must not wait for us.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The wait before the n-th restart of a period, counted from one. The first is immediate; from the second on it is
/// between half and the whole of a doubling span, so that children that died together do not come back together.
///
/// `jitter` is a random number from 0 up to 1.
pub(crate) fn wait(restart: u32, jitter: f64) -> Duration {
    let Some(doublings) = restart.checked_sub(2) else {
        return Duration::ZERO;
    };
    let span = 2_u32
        .checked_pow(doublings)
        .and_then(|factor| FIRST_WAIT.checked_mul(factor));
    let span = span.map_or(LONGEST_WAIT, |span| span.min(LONGEST_WAIT));
    span.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::wait;

    #[test]
    fn the_first_is_immediate_and_the_rest_double_up_to_a_limit() {
        let table = [
            (0, 0.9, 0),
            (1, 0.0, 0),
            (1, 0.99, 0),
            (2, 0.0, 10),
            (2, 0.5, 15),
            (2, 1.0, 20),
            (3, 0.0, 20),
            (3, 1.0, 40),
            (7, 1.0, 640),
            (12, 0.0, 10_240),
            (13, 1.0, 30_000),
            (40, 0.0, 15_000),
            (u32::MAX, 1.0, 30_000),
            (2, 7.0, 20),
            (2, -7.0, 10),
        ];
        for (restart, jitter, millis) in table {
            assert_eq!(
                wait(restart, jitter),
                Duration::from_millis(millis),
                "restart {restart}, jitter {jitter}"
            );
        }
    }
}
