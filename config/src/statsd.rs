//! The section `statsd`: where metrics are sent.

use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::found::Found;
use crate::section::section;
use crate::setting::{Setting, quoted};

/// Longest prefix, in bytes: with a name behind it a line still fits a datagram many times.
const MAX_PREFIX: usize = 64;

/// The beginning of every name that is sent: parts of `a-z`, `0-9`, `_` and `-` with dots between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricPrefix(String);

impl MetricPrefix {
    /// Takes a text that is such a beginning.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let is_part = |part: &str| {
            let mut octets = part.bytes();
            !part.is_empty() && octets.all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        };
        let is_prefix = text.len() <= MAX_PREFIX && text.split('.').all(is_part);
        is_prefix.then(|| Self(text.to_owned()))
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for MetricPrefix {
    const NOUN: &'static str = "at most 64 of a-z, 0-9, _ and -, with single dots between them,";
    const EXAMPLE: &'static str = "\"angarium\" or \"mail.angarium\"";

    fn read(found: &Found) -> Option<Self> {
        Self::new(found.text()?)
    }

    fn print(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// The prefix of who gives none.
fn angarium() -> MetricPrefix {
    MetricPrefix("angarium".to_owned())
}

section! {
    /// Where metrics are sent, by the protocol of StatsD. docs/metrics.md names them all.
    pub struct Statsd {
        /// The host and port of a StatsD daemon, over UDP. A name is looked up again every minute, and as long as it is
        /// not to be found nothing is sent. Without it nothing is sent at all.
        address: Option<Endpoint> = None;

        /// The beginning of every name: `<prefix>.<server.node>.<area>.<thing>.<what>`.
        prefix: MetricPrefix = angarium();

        /// How often counters and gauges are sent, and how often gauges are read, those of /metrics, too. That of the
        /// daemon (flushInterval, 10 seconds) suits best.
        interval: Duration = Duration::from_secs(10), Duration::from_secs(1)..=Duration::from_secs(3_600);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_has_parts_of_a_closed_alphabet() {
        let long = "a".repeat(MAX_PREFIX);
        for (text, is_one) in [
            ("angarium", true),
            ("mail.angarium-2_x", true),
            (&*long, true),
            (&*format!("{long}a"), false),
            ("", false),
            (".a", false),
            ("a.", false),
            ("a..b", false),
            ("A", false),
            ("a b", false),
            ("a:1|c", false),
            ("a\nb", false),
            ("ä", false),
        ] {
            assert_eq!(MetricPrefix::new(text).is_some(), is_one, "{text}");
        }
    }
}
