//! The change feed: what was committed, in commit order, for one reader or several that may fall behind.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::apply::Change;

/// One reader's place in the change feed.
///
/// Dropping a change is never an error: a reader that was told [`Feed::Lagged`] reads its state again.
#[derive(Debug)]
pub struct Changes {
    number: u64,
    buffer: Arc<Mutex<Buffer>>,
    pushed: watch::Receiver<()>,
}

/// What the feed has for its reader.
#[derive(Clone, Debug)]
pub enum Feed {
    /// The commands of one group, in commit order, those without changes left out.
    Committed(Arc<Vec<Committed>>),
    /// The reader was too slow and this many groups are gone: read everything again.
    Lagged(u64),
}

/// The changes of one committed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of this command among all that this store ever committed, from 1.
    pub sequence: u64,
    /// What it changed, as the live actors need to know it.
    pub changes: Vec<Change>,
}

impl Changes {
    /// Waits for the next group; `None` when the store has closed and everything was read.
    ///
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Feed> {
        loop {
            self.pushed.mark_unchanged();
            if let Some(fed) = lock(&self.buffer).next(self.number) {
                return Some(fed);
            }
            if self.pushed.changed().await.is_err() {
                // The last group may have come between the look and the end.
                return lock(&self.buffer).next(self.number);
            }
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        lock(&self.buffer).leave(self.number);
    }
}

/// Where the committer puts what it has committed. When this is dropped the store has closed.
#[derive(Debug)]
pub(crate) struct Feeder {
    buffer: Arc<Mutex<Buffer>>,
    pushed: watch::Sender<()>,
}

impl Feeder {
    /// A feed that keeps so many groups for a reader that is behind.
    pub(crate) fn new(max: usize) -> Self {
        let buffer = Buffer {
            max: max.max(1),
            ..Buffer::default()
        };
        Self {
            buffer: Arc::new(Mutex::new(buffer)),
            pushed: watch::Sender::new(()),
        }
    }

    /// Another length from now on. Whoever is further behind than that is told that it lags.
    pub(crate) fn keep(&self, max: usize) {
        lock(&self.buffer).keep(max.max(1));
    }

    /// The next group for all who read now. Never waits for them.
    pub(crate) fn push(&self, group: Arc<Vec<Committed>>) {
        lock(&self.buffer).push(group);
        self.pushed.send_replace(());
    }

    /// A reader of what comes from now on.
    pub(crate) fn subscribe(&self) -> Changes {
        // Before its place is taken: a group in between is one that it was woken for.
        let pushed = self.pushed.subscribe();
        Changes {
            number: lock(&self.buffer).enter(),
            buffer: Arc::clone(&self.buffer),
            pushed,
        }
    }
}

fn lock(buffer: &Mutex<Buffer>) -> MutexGuard<'_, Buffer> {
    // It is whole between any two of its lines.
    buffer.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The groups that somebody has still to read, and who has come how far. Groups are counted from the start.
#[derive(Debug, Default)]
struct Buffer {
    max: usize,
    /// The number of the first that is here.
    first: u64,
    groups: VecDeque<Arc<Vec<Committed>>>,
    /// The next group of each reader.
    readers: BTreeMap<u64, u64>,
    entered: u64,
}

impl Buffer {
    fn end(&self) -> u64 {
        self.first + self.groups.len() as u64
    }

    fn enter(&mut self) -> u64 {
        self.entered += 1;
        let end = self.end();
        self.readers.insert(self.entered, end);
        self.entered
    }

    fn leave(&mut self, reader: u64) {
        self.readers.remove(&reader);
        self.forget();
    }

    fn push(&mut self, group: Arc<Vec<Committed>>) {
        self.groups.push_back(group);
        self.forget();
    }

    fn keep(&mut self, max: usize) {
        self.max = max;
        self.forget();
    }

    /// What a reader has not read yet: the next group, or how many are gone before it.
    fn next(&mut self, reader: u64) -> Option<Feed> {
        let (first, end) = (self.first, self.end());
        let next = self.readers.get_mut(&reader)?;
        let gone = first.saturating_sub(*next);
        if gone > 0 {
            *next = first;
            return Some(Feed::Lagged(gone));
        }
        if *next == end {
            return None;
        }
        let group = self.groups.get(usize::try_from(*next - first).ok()?)?;
        let fed = Feed::Committed(Arc::clone(group));
        *next += 1;
        self.forget();
        Some(fed)
    }

