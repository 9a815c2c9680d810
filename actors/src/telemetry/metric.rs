//! Metric: one thing that is counted or measured, and the typed constants through which code records it.

use std::{
    collections::HashMap,
    sync::{OnceLock, PoisonError, RwLock},
    time::Duration,
};

use metrics::{Key, Label};

use super::recorder;

/// What kind of thing a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Many values, of which the spread matters.
    Histogram,
}

/// What a metric is measured in. Its word ends the names that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things.
    Count,
    /// Octets.
    Octets,
    /// Time: seconds for Prometheus; StatsD is told whole microseconds, and the name ends in `_us`.
    Seconds,
}

/// One thing that is counted or measured.
#[derive(Debug)]
pub struct Metric {
    /// Three parts: area, thing, what. A thing in brackets, `<class>`, stands for each of a closed set of the code.
    pub name: &'static str,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What it is measured in.
    pub unit: Unit,
    /// What it means.
    pub about: &'static str,
}

impl Metric {
    /// Area, thing and what.
    #[must_use]
    pub fn parts(&self) -> (&'static str, &'static str, &'static str) {
        let (area, rest) = self.name.split_once('.').unwrap_or((self.name, ""));
        let (thing, what) = rest.split_once('.').unwrap_or((rest, ""));
        (area, thing, what)
    }

    /// The label that the thing is, if there are many: `class` of `actors.<class>.running`.
    #[must_use]
    pub fn label(&self) -> Option<&'static str> {
        let (_, thing, _) = self.parts();
        thing.strip_prefix('<')?.strip_suffix('>')
    }

    /// The name in the facade: without its label.
    #[must_use]
    pub fn key_name(&self) -> String {
        match self.parts() {
            (area, _, what) if self.label().is_some() => format!("{area}.{what}"),
            _ => self.name.to_owned(),
        }
    }

    /// The name that StatsD is told, behind prefix and node.
    #[must_use]
    pub fn statsd_name(&self, label: Option<&str>) -> String {
        let (area, thing, what) = self.parts();
        let thing = label.unwrap_or(thing);
        let unit = match self.unit {
            Unit::Count | Unit::Octets => "",
            Unit::Seconds => "_us",
        };
        format!("{area}.{thing}.{what}{unit}")
    }

    /// The name that Prometheus reads.
    #[must_use]
    pub fn prometheus_name(&self) -> String {
        let unit = match self.unit {
            Unit::Count => "",
            Unit::Octets => "_bytes",
            Unit::Seconds => "_seconds",
        };
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("angarium_{}{unit}{suffix}", self.key_name().replace('.', "_"))
    }

    fn key(&self, value: Option<&'static str>) -> Key {
        match (self.label(), value) {
            (Some(label), Some(value)) => {
                Key::from_parts(self.key_name(), vec![Label::from_static_parts(label, value)])
            }
            _ => Key::from_name(self.key_name()),
        }
    }
}

/// A counter.
#[derive(Debug)]
pub struct Counter {
    metric: Metric,
    handle: OnceLock<metrics::Counter>,
}

/// A gauge.
#[derive(Debug)]
pub struct Gauge {
    metric: Metric,
    handle: OnceLock<metrics::Gauge>,
}

/// A histogram.
#[derive(Debug)]
pub struct Histogram {
    metric: Metric,
    handle: OnceLock<metrics::Histogram>,
}

/// A counter for each of a closed set.
#[derive(Debug)]
pub struct Counters {
    metric: Metric,
    handles: OnceLock<RwLock<HashMap<&'static str, metrics::Counter>>>,
}

/// A gauge for each of a closed set.
#[derive(Debug)]
pub struct Gauges {
    metric: Metric,
    handles: OnceLock<RwLock<HashMap<&'static str, metrics::Gauge>>>,
}

/// A row of the table.
pub trait Row: Sync {
    /// What it is.
    fn metric(&self) -> &Metric;
    /// Makes it known with nothing counted, so that its name is there before anything happens. Those of a set are known
    /// when something is recorded of them.
    fn register(&self);
}

impl Counter {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            handle: OnceLock::new(),
        }
    }

    /// So many more.
    pub fn count(&self, more: u64) {
        self.handle().increment(more);
    }

    /// So many by now. What is less than was known is passed over.
    pub fn reached(&self, total: u64) {
        self.handle().absolute(total);
    }

    fn handle(&self) -> &metrics::Counter {
        let register = || recorder::get().counter(&self.metric.key(None));
        self.handle.get_or_init(register)
    }
}

