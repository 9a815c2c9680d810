//! Gauges: what can be read of a child without asking it. Atomics only, so that reading the tree never waits for an
//! actor, and one clock for all of them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::subject::Subject;

/// A point of tokio's time in nanoseconds since a fixed point of this process: an `Instant` that fits an atomic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// Paused clocks of tests start at the real time of their runtime, which may precede the first moment taken.
const EPOCH_MARGIN: Duration = Duration::from_secs(3600);

impl Moment {
    /// Before any other.
    pub(crate) const NEVER: Self = Self(0);

    pub(crate) fn now() -> Self {
        Self::at(Instant::now())
    }

    pub(crate) fn at(instant: Instant) -> Self {
        static EPOCH: OnceLock<std::time::Instant> = OnceLock::new();
        let epoch = EPOCH.get_or_init(|| {
            let now = std::time::Instant::now();
            now.checked_sub(EPOCH_MARGIN).unwrap_or(now)
        });
        Self(nanos(instant.into_std().saturating_duration_since(*epoch)))
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier))
    }

    /// For what is counted with every message: a [`Duration`] costs a division to make and a multiplication to read.
    pub(crate) fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

/// The bits of `queue` that hold the depth; those above hold the number of the incarnation.
const DEPTH_BITS: u32 = 32;
const DEPTH_MASK: u64 = (1 << DEPTH_BITS) - 1;

/// The counters of one child over all its incarnations.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    line: Line,
    subject: Mutex<Option<Subject>>,
}

/// The counters that sender and actor write for every message, side by side: what travels between their processors is
/// one cache line or two. (A line of its own, aligned, was measured: no faster, and 80 octets more in every slot.)
#[derive(Debug, Default)]
#[repr(C)]
struct Line {
    /// Messages sent and not yet handled, tagged with the incarnation so that a late sender to a dead one corrects
    /// only its own.
    queue: AtomicU64,
    /// Sequence numbers given to messages.
    sent: AtomicU64,
    /// When the oldest message that is not handled yet was sent.
    oldest: AtomicU64,
    /// The largest sequence number whose handling has begun.
    begun: AtomicU64,
    handled: AtomicU64,
    busy: AtomicU64,
    longest: AtomicU64,
}

/// What a sender must remember of a message it counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(crate) sequence: u64,
    tag: u64,
}

/// A reading of [`Gauges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) depth: u64,
    pub(crate) oldest: Option<Duration>,
    pub(crate) handled: u64,
    pub(crate) mean: Duration,
    pub(crate) longest: Duration,
    pub(crate) subject: Option<Subject>,
}

impl Gauges {
    /// Counts a message that is about to be sent.
    pub(crate) fn sending(&self, now: Moment) -> Ticket {
        let before = self.line.queue.fetch_add(1, Relaxed);
        if before & DEPTH_MASK == 0 {
            self.line.oldest.store(now.0, Relaxed);
        }
        let sequence = self.line.sent.fetch_add(1, Relaxed).wrapping_add(1);
        Ticket {
            sequence,
            tag: before >> DEPTH_BITS,
        }
    }

    /// Takes back a message that could not be sent.
    pub(crate) fn unsent(&self, ticket: Ticket) {
        let _ = self.line.queue.fetch_update(Relaxed, Relaxed, |queue| {
            (queue >> DEPTH_BITS == ticket.tag && queue & DEPTH_MASK > 0).then(|| queue.wrapping_sub(1))
        });
    }

    /// The actor takes up a message.
    pub(crate) fn begin(&self, sequence: u64, sent: Moment, subject: Option<Subject>) {
        self.line.oldest.store(sent.0, Relaxed);
        if sequence > self.line.begun.load(Relaxed) {
            self.line.begun.store(sequence, Relaxed);
        }
        if subject.is_some() {
            *self.subject() = subject;
        }
    }

