//! Target: the StatsD daemon that lines are sent to, in datagrams that fit a frame of Ethernet.
//!
//! The socket never blocks: what it does not take at once is dropped, and counted. UDP tells of a daemon that is away
//! only sometimes, so that what was sent is not what arrived.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use cadence::MetricSink;
use message::id::NodeId;
use metrics::{Counter, Gauge, Histogram, Key, Level, Metadata, Recorder};
use metrics_exporter_statsd::{StatsdBuilder, StatsdRecorder};

use super::{STATSD_LINES_DROPPED, STATSD_LINES_SENT, STATSD_VALUES_DROPPED, unsent::Unsent};

/// Octets of one datagram: an Ethernet frame of 1,500 less the headers of IPv6 and UDP, as StatsD recommends.
const MAX_DATAGRAM: usize = 1_432;

/// The longest time that a timer of the exporter takes, in microseconds: some thirty years.
const MAX_VALUE: f64 = 1e15;

static METADATA: Metadata<'static> = Metadata::new("angarium", Level::INFO, None);

/// A daemon that is told everything.
pub(super) struct Target {
    daemon: SocketAddr,
    exporter: StatsdRecorder,
    datagrams: Arc<Datagrams>,
    counters: HashMap<String, Counter>,
    gauges: HashMap<String, Gauge>,
    histograms: HashMap<String, Histogram>,
}

impl Target {
    /// Opens a socket to the daemon.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(daemon: SocketAddr, prefix: &str, node: NodeId) -> io::Result<Self> {
        let datagrams = Arc::new(Datagrams::to(daemon)?);
        let exporter = StatsdBuilder::default()
            .histogram_is_timer()
            .with_sink(Sink(Arc::clone(&datagrams)))
            .build(Some(&format!("{prefix}.{}", node.get())))
            .map_err(io::Error::other)?;
        Ok(Self {
            daemon,
            exporter,
            datagrams,
            counters: HashMap::new(),
            gauges: HashMap::new(),
            histograms: HashMap::new(),
        })
    }

    /// Where it is.
    pub(super) const fn daemon(&self) -> SocketAddr {
        self.daemon
    }

    /// Whether the machine there said that nobody listens. It does not always say so.
    pub(super) fn is_refused(&self) -> bool {
        self.datagrams.refused.load(Ordering::Relaxed)
    }

    /// Sends the values that wait.
    pub(super) fn send_values(&mut self, unsent: &Unsent) {
        unsent.values(|name, value| {
            let exporter = &self.exporter;
            let register = || exporter.register_histogram(&Key::from_name(name.to_owned()), &METADATA);
            // The exporter takes a timer in seconds and sends it in whole milliseconds. A thousandth of the value in seconds
            // is therefore sent as the value, whatever its unit is; the name says that.
            let value = value.clamp(0.0, MAX_VALUE) / 1_000.0;
            cached(&mut self.histograms, name, register).record(value);
        });
        STATSD_VALUES_DROPPED.reached(unsent.dropped());
        self.datagrams.flush();
    }

    /// Sends how much every counter has grown, and every gauge.
    pub(super) fn send_all(&mut self, unsent: &Unsent) {
        let exporter = &self.exporter;
        unsent.counters(|name, more| {
            let register = || exporter.register_counter(&Key::from_name(name.to_owned()), &METADATA);
            cached(&mut self.counters, name, register).increment(more);
        });
        unsent.gauges(|name, level| {
            let register = || exporter.register_gauge(&Key::from_name(name.to_owned()), &METADATA);
            // What is below nought would be taken from the value that the daemon has.
            cached(&mut self.gauges, name, register).set(level.max(0.0));
        });
        self.datagrams.flush();
    }
}

/// What was registered under this name, once.
fn cached<'a, H>(handles: &'a mut HashMap<String, H>, name: &str, register: impl FnOnce() -> H) -> &'a H {
    // The names are few and the same each time: the copy is cheaper than a second look.
    handles.entry(name.to_owned()).or_insert_with(register)
}

/// Lines on their way.
struct Datagrams {
    socket: UdpSocket,
    lines: Mutex<Lines>,
    refused: AtomicBool,
}

#[derive(Default)]
struct Lines {
    text: String,
    count: u64,
}

