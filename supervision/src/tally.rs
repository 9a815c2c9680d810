//! Tally: what all actors of one class did together, those that are gone included. Threads count each for themselves, so
//! that a message costs two additions and no cache line travels for them.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Buckets of a [`Histogram`].
pub const BUCKETS: usize = 32;

/// The first bucket ends at 256 ns; each further one at twice the end of the one before it; the last has no end.
const FIRST_BITS: u32 = 8;

/// What all actors of one class did, and where they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassTally {
    /// The class.
    pub class: &'static str,
    /// Actors that live: starting, up, draining or passivating.
    pub running: u64,
    /// Actors that have ended for good after too many crashes.
    pub parked: u64,
    /// Actors that live and handle nothing until they are resumed.
    pub suspended: u64,
    /// Messages sent to them and not handled yet.
    pub depth: u64,
    /// Incarnations started, ever.
    pub started: u64,
    /// Incarnations that crashed or were killed.
    pub crashed: u64,
    /// Restarts by supervisors and operators.
    pub restarted: u64,
    /// Messages handled.
    pub handled: u64,
    /// From the sending of a message to the beginning of its handling.
    pub mailbox: Histogram,
    /// From the beginning to the end of its handling.
    pub handling: Histogram,
}

/// How long something took, over many times, in buckets of which each is twice as wide as the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    longest: Duration,
}

impl Histogram {
    /// How many times.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The end of the bucket below which a share of all times lies, and never more than the longest: `quantile(0.99)`.
    /// Zero of no times. It is less than twice the true value.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let count = self.count();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank within a count, and a share is clamped"
        )]
        let rank = ((count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut below = 0_u64;
        for (bucket, times) in self.counts.iter().enumerate() {
            below = below.saturating_add(*times);
            if count > 0 && below >= rank {
                return end_of(bucket).map_or(self.longest, |end| end.min(self.longest));
            }
        }
        Duration::ZERO
    }

    /// The median.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.quantile(0.5)
    }

    /// What one in a hundred exceeds.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// The longest; of a difference, the end of its last bucket if that is less.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.quantile(1.0)
    }

    /// What was added after an earlier reading of the same histogram.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut later = self.clone();
        for (count, before) in later.counts.iter_mut().zip(earlier.counts) {
            *count = count.saturating_sub(before);
        }
        later
    }

    /// The end of each bucket (`None` for the last) and how many times fell into it.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let counts = self.counts.iter().enumerate();
        counts.map(|(bucket, count)| (end_of(bucket), *count))
    }

    fn add(&mut self, column: &Column) {
        for (sum, count) in self.counts.iter_mut().zip(&column.counts) {
            *sum = sum.saturating_add(count.load(Relaxed));
        }
        let longest = Duration::from_nanos(column.longest.load(Relaxed));
        self.longest = self.longest.max(longest);
    }
}

fn bucket_of(nanos: u64) -> usize {
    let bits = u64::BITS - (nanos >> FIRST_BITS).leading_zeros();
    usize::try_from(bits).map_or(BUCKETS - 1, |bucket| bucket.min(BUCKETS - 1))
}

fn end_of(bucket: usize) -> Option<Duration> {
    let bits = u32::try_from(bucket).ok()?.checked_add(FIRST_BITS)?;
    let end = 1_u64.checked_shl(bits)?;
    (bucket + 1 < BUCKETS).then(|| Duration::from_nanos(end))
}

/// The books of one class of one tree.
#[derive(Debug)]
pub(crate) struct Class {
    /// Its place in the list of every thread.
    number: usize,
    pub(crate) started: AtomicU64,
    pub(crate) crashed: AtomicU64,
    pub(crate) restarted: AtomicU64,
    pages: Mutex<Vec<Arc<Page>>>,
}

/// What one thread counts for one class. Only that thread writes, so a load and a store are an addition.
#[derive(Debug, Default)]
struct Page {
    mailbox: Column,
    handling: Column,
}

#[derive(Debug, Default)]
struct Column {
    counts: [AtomicU64; BUCKETS],
    longest: AtomicU64,
}

/// Classes whose pages a thread finds by one look: more than a program has. A process that starts many trees, as tests do,
/// has more numbers than that.
const FEW: usize = 128;

/// The pages of one thread, by the number of the class.
struct Pages {
    few: [OnceCell<Arc<Page>>; FEW],
    more: RefCell<BTreeMap<usize, Arc<Page>>>,
}

thread_local! {
    static PAGES: Pages = const {
        Pages {
            few: [const { OnceCell::new() }; FEW],
            more: RefCell::new(BTreeMap::new()),
        }
    };
}

