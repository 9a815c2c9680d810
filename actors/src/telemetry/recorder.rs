//! Recorder: everything that is recorded goes through it to two readers.
//!
//! There is one for the process, made when it is first needed. It is not installed as the recorder of the `metrics`
//! macros: what libraries record under names of their own has no place in the table and is not heard.

use std::sync::{Arc, LazyLock};

use metrics::{CounterFn, GaugeFn, HistogramFn, Key, Level, Metadata, Recorder as _, SharedString};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use super::{
    metric::{Kind, Metric, Unit},
    names::TABLE,
    unsent::Unsent,
};

/// Bounds of times, in seconds: a message handled in memory, a sync of a good disk, a slow one, a peer that waits.
const TIMES: [f64; 16] = [
    0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    30.0,
];

/// Bounds of sizes, in octets.
const SIZES: [f64; 8] = [
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    8_388_608.0,
    33_554_432.0,
];

static METADATA: Metadata<'static> = Metadata::new("angarium", Level::INFO, None);

/// Where everything is recorded.
pub(super) struct Recorder {
    prometheus: PrometheusRecorder,
    unsent: Unsent,
}

/// The recorder of this process. Every name of the table is known to it.
pub(super) fn get() -> &'static Recorder {
    static RECORDER: LazyLock<Recorder> = LazyLock::new(Recorder::new);
    &RECORDER
}

/// Makes every name of the table known, so that it is there before anything happens.
pub fn register() {
    TABLE.iter().for_each(|row| row.register());
}

/// Everything that was recorded, as Prometheus reads it.
#[must_use]
pub fn render() -> String {
    get().prometheus.handle().render()
}

/// Takes the values of histograms into their buckets. Who never does keeps every value in memory.
pub fn upkeep() {
    get().prometheus.handle().run_upkeep();
}

impl Recorder {
    fn new() -> Self {
        let builder = TABLE.iter().map(|row| row.metric()).fold(
            PrometheusBuilder::new().with_recommended_naming(true),
            |builder, metric| {
                let bounds: &[f64] = match (metric.kind, metric.unit) {
                    (Kind::Histogram, Unit::Seconds) => &TIMES,
                    (Kind::Histogram, Unit::Count | Unit::Octets) => &SIZES,
                    (Kind::Counter | Kind::Gauge, _) => return builder,
                };
                let name = Matcher::Full(of_prometheus(&metric.key_name()));
                // It refuses only a list without bounds.
                builder.set_buckets_for_metric(name, bounds).unwrap_or_default()
            },
        );
        let recorder = Self {
            prometheus: builder.build_recorder(),
            unsent: Unsent::default(),
        };
        TABLE.iter().for_each(|row| recorder.describe(row.metric()));
        recorder
    }

    fn describe(&self, metric: &Metric) {
        let name = of_prometheus(&metric.key_name()).into();
        let unit = Some(match metric.unit {
            Unit::Count => metrics::Unit::Count,
            Unit::Octets => metrics::Unit::Bytes,
            Unit::Seconds => metrics::Unit::Seconds,
        });
        let about = SharedString::const_str(metric.about.trim_ascii());
        match metric.kind {
            Kind::Counter => self.prometheus.describe_counter(name, unit, about),
            Kind::Gauge => self.prometheus.describe_gauge(name, unit, about),
            Kind::Histogram => self.prometheus.describe_histogram(name, unit, about),
        }
    }

    pub(super) const fn unsent(&self) -> &Unsent {
        &self.unsent
    }

    pub(super) fn counter(&self, key: &Key) -> metrics::Counter {
        metrics::Counter::from_arc(Arc::new(Both(
            self.prometheus.register_counter(&prefixed(key), &METADATA),
            self.unsent.register_counter(key, &METADATA),
        )))
    }

    pub(super) fn gauge(&self, key: &Key) -> metrics::Gauge {
        metrics::Gauge::from_arc(Arc::new(Both(
            self.prometheus.register_gauge(&prefixed(key), &METADATA),
            self.unsent.register_gauge(key, &METADATA),
        )))
    }

    pub(super) fn histogram(&self, key: &Key) -> metrics::Histogram {
        metrics::Histogram::from_arc(Arc::new(Both(
            self.prometheus.register_histogram(&prefixed(key), &METADATA),
            self.unsent.register_histogram(key, &METADATA),
        )))
    }
}

/// The name of a key among those of others, which a Prometheus server has all in one place.
fn of_prometheus(name: &str) -> String {
    format!("angarium.{name}")
}

fn prefixed(key: &Key) -> Key {
    Key::from_parts(
        of_prometheus(key.name()),
        key.labels().cloned().collect::<Vec<_>>(),
    )
}

/// What one reader is told, and the other.
struct Both<T>(T, T);

impl CounterFn for Both<metrics::Counter> {
    fn increment(&self, value: u64) {
        self.0.increment(value);
        self.1.increment(value);
    }

    fn absolute(&self, value: u64) {
        self.0.absolute(value);
        self.1.absolute(value);
    }
}

impl GaugeFn for Both<metrics::Gauge> {
    fn increment(&self, value: f64) {
        self.0.increment(value);
        self.1.increment(value);
    }

    fn decrement(&self, value: f64) {
        self.0.decrement(value);
        self.1.decrement(value);
    }

    fn set(&self, value: f64) {
        self.0.set(value);
        self.1.set(value);
    }
}

impl HistogramFn for Both<metrics::Histogram> {
    fn record(&self, value: f64) {
        self.0.record(value);
        self.1.record(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{SMTP_MESSAGES_TIME, STORE_DISK_FREE};

    #[test]
    fn every_name_of_the_table_is_rendered_before_anything_happens() {
        register();
        upkeep();
        let text = render();
        for metric in TABLE.iter().map(|row| row.metric()) {
            let name = metric.prometheus_name();
            if metric.label().is_some() {
                continue;
            }
            let is_there = |line: &str| {
                let rest = line.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.starts_with([' ', '{', '_']))
            };
            assert!(text.lines().any(is_there), "{name} is not in:\n{text}");
            assert!(
                text.contains(&format!("# HELP {name} {}", metric.about.trim())),
                "{name}: no help in:\n{text}"
            );
        }
    }

    #[test]
    fn what_is_recorded_is_rendered_with_its_unit() {
        STORE_DISK_FREE.set(1_234_567);
        SMTP_MESSAGES_TIME.took(std::time::Duration::from_millis(3));
        let text = render();
        assert!(
            text.contains("angarium_store_disk_free_bytes 1234567\n"),
            "{text}"
        );
        assert!(
            text.contains("angarium_smtp_messages_time_seconds_bucket{le=\"0.005\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("angarium_smtp_messages_time_seconds_bucket{le=\"0.0025\"} 0\n"),
            "{text}"
        );
    }
}
