//! The nearest known word to one that is unknown.

/// Longest word that is compared, in bytes: longer ones are no misspelling of ours.
const MAX_WORD: usize = 48;

/// The candidate with the fewest changed letters; the first of equals; `None` if all are too far.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let limit = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, remove, change or swap with their neighbour to make one word the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    let mut two_above = above.clone();
    let mut before = None;
    for (line, a) in from.chars().enumerate() {
        let mut row = Vec::with_capacity(above.len());
        row.push(line + 1);
        let mut b_before = None;
        for (column, &b) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&above, column) + usize::from(a != b);
            let mut least = changed.min(at(&row, column) + 1).min(at(&above, column + 1) + 1);
            if b_before == Some(a) && before == Some(b) {
                least = least.min(at(&two_above, column.saturating_sub(1)) + 1);
            }
            row.push(least);
            b_before = Some(b);
        }
        before = Some(a);
        two_above = std::mem::replace(&mut above, row);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_changed_letters() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("é", "e", 1),
            ("smpt", "smtp", 1),
            ("ba", "ab", 1),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn suggests_only_what_is_near() {
        let known = ["max_recipients", "max_errors", "bind", "tls"];
        for (word, expected) in [
            ("max_recipient", Some("max_recipients")),
            ("max_error", Some("max_errors")),
            ("bimd", Some("bind")),
            ("tsl", Some("tls")),
            ("tl", Some("tls")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }

    proptest! {
        #[test]
        fn is_symmetric_and_bounded(a in "\\PC{0,20}", b in "\\PC{0,20}") {
            let d = distance(&a, &b);
            prop_assert_eq!(d, distance(&b, &a));
            prop_assert!(d <= a.chars().count().max(b.chars().count()));
            prop_assert_eq!(d == 0, a == b);
        }
    }
}
