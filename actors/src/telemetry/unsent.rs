//! Unsent: what was recorded and StatsD has not been told yet.
//!
//! Counters are summed and gauges overwritten until the sender comes for them, so that a flood of them costs StatsD one
//! line an interval. Values of histograms wait in a bounded queue, and what finds it full is dropped and counted. Nothing
//! here waits, allocates or formats when something is recorded.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit as FacadeUnit,
};

use super::{
    metric::{Kind, Metric, Unit},
    names::TABLE,
};

/// Values of histograms that wait for the sender. It comes for them ten times a second, so this is the bound of what
/// StatsD is told: some 80,000 a second.
const MAX_VALUES: usize = 8_192;

/// What StatsD has not been told yet. Copies are the same.
#[derive(Clone)]
pub(super) struct Unsent {
    shared: Arc<Shared>,
}

struct Shared {
    totals: Mutex<BTreeMap<String, Arc<Total>>>,
    levels: Mutex<BTreeMap<String, Arc<Level>>>,
    /// By the number under which their values wait.
    names: Mutex<Vec<Arc<str>>>,
    values: SyncSender<(u16, f64)>,
    waiting: Mutex<Receiver<(u16, f64)>>,
    /// Whether anybody comes for values.
    wanted: AtomicBool,
    dropped: AtomicU64,
}

/// A counter since the start.
#[derive(Debug, Default)]
struct Total {
    now: AtomicU64,
    /// How much of it StatsD knows.
    told: AtomicU64,
}

/// A gauge.
#[derive(Debug)]
struct Level {
    bits: AtomicU64,
    unit: Unit,
}

#[derive(Debug)]
struct Values {
    number: u16,
    unit: Unit,
    shared: Arc<Shared>,
}

impl Default for Unsent {
    fn default() -> Self {
        let (values, waiting) = sync_channel(MAX_VALUES);
        let shared = Shared {
            totals: Mutex::default(),
            levels: Mutex::default(),
            names: Mutex::default(),
            values,
            waiting: Mutex::new(waiting),
            wanted: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unsent").finish_non_exhaustive()
    }
}

impl Unsent {
    /// Somebody comes for values from now on, or nobody does. What was counted before is told to nobody.
    pub(super) fn want(&self, wanted: bool) {
        self.values(|_, _| {});
        for total in lock(&self.shared.totals).values() {
            total.told.store(total.now.load(Relaxed), Relaxed);
        }
        self.shared.wanted.store(wanted, Relaxed);
    }

    /// Every counter, and how much it has grown since the last time.
    pub(super) fn counters(&self, mut tell: impl FnMut(&str, u64)) {
        for (name, total) in lock(&self.shared.totals).iter() {
            let now = total.now.load(Relaxed);
            tell(name, now.saturating_sub(total.told.swap(now, Relaxed)));
        }
    }

    /// Every gauge.
    pub(super) fn gauges(&self, mut tell: impl FnMut(&str, f64)) {
        for (name, level) in lock(&self.shared.levels).iter() {
            tell(name, wire(f64::from_bits(level.bits.load(Relaxed)), level.unit));
        }
    }

    /// Every value that waits, at most as many as can wait.
    pub(super) fn values(&self, mut tell: impl FnMut(&str, f64)) {
        let names = lock(&self.shared.names).clone();
        let waiting = lock(&self.shared.waiting);
        for (number, value) in waiting.try_iter().take(MAX_VALUES) {
            if let Some(name) = names.get(usize::from(number)) {
                tell(name, value);
            }
        }
    }

    /// Values dropped since the start.
    pub(super) fn dropped(&self) -> u64 {
        self.shared.dropped.load(Relaxed)
    }
}

/// The row of the table that a key is of, and its name for StatsD; what is not in the table has none.
fn find(key: &Key, kind: Kind) -> Option<(&'static Metric, String)> {
    let metrics = TABLE.iter().map(|row| row.metric());
    let mut of_kind = metrics.filter(|metric| metric.kind == kind);
    let metric = of_kind.find(|metric| metric.key_name() == key.name())?;
    let label = key.labels().next().map(metrics::Label::value);
    (metric.label().is_some() == label.is_some()).then(|| (metric, metric.statsd_name(label)))
}

/// As StatsD is told: whole microseconds for times.
fn wire(value: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Seconds => (value * 1e6).round(),
        Unit::Count | Unit::Octets => value,
    }
}