impl Datagrams {
    fn to(daemon: SocketAddr) -> io::Result<Self> {
        let from = if daemon.is_ipv4() {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        } else {
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
        };
        let socket = UdpSocket::bind(from)?;
        socket.set_nonblocking(true)?;
        socket.connect(daemon)?;
        Ok(Self {
            socket,
            lines: Mutex::default(),
            refused: AtomicBool::new(false),
        })
    }

    fn push(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.text.len() + 1 + line.len() > MAX_DATAGRAM {
            self.send(&mut lines);
        }
        if !lines.text.is_empty() {
            lines.text.push('\n');
        }
        lines.text.push_str(line);
        lines.count += 1;
    }

    fn flush(&self) {
        self.send(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn send(&self, lines: &mut Lines) {
        if lines.count == 0 {
            return;
        }
        let sent = self.socket.send(lines.text.as_bytes());
        match sent {
            Ok(_) => STATSD_LINES_SENT.count(lines.count),
            Err(why) => {
                STATSD_LINES_DROPPED.count(lines.count);
                if why.kind() == io::ErrorKind::ConnectionRefused {
                    self.refused.store(true, Ordering::Relaxed);
                }
            }
        }
        lines.text.clear();
        lines.count = 0;
    }
}

/// Datagrams, as the exporter's client writes to them.
struct Sink(Arc<Datagrams>);

impl MetricSink for Sink {
    fn emit(&self, line: &str) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn daemon() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    fn heard(socket: &UdpSocket) -> String {
        let mut octets = [0; 65_536];
        let length = socket.recv(&mut octets).unwrap();
        String::from_utf8(octets[..length].to_vec()).unwrap()
    }

    fn recorded() -> Unsent {
        let unsent = Unsent::default();
        unsent.want(true);
        unsent
    }

    #[test]
    fn the_lines_are_those_of_statsd() {
        let (socket, address) = daemon();
        let unsent = recorded();
        let metadata = &METADATA;
        let name = Key::from_static_name;
        unsent
            .register_counter(&name("smtp.messages.accepted"), metadata)
            .increment(7);
        unsent
            .register_gauge(&name("store.disk.free"), metadata)
            .set(1_099_511_627_776.0);
        unsent
            .register_gauge(&name("process.clock.uptime"), metadata)
            .set(1.5);
        let mut target = Target::open(address, "mail.angarium", NodeId::new(3)).unwrap();
        target.send_all(&unsent);
        assert_eq!(
            heard(&socket),
            "mail.angarium.3.smtp.messages.accepted:7|c\n\
             mail.angarium.3.process.clock.uptime_us:1500000|g\n\
             mail.angarium.3.store.disk.free:1099511627776|g"
        );
        let time = unsent.register_histogram(&name("smtp.messages.time"), metadata);
        let size = unsent.register_histogram(&name("smtp.messages.size"), metadata);
        time.record(0.000_003);
        time.record(1.234_567_8);
        size.record(52_428_800.0);
        size.record(-1.0);
        time.record(f64::INFINITY);
        target.send_values(&unsent);
        assert_eq!(
            heard(&socket),
            "mail.angarium.3.smtp.messages.time_us:3|ms\n\
             mail.angarium.3.smtp.messages.time_us:1234568|ms\n\
             mail.angarium.3.smtp.messages.size:52428800|ms\n\
             mail.angarium.3.smtp.messages.size:0|ms\n\
             mail.angarium.3.smtp.messages.time_us:1000000000000000|ms"
        );
    }

    #[test]
    fn datagrams_fit_a_frame_and_hold_whole_lines() {
        let (socket, address) = daemon();
        let unsent = recorded();
        let time = unsent.register_histogram(&Key::from_static_name("smtp.messages.time"), &METADATA);
        (0..200).for_each(|_| time.record(0.001));
        Target::open(address, "angarium", NodeId::new(0))
            .unwrap()
            .send_values(&unsent);
        let mut lines = 0;
        while lines < 200 {
            let datagram = heard(&socket);
            assert!(datagram.len() <= MAX_DATAGRAM, "{}", datagram.len());
            for line in datagram.lines() {
                assert_eq!(line, "angarium.0.smtp.messages.time_us:1000|ms");
                lines += 1;
            }
        }
    }
}