impl Class {
    pub(crate) fn new() -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        Self {
            number: NUMBERS.fetch_add(1, Relaxed),
            started: AtomicU64::new(0),
            crashed: AtomicU64::new(0),
            restarted: AtomicU64::new(0),
            pages: Mutex::default(),
        }
    }

    /// Counts one message, by the nanoseconds that it waited and took. A thread that is about to end may not count: nobody
    /// handles messages there.
    pub(crate) fn record(&self, waited: u64, took: u64) {
        let _ = PAGES.try_with(|pages| match pages.few.get(self.number) {
            Some(place) => place.get_or_init(|| self.page()).record(waited, took),
            None => {
                let mut more = pages.more.borrow_mut();
                let page = more.entry(self.number).or_insert_with(|| self.page());
                page.record(waited, took);
            }
        });
    }

    /// A page for this thread: one that a thread left when it ended, with its sums, or a new one. So there are never
    /// more than threads have lived at one time.
    #[cold]
    fn page(&self) -> Arc<Page> {
        let mut pages = self.pages();
        // Held by nobody but this list; asked so, its last writer's sums are seen.
        if let Some(left) = pages
            .iter_mut()
            .find_map(|page| Arc::get_mut(page).is_some().then_some(page))
        {
            return Arc::clone(left);
        }
        let page = Arc::new(Page::default());
        pages.push(Arc::clone(&page));
        page
    }

    /// Adds what was counted.
    pub(crate) fn add_to(&self, tally: &mut ClassTally) {
        for page in &*self.pages() {
            tally.mailbox.add(&page.mailbox);
            tally.handling.add(&page.handling);
        }
        tally.handled = tally.handling.count();
        tally.started = self.started.load(Relaxed);
        tally.crashed = self.crashed.load(Relaxed);
        tally.restarted = self.restarted.load(Relaxed);
    }

    fn pages(&self) -> MutexGuard<'_, Vec<Arc<Page>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn record(&self, waited: u64, took: u64) {
        self.mailbox.record(waited);
        self.handling.record(took);
    }
}

impl Column {
    fn record(&self, nanos: u64) {
        if let Some(count) = self.counts.get(bucket_of(nanos)) {
            count.store(count.load(Relaxed).wrapping_add(1), Relaxed);
        }
        if nanos > self.longest.load(Relaxed) {
            self.longest.store(nanos, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{BUCKETS, Class, ClassTally, FEW, Histogram, bucket_of, end_of};

    fn tally(class: &Class) -> ClassTally {
        let mut tally = ClassTally::default();
        class.add_to(&mut tally);
        tally
    }

    #[test]
    fn buckets_double() {
        let table = [
            (0, 0),
            (255, 0),
            (256, 1),
            (511, 1),
            (512, 2),
            (1 << 37, 30),
            ((1 << 38) - 1, 30),
            (1 << 38, 31),
            (u64::MAX, 31),
        ];
        for (nanos, bucket) in table {
            assert_eq!(bucket_of(nanos), bucket, "{nanos}");
        }
        assert_eq!(end_of(0), Some(Duration::from_nanos(256)));
        assert_eq!(end_of(BUCKETS - 2), Some(Duration::from_nanos(1 << 38)));
        assert_eq!(end_of(BUCKETS - 1), None);
    }

    #[test]
    fn quantiles_are_ends_of_buckets_and_never_beyond_the_longest() {
        let class = Class::new();
        let (short, long) = (Duration::from_micros(1), Duration::from_secs(3));
        assert_eq!(tally(&class).handling.p99(), Duration::ZERO);
        for _ in 0..98 {
            class.record(0, 1000);
        }
        let before = tally(&class);
        assert_eq!((before.handling.p50(), before.handling.p99()), (short, short));
        class.record(0, 3_000_000_000);
        class.record(0, 3_000_000_000_000);
        let after = tally(&class);
        assert_eq!(after.handled, 100);
        assert_eq!(after.handling.p50(), Duration::from_nanos(1024));
        assert_eq!(after.handling.p99(), Duration::from_nanos(1 << 32));
        assert_eq!(after.handling.max(), long * 1000);
        assert_eq!(after.mailbox.max(), Duration::ZERO);
        let between = after.handling.since(&before.handling);
        assert_eq!(
            (between.count(), between.p50()),
            (2, Duration::from_nanos(1 << 32))
        );
        assert_eq!(
            between.since(&between),
            Histogram {
                longest: long * 1000,
                ..Histogram::default()
            }
        );
        assert_eq!(between.buckets().map(|(_, count)| count).sum::<u64>(), 2);
    }

    #[test]
    fn classes_beyond_the_few_are_counted_as_well() {
        let classes: Vec<Class> = (0..2 * FEW).map(|_| Class::new()).collect();
        for round in 1..=3 {
            for class in &classes {
                class.record(1, 1);
                assert_eq!((tally(class).handled, class.pages().len()), (round, 1));
            }
        }
    }

    #[test]
    fn threads_count_for_themselves_and_leave_their_pages_to_others() {
        let class = Arc::new(Class::new());
        for round in 1..=8_u64 {
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let class = Arc::clone(&class);
                    std::thread::spawn(move || {
                        for _ in 0..1000 {
                            class.record(0, 1);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            assert_eq!(tally(&class).handled, round * 2000);
        }
        assert!(class.pages().len() <= 2);
    }
}
