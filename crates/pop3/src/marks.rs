//! Marks: which messages of a maildrop are marked as deleted, a bit a message.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::checkpoint;

const WORD_BITS: usize = u64::BITS as usize;

/// Deletion marks, by index from 0. Cheap to clone; marking copies the words only while a clone is alive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// As long as the highest mark needs; its bound is the length of the listing.
    #[serde(with = "checkpoint::shared")]
    words: Arc<Vec<u64>>,
    count: usize,
    octets: u64,
}

impl Marks {
    /// Marks a message of this many octets. The caller has seen that it exists and is not marked.
    pub(crate) fn mark(&mut self, index: usize, octets: u64) {
        let (word, bit) = place(index);
        let words = Arc::make_mut(&mut self.words);
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        if let Some(found) = words.get_mut(word) {
            *found |= bit;
            self.count += 1;
            self.octets = self.octets.saturating_add(octets);
        }
    }

    pub(crate) fn has(&self, index: usize) -> bool {
        let (word, bit) = place(index);
        self.words.get(word).is_some_and(|found| found & bit != 0)
    }

    /// How many messages are marked.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The sum of their sizes.
    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }
}

const fn place(index: usize) -> (usize, u64) {
    (index / WORD_BITS, 1 << (index % WORD_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marked_indices_are_marked() {
        let mut marks = Marks::default();
        for index in [0, 63, 64, 1_000] {
            marks.mark(index, 10);
        }
        let marked: Vec<usize> = (0..2_000).filter(|index| marks.has(*index)).collect();
        assert_eq!(marked, [0, 63, 64, 1_000]);
        assert_eq!((marks.count(), marks.octets()), (4, 40));
    }

    #[test]
    fn a_clone_keeps_its_marks() {
        let before = Marks::default();
        let mut after = before.clone();
        after.mark(5, 1);
        assert!(after.has(5) && !before.has(5));
    }
}
