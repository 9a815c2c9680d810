//! Percentiles of counts in classes that double: the n-th class counts what is up to 2ⁿ.

/// Where this part of what was counted lies, rounded up to the bound of its class; nothing counted is 0.
pub(super) fn percentile(counts: &[u64], part: f64) -> u64 {
    let total: u64 = counts.iter().sum();
    // At least one, so that the smallest part is the first that was counted.
    let wanted = ((total as f64 * part).ceil() as u64).max(1);
    let mut seen = 0;
    for (class, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= wanted {
            return 1_u64
                .checked_shl(u32::try_from(class).unwrap_or(u32::MAX))
                .unwrap_or(u64::MAX);
        }
    }
    0
}

/// How much each class has grown. What has shrunk began anew.
pub(super) fn grown<const N: usize>(before: &[u64; N], now: &[u64; N]) -> [u64; N] {
    let mut grown = *now;
    for (grown, before) in grown.iter_mut().zip(before) {
        *grown = grown.checked_sub(*before).unwrap_or(*grown);
    }
    grown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_bound_of_its_class() {
        for (counts, part, expected) in [
            (vec![], 0.5, 0),
            (vec![0, 0], 0.5, 0),
            (vec![1], 0.5, 1),
            (vec![50, 50], 0.5, 1),
            (vec![49, 51], 0.5, 2),
            (vec![0, 99, 0, 1], 0.99, 2),
            (vec![0, 98, 0, 2], 0.99, 8),
            (vec![0, 0, 0, 1], 0.0, 8),
        ] {
            assert_eq!(percentile(&counts, part), expected, "{counts:?} {part}");
        }
        let mut last = [0; 70];
        last[69] = 1;
        assert_eq!(percentile(&last, 1.0), u64::MAX);
    }

    #[test]
    fn what_has_shrunk_began_anew() {
        assert_eq!(grown(&[1, 5, 3], &[4, 5, 2]), [3, 0, 2]);
    }
}
