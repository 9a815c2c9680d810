//! Times: what is said of many durations.

use std::time::Duration;

/// The value that so many percent do not exceed.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        let durations: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (count, percent, expected) in [
            (0, 50, None),
            (1, 50, Some(1)),
            (1, 99, Some(1)),
            (2, 50, Some(1)),
            (200, 50, Some(100)),
            (200, 99, Some(198)),
        ] {
            let found = percentile(&durations[..count], percent);
            assert_eq!(found, expected.map(Duration::from_millis), "{count} {percent}");
        }
    }
}