    /// The actor has handled a message that took so many nanoseconds.
    pub(crate) fn finish(&self, took: u64, had_subject: bool) {
        // One actor at a time writes these, so a load and a store are enough.
        self.line
            .handled
            .store(self.line.handled.load(Relaxed).wrapping_add(1), Relaxed);
        self.line
            .busy
            .store(self.line.busy.load(Relaxed).saturating_add(took), Relaxed);
        if took > self.line.longest.load(Relaxed) {
            self.line.longest.store(took, Relaxed);
        }
        if had_subject {
            *self.subject() = None;
        }
        self.line.queue.fetch_sub(1, Relaxed);
    }

    /// The incarnation has ended and its queue is gone.
    pub(crate) fn vacate(&self) {
        let _ = self.line.queue.fetch_update(Relaxed, Relaxed, |queue| {
            Some((queue >> DEPTH_BITS).wrapping_add(1) << DEPTH_BITS)
        });
        *self.subject() = None;
    }

    /// Whether the handling of this message may have begun. `false` is certain, `true` is not.
    pub(crate) fn may_have_begun(&self, ticket: Ticket) -> bool {
        self.line.begun.load(Relaxed) >= ticket.sequence
    }

    pub(crate) fn depth(&self) -> u64 {
        self.line.queue.load(Relaxed) & DEPTH_MASK
    }

    /// Since when the oldest message waits that is not handled yet.
    pub(crate) fn oldest(&self, now: Moment) -> Option<Duration> {
        (self.depth() > 0).then(|| now.since(Moment(self.line.oldest.load(Relaxed))))
    }

    /// The first message that a suspended actor sets aside: nothing older is left.
    pub(crate) fn set_aside(&self, sent: Moment) {
        self.line.oldest.store(sent.0, Relaxed);
    }

    pub(crate) fn read(&self, now: Moment) -> Reading {
        let handled = self.line.handled.load(Relaxed);
        let mean = self.line.busy.load(Relaxed).checked_div(handled).unwrap_or(0);
        Reading {
            depth: self.depth(),
            oldest: self.oldest(now),
            handled,
            mean: Duration::from_nanos(mean),
            longest: Duration::from_nanos(self.line.longest.load(Relaxed)),
            subject: *self.subject(),
        }
    }

    /// Touched only for messages that carry a subject, and then by one actor: never contended but by a reader.
    fn subject(&self) -> MutexGuard<'_, Option<Subject>> {
        self.subject.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Gauges, Moment};
    use crate::subject::Subject;

    const SUBJECT: Subject = Subject::new("message", 1);

    #[test]
    fn counts_what_is_sent_begun_and_handled() {
        let gauges = Gauges::default();
        let first = gauges.sending(Moment(100));
        let second = gauges.sending(Moment(200));
        let read = gauges.read(Moment(500));
        assert_eq!((read.depth, read.oldest), (2, Some(Duration::from_nanos(400))));
        assert!(!gauges.may_have_begun(first));

        gauges.begin(first.sequence, Moment(100), Some(SUBJECT));
        assert!(gauges.may_have_begun(first));
        assert!(!gauges.may_have_begun(second));
        assert_eq!(gauges.read(Moment(500)).subject, Some(SUBJECT));

        gauges.finish(40, true);
        gauges.begin(second.sequence, Moment(200), None);
        gauges.finish(20, false);
        let read = gauges.read(Moment(500));
        assert_eq!((read.depth, read.oldest, read.handled), (0, None, 2));
        assert_eq!(
            (read.mean, read.longest),
            (Duration::from_nanos(30), Duration::from_nanos(40))
        );
        assert_eq!(read.subject, None);
    }

    #[test]
    fn a_late_sender_to_a_dead_incarnation_corrects_only_its_own() {
        let gauges = Gauges::default();
        let late = gauges.sending(Moment(1));
        let _lost = gauges.sending(Moment(1));
        gauges.vacate();
        assert_eq!(gauges.depth(), 0);
        let _next = gauges.sending(Moment(2));
        gauges.unsent(late);
        assert_eq!(gauges.depth(), 1);
        gauges.unsent(_next);
        assert_eq!(gauges.depth(), 0);
    }
}