    /// Lets go of what everybody has read, and of what is more than may be kept.
    fn forget(&mut self) {
        let end = self.end();
        let read = self.readers.values().min().copied().unwrap_or(end);
        let kept = end.saturating_sub(self.max as u64);
        while self.first < read.max(kept) && self.groups.pop_front().is_some() {
            self.first += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn group(sequence: u64) -> Arc<Vec<Committed>> {
        Arc::new(vec![Committed {
            sequence,
            changes: Vec::new(),
        }])
    }

    fn read(changes: &mut Changes) -> Option<Feed> {
        lock(&changes.buffer).next(changes.number)
    }

    /// The numbers that a reader gets, and how many it is told to have missed.
    fn all(changes: &mut Changes) -> (Vec<u64>, u64) {
        let (mut got, mut missed) = (Vec::new(), 0);
        while let Some(fed) = read(changes) {
            match fed {
                Feed::Committed(group) => got.push(group[0].sequence),
                Feed::Lagged(groups) => missed += groups,
            }
        }
        (got, missed)
    }

    #[test]
    fn who_is_behind_when_it_shrinks_is_told_how_much_it_missed() {
        let feeder = Feeder::new(8);
        let (mut slow, mut quick) = (feeder.subscribe(), feeder.subscribe());
        (0..6).for_each(|n| feeder.push(group(n)));
        assert_eq!(all(&mut quick), ((0..6).collect(), 0));
        feeder.keep(2);
        assert_eq!(all(&mut slow), (vec![4, 5], 4));
        assert_eq!(all(&mut quick), (vec![], 0), "who is not behind missed nothing");
        // And grown again it holds more.
        feeder.keep(4);
        (6..11).for_each(|n| feeder.push(group(n)));
        assert_eq!(all(&mut slow), (vec![7, 8, 9, 10], 1));
    }

    #[test]
    fn nothing_is_kept_that_nobody_has_to_read() {
        let feeder = Feeder::new(8);
        feeder.push(group(0));
        assert!(lock(&feeder.buffer).groups.is_empty());
        let (mut one, two) = (feeder.subscribe(), feeder.subscribe());
        feeder.push(group(1));
        assert_eq!(all(&mut one), (vec![1], 0));
        assert_eq!(lock(&feeder.buffer).groups.len(), 1);
        drop(two);
        assert!(lock(&feeder.buffer).groups.is_empty());
    }

    #[tokio::test]
    async fn a_reader_wakes_for_a_group_and_for_the_end() {
        let feeder = Feeder::new(8);
        let mut changes = feeder.subscribe();
        let reading = tokio::spawn(async move {
            let mut got = Vec::new();
            while let Some(fed) = changes.next().await {
                match fed {
                    Feed::Committed(group) => got.push(group[0].sequence),
                    Feed::Lagged(groups) => panic!("{groups} are gone"),
                }
            }
            got
        });
        for n in 0..5 {
            feeder.push(group(n));
            tokio::task::yield_now().await;
        }
        drop(feeder);
        assert_eq!(reading.await.unwrap(), (0..5).collect::<Vec<_>>());
    }

    #[derive(Clone, Debug)]
    enum Deed {
        Push,
        Keep(usize),
        Read(usize),
    }

    proptest! {
        /// Whatever the length does, a reader gets every group in order, or is told of its loss.
        #[test]
        fn no_group_is_lost_silently(deeds in prop::collection::vec(prop_oneof![
            4 => Just(Deed::Push),
            1 => (0_usize..6).prop_map(Deed::Keep),
            3 => (0_usize..2).prop_map(Deed::Read),
        ], 0..200)) {
            let feeder = Feeder::new(3);
            let mut readers = [feeder.subscribe(), feeder.subscribe()];
            let mut next = [0_u64; 2];
            let mut pushed = 0;
            let mut take = |readers: &mut [Changes; 2], which: usize| {
                let fed = read(&mut readers[which]);
                match &fed {
                    Some(Feed::Committed(group)) => {
                        prop_assert_eq!(group[0].sequence, next[which]);
                        next[which] += 1;
                    }
                    Some(Feed::Lagged(groups)) => next[which] += groups,
                    None => {}
                }
                Ok((fed.is_some(), next[which]))
            };
            for deed in deeds {
                match deed {
                    Deed::Push => {
                        feeder.push(group(pushed));
                        pushed += 1;
                    }
                    Deed::Keep(max) => {
                        feeder.keep(max);
                        prop_assert!(lock(&feeder.buffer).groups.len() <= max.max(1));
                    }
                    Deed::Read(which) => {
                        take(&mut readers, which)?;
                    }
                }
            }
            for which in 0..2 {
                while take(&mut readers, which)?.0 {}
                prop_assert_eq!(take(&mut readers, which)?.1, pushed);
            }
        }
    }
}