impl Recorder for Unsent {
    fn describe_counter(&self, _: KeyName, _: Option<FacadeUnit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<FacadeUnit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<FacadeUnit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let Some((_, name)) = find(key, Kind::Counter) else {
            return Counter::noop();
        };
        let mut totals = lock(&self.shared.totals);
        Counter::from_arc(Arc::clone(totals.entry(name).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let Some((metric, name)) = find(key, Kind::Gauge) else {
            return Gauge::noop();
        };
        let mut levels = lock(&self.shared.levels);
        let level = levels.entry(name).or_insert_with(|| {
            Arc::new(Level {
                bits: AtomicU64::new(0.0_f64.to_bits()),
                unit: metric.unit,
            })
        });
        Gauge::from_arc(Arc::clone(level))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let Some((metric, name)) = find(key, Kind::Histogram) else {
            return Histogram::noop();
        };
        let mut names = lock(&self.shared.names);
        let position = names
            .iter()
            .position(|known| **known == *name)
            .unwrap_or_else(|| {
                names.push(name.into());
                names.len() - 1
            });
        let Ok(number) = u16::try_from(position) else {
            return Histogram::noop();
        };
        Histogram::from_arc(Arc::new(Values {
            number,
            unit: metric.unit,
            shared: Arc::clone(&self.shared),
        }))
    }
}

impl CounterFn for Total {
    fn increment(&self, value: u64) {
        self.now.fetch_add(value, Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.now.fetch_max(value, Relaxed);
    }
}

impl Level {
    fn change(&self, change: impl Fn(f64) -> f64) {
        let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
        // It always says what to write.
        let _ = self.bits.fetch_update(Relaxed, Relaxed, changed);
    }
}

impl GaugeFn for Level {
    fn increment(&self, value: f64) {
        self.change(|level| level + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|level| level - value);
    }

    fn set(&self, value: f64) {
        self.bits.store(value.to_bits(), Relaxed);
    }
}

impl HistogramFn for Values {
    fn record(&self, value: f64) {
        let shared = &*self.shared;
        if !shared.wanted.load(Relaxed) {
            return;
        }
        if shared
            .values
            .try_send((self.number, wire(value, self.unit)))
            .is_err()
        {
            shared.dropped.fetch_add(1, Relaxed);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use metrics::{Label, Level as Importance};

    use super::*;

    static METADATA: Metadata<'static> = Metadata::new("test", Importance::INFO, None);

    fn counters(unsent: &Unsent) -> Vec<(String, u64)> {
        let mut told = Vec::new();
        unsent.counters(|name, more| told.push((name.to_owned(), more)));
        told
    }

    fn values(unsent: &Unsent) -> Vec<(String, f64)> {
        let mut told = Vec::new();
        unsent.values(|name, value| told.push((name.to_owned(), value)));
        told
    }

    #[test]
    fn a_counter_is_told_as_what_it_grew() {
        let unsent = Unsent::default();
        let accepted = unsent.register_counter(&Key::from_static_name("smtp.messages.accepted"), &METADATA);
        let grown = |more| vec![("smtp.messages.accepted".to_owned(), more)];
        assert_eq!(counters(&unsent), grown(0));
        accepted.increment(2);
        accepted.increment(3);
        assert_eq!(counters(&unsent), grown(5));
        assert_eq!(counters(&unsent), grown(0));
        accepted.absolute(9);
        accepted.absolute(7);
        assert_eq!(counters(&unsent), grown(4));
        accepted.increment(100);
        // A new target is not told what happened before it.
        unsent.want(true);
        assert_eq!(counters(&unsent), grown(0));
    }

    #[test]
    fn a_label_becomes_the_thing() {
        let unsent = Unsent::default();
        let key = Key::from_parts("security.offences.errors", vec![Label::new("of", "x")]);
        unsent.register_counter(&key, &METADATA).increment(1);
        unsent
            .register_counter(&Key::from_static_name("rustls.surprise"), &METADATA)
            .increment(1);
        assert_eq!(counters(&unsent), [], "names that are not in the table");
    }

    #[test]
    fn times_are_microseconds_and_a_gauge_goes_up_and_down() {
        let unsent = Unsent::default();
        let open = unsent.register_gauge(&Key::from_static_name("smtp.connections.open"), &METADATA);
        open.increment(3.0);
        open.decrement(1.0);
        let longest = unsent.register_gauge(&Key::from_static_name("store.syncs.longest"), &METADATA);
        longest.set(0.001_234_6);
        let mut told = Vec::new();
        unsent.gauges(|name, level| told.push((name.to_owned(), level)));
        assert_eq!(
            told,
            [
                ("smtp.connections.open".to_owned(), 2.0),
                ("store.syncs.longest_us".to_owned(), 1235.0)
            ]
        );
    }

    #[test]
    fn values_wait_while_somebody_wants_them_and_what_is_too_many_is_counted() {
        let unsent = Unsent::default();
        let time = unsent.register_histogram(&Key::from_static_name("smtp.messages.time"), &METADATA);
        time.record(1.0);
        assert_eq!(values(&unsent), []);
        unsent.want(true);
        time.record(0.000_5);
        assert_eq!(values(&unsent), [("smtp.messages.time_us".to_owned(), 500.0)]);
        (0..MAX_VALUES + 7).for_each(|_| time.record(1.0));
        assert_eq!(unsent.dropped(), 7);
        assert_eq!(values(&unsent).len(), MAX_VALUES);
        unsent.want(false);
        time.record(1.0);
        assert_eq!(values(&unsent), []);
    }
}