impl Gauge {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            handle: OnceLock::new(),
        }
    }

    /// It is this now. Counts are exact up to 2⁵³.
    pub fn set(&self, value: u64) {
        self.handle().set(value as f64);
    }

    /// It is this time now.
    pub fn set_time(&self, value: Duration) {
        self.handle().set(value.as_secs_f64());
    }

    /// One more until the guard is dropped.
    #[must_use]
    pub fn hold(&'static self) -> Held {
        self.handle().increment(1.0);
        Held(self)
    }

    fn handle(&self) -> &metrics::Gauge {
        let register = || recorder::get().gauge(&self.metric.key(None));
        self.handle.get_or_init(register)
    }
}

/// One of a gauge, until this is dropped.
#[derive(Debug)]
pub struct Held(&'static Gauge);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.handle().decrement(1.0);
    }
}

impl Histogram {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            handle: OnceLock::new(),
        }
    }

    /// One of this size.
    pub fn record(&self, value: u64) {
        self.handle().record(value as f64);
    }

    /// One that took so long.
    pub fn took(&self, time: Duration) {
        self.handle().record(time.as_secs_f64());
    }

    fn handle(&self) -> &metrics::Histogram {
        let register = || recorder::get().histogram(&self.metric.key(None));
        self.handle.get_or_init(register)
    }
}

impl Counters {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            handles: OnceLock::new(),
        }
    }

    /// So many of this one by now. What is less than was known is passed over.
    pub fn reached(&self, of: &'static str, total: u64) {
        let handles = self.handles.get_or_init(RwLock::default);
        let register = || recorder::get().counter(&self.metric.key(Some(of)));
        with(handles, of, register, |counter| counter.absolute(total));
    }
}

impl Gauges {
    pub(super) const fn new(metric: Metric) -> Self {
        Self {
            metric,
            handles: OnceLock::new(),
        }
    }

    /// It is this now of this one.
    pub fn set(&self, of: &'static str, value: u64) {
        self.set_value(of, value as f64);
    }

    /// It is this time now of this one.
    pub fn set_time(&self, of: &'static str, value: Duration) {
        self.set_value(of, value.as_secs_f64());
    }

    fn set_value(&self, of: &'static str, value: f64) {
        let handles = self.handles.get_or_init(RwLock::default);
        let register = || recorder::get().gauge(&self.metric.key(Some(of)));
        with(handles, of, register, |gauge| gauge.set(value));
    }
}

fn with<H>(
    handles: &RwLock<HashMap<&'static str, H>>,
    of: &'static str,
    register: impl FnOnce() -> H,
    record: impl FnOnce(&H),
) {
    if let Some(handle) = handles.read().unwrap_or_else(PoisonError::into_inner).get(of) {
        return record(handle);
    }
    let mut handles = handles.write().unwrap_or_else(PoisonError::into_inner);
    record(handles.entry(of).or_insert_with(register));
}

macro_rules! rows {
    ($($type:ty),+) => {$(
        impl Row for $type {
            fn metric(&self) -> &Metric {
                &self.metric
            }

            fn register(&self) {
                let _ = self.handle();
            }
        }
    )+};
}

rows!(Counter, Gauge, Histogram);

macro_rules! sets {
    ($($type:ty),+) => {$(
        impl Row for $type {
            fn metric(&self) -> &Metric {
                &self.metric
            }

            fn register(&self) {}
        }
    )+};
}

sets!(Counters, Gauges);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_a_name_for_each_reader() {
        let metric = |name, kind, unit| Metric {
            name,
            kind,
            unit,
            about: "",
        };
        let counter = metric("smtp.messages.accepted", Kind::Counter, Unit::Count);
        assert_eq!(counter.label(), None);
        assert_eq!(counter.statsd_name(None), "smtp.messages.accepted");
        assert_eq!(counter.prometheus_name(), "angarium_smtp_messages_accepted_total");
        let time = metric("store.syncs.time", Kind::Histogram, Unit::Seconds);
        assert_eq!(time.statsd_name(None), "store.syncs.time_us");
        assert_eq!(time.prometheus_name(), "angarium_store_syncs_time_seconds");
        let running = metric("actors.<class>.running", Kind::Gauge, Unit::Count);
        assert_eq!(running.label(), Some("class"));
        assert_eq!(running.statsd_name(Some("feed")), "actors.feed.running");
        assert_eq!(running.prometheus_name(), "angarium_actors_running");
    }
}
