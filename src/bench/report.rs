//! Report: what a load has shown, for people and for scripts.

use std::{collections::BTreeMap, fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{Load, Tally, Tls, Work};

/// The share of its ceiling from which on it is the generator that is measured.
const NEAR_CEILING: f64 = 0.7;

/// What a load has shown. Serialised it is the JSON of `--json`; `version` grows when a field changes its meaning.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// `smtp` or `pop3`.
    pub protocol: &'static str,
    /// Sessions at once.
    pub sessions: u32,
    /// `starttls` or `implicit`; nothing in clear.
    pub tls: Option<&'static str>,
    /// Octets of each message that was sent.
    pub message_octets: Option<u64>,
    /// How long it took.
    pub seconds: f64,
    /// Messages that were accepted or read.
    pub messages: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Messages each second.
    pub per_second: f64,
    /// Octets of messages each second.
    pub octets_per_second: f64,
    /// How long a message took.
    pub message_ms: Percentiles,
    /// How long a connection took to open, TLS and log-in included.
    pub opening_ms: Percentiles,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
    /// Messages each second that the generator itself can do, when that was measured: in clear, against an answerer in its
    /// own process.
    pub ceiling_per_second: Option<f64>,
}

/// Some points of a distribution, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half took no longer.
    pub p50: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

impl Percentiles {
    fn of(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        Self {
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: millis(histogram.max()),
        }
    }
}

fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}

impl Report {
    pub(super) fn new(load: &Load, tally: &Tally, took: Duration) -> Self {
        let seconds = took.as_secs_f64().max(f64::EPSILON);
        let (protocol, message_octets) = match &load.work {
            Work::Smtp(letter) => ("smtp", Some(letter.octets() as u64)),
            Work::Pop3 => ("pop3", None),
        };
        let messages = tally.latency.len();
        Self {
            version: 1,
            protocol,
            sessions: load.sessions,
            tls: load.tls.as_ref().map(|(tls, _)| match tls {
                Tls::Starttls => "starttls",
                Tls::Implicit => "implicit",
            }),
            message_octets,
            seconds,
            messages,
            connections: tally.opening.len(),
            per_second: per(messages, seconds),
            octets_per_second: per(tally.octets, seconds),
            message_ms: Percentiles::of(&tally.latency),
            opening_ms: Percentiles::of(&tally.opening),
            errors: tally.errors.clone(),
            ceiling_per_second: None,
        }
    }

    /// How much went wrong.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.errors.values().sum()
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "a rate is read by people: fifty-two bits are enough"
)]
fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.protocol == "smtp" {
            "accepted"
        } else {
            "read"
        };
        writeln!(
            f,
            "{} messages {verb} in {:.1} s over {} sessions and {} connections{}",
            self.messages,
            self.seconds,
            self.sessions,
            self.connections,
            match self.tls {
                Some(tls) => format!(", TLS {tls}"),
                None => ", in clear".to_owned(),
            },
        )?;
        if let Some(octets) = self.message_octets {
            writeln!(f, "size       {octets} octets each")?;
        }
        writeln!(
            f,
            "rate       {:.0} messages/s, {:.2} MB/s",
            self.per_second,
            self.octets_per_second / 1e6
        )?;
        for (name, times) in [("message", self.message_ms), ("opening", self.opening_ms)] {
            writeln!(
                f,
                "{name:<10} p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   longest {:.2} ms",
                times.p50, times.p99, times.p999, times.max
            )?;
        }
        write!(f, "errors     {}", self.failed())?;
        for (why, count) in &self.errors {
            write!(f, "\n           {count} x {why}")?;
        }
        if let Some(ceiling) = self.ceiling_per_second {
            write!(
                f,
                "\nceiling    this generator can do {ceiling:.0} messages/s here, in clear, against nothing"
            )?;
            if self.per_second > ceiling * NEAR_CEILING {
                write!(f, ": the server may be faster than what is shown")?;
            }
        }
        Ok(())
    }
}
