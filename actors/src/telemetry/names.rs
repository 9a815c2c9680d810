//! Names: the table of everything that is counted or measured. `docs/metrics.md` is written from it.
//!
//! A name has three parts: area, thing, what. It is a constant; nothing that comes from a peer, a message or an account
//! is ever part of one.

use super::metric::{Counter, Counters, Gauge, Gauges, Histogram, Kind, Metric, Row, Unit};

/// Declares the table: the comment of a constant is what the documents say of it.
macro_rules! table {
    (@kind Counter) => { Kind::Counter };
    (@kind Counters) => { Kind::Counter };
    (@kind Gauge) => { Kind::Gauge };
    (@kind Gauges) => { Kind::Gauge };
    (@kind Histogram) => { Kind::Histogram };
    ($( $(#[doc = $about:literal])+ $constant:ident: $kind:ident = $name:literal, $unit:ident; )+) => {
        $(
            $(#[doc = $about])+
            pub static $constant: $kind = $kind::new(Metric {
                name: $name,
                kind: table!(@kind $kind),
                unit: Unit::$unit,
                about: concat!($($about),+),
            });
        )+

        /// Everything that is counted or measured, in the order of the documents.
        pub static TABLE: &[&dyn Row] = &[$(&$constant),+];
    };
}

table! {
    /// Actors of this class that are up.
    ACTORS_RUNNING: Gauges = "actors.<class>.running", Count;
    /// Those that were up, crashed too often, and wait for an operator.
    ACTORS_PARKED: Gauges = "actors.<class>.parked", Count;
    /// Those that an operator has suspended.
    ACTORS_SUSPENDED: Gauges = "actors.<class>.suspended", Count;
    /// Messages in their mailboxes, all together.
    ACTORS_DEPTH: Gauges = "actors.<class>.depth", Count;
    /// Starts, the first and all others.
    ACTORS_STARTED: Counters = "actors.<class>.started", Count;
    /// Crashes: an error, a panic, a kill, a failed start.
    ACTORS_CRASHED: Counters = "actors.<class>.crashed", Count;
    /// Starts after a crash.
    ACTORS_RESTARTED: Counters = "actors.<class>.restarted", Count;
    /// Messages handled.
    ACTORS_HANDLED: Counters = "actors.<class>.handled", Count;
    /// Median time that a message waits in a mailbox, in the last interval; to the next power of two.
    ACTORS_MAILBOX_P50: Gauges = "actors.<class>.mailbox_p50", Seconds;
    /// 99th percentile of it.
    ACTORS_MAILBOX_P99: Gauges = "actors.<class>.mailbox_p99", Seconds;
    /// Median time that a message takes to be handled, in the last interval; to the next power of two.
    ACTORS_HANDLING_P50: Gauges = "actors.<class>.handling_p50", Seconds;
    /// 99th percentile of it.
    ACTORS_HANDLING_P99: Gauges = "actors.<class>.handling_p99", Seconds;

    /// SMTP, submission and LMTP connections taken.
    SMTP_CONNECTIONS_OPENED: Counter = "smtp.connections.opened", Count;
    /// SMTP, submission and LMTP connections open now.
    SMTP_CONNECTIONS_OPEN: Gauge = "smtp.connections.open", Count;
    /// Messages accepted: durable, and answered 250.
    SMTP_MESSAGES_ACCEPTED: Counter = "smtp.messages.accepted", Count;
    /// Messages refused at or behind their DATA.
    SMTP_MESSAGES_REFUSED: Counter = "smtp.messages.refused", Count;
    /// Size of the accepted messages, as they were sent.
    SMTP_MESSAGES_SIZE: Histogram = "smtp.messages.size", Octets;
    /// Time from the end of a message to its answer: the wait for the disk, mostly.
    SMTP_MESSAGES_TIME: Histogram = "smtp.messages.time", Seconds;
    /// Senders refused at MAIL: a limit, a full disk, or not the sender's address.
    SMTP_SENDERS_REFUSED: Counter = "smtp.senders.refused", Count;
    /// Recipients accepted at RCPT.
    SMTP_RECIPIENTS_ACCEPTED: Counter = "smtp.recipients.accepted", Count;
    /// Recipients refused at RCPT.
    SMTP_RECIPIENTS_REFUSED: Counter = "smtp.recipients.refused", Count;
    /// Recipients deferred at RCPT because nobody behind them has room.
    SMTP_RECIPIENTS_FULL: Counter = "smtp.recipients.full", Count;

    /// POP3 connections taken.
    POP3_CONNECTIONS_OPENED: Counter = "pop3.connections.opened", Count;
    /// POP3 connections open now.
    POP3_CONNECTIONS_OPEN: Gauge = "pop3.connections.open", Count;
    /// Mailboxes opened after a log-in.
    POP3_MAILDROPS_OPENED: Counter = "pop3.maildrops.opened", Count;
    /// Log-ins that found their mailbox in use by another session.
    POP3_MAILDROPS_IN_USE: Counter = "pop3.maildrops.in_use", Count;
    /// Time to open a mailbox and to list its messages.
    POP3_MAILDROPS_TIME: Histogram = "pop3.maildrops.time", Seconds;
    /// Messages sent to their readers, whole or their beginnings.
    POP3_MESSAGES_SENT: Counter = "pop3.messages.sent", Count;
    /// Messages removed by their readers.
    POP3_MESSAGES_REMOVED: Counter = "pop3.messages.removed", Count;

    /// TLS handshakes made.
    TLS_HANDSHAKES_MADE: Counter = "tls.handshakes.made", Count;
    /// TLS handshakes that failed: no common version or cipher, a wrong certificate of a client, no TLS at all, a peer
    /// that left or took too long.
    TLS_HANDSHAKES_FAILED: Counter = "tls.handshakes.failed", Count;
    /// Time of the handshakes made.
    TLS_HANDSHAKES_TIME: Histogram = "tls.handshakes.time", Seconds;

    /// Log-ins that succeeded.
    AUTH_LOGINS_SUCCEEDED: Counter = "auth.logins.succeeded", Count;
    /// Log-ins with a wrong password, an unknown account, or a proof that does not hold.
    AUTH_LOGINS_FAILED: Counter = "auth.logins.failed", Count;
    /// Log-ins with a response that is none.
    AUTH_LOGINS_MALFORMED: Counter = "auth.logins.malformed", Count;
    /// Log-ins put off: too many wait, or the address has failed too often lately.
    AUTH_LOGINS_DEFERRED: Counter = "auth.logins.deferred", Count;
    /// Time to decide on a log-in, the delay of a refusal included.
    AUTH_LOGINS_TIME: Histogram = "auth.logins.time", Seconds;

    /// Connections refused because their address is banned.
    LIMITS_REFUSED_BANNED: Counter = "limits.refused.banned", Count;
    /// Connections refused because too many of their address or network are open.
    LIMITS_REFUSED_OPEN: Counter = "limits.refused.open", Count;
    /// Connections refused because too many came in a short time.
    LIMITS_REFUSED_RATE: Counter = "limits.refused.rate", Count;
    /// Connections refused because the listener or the server holds as many as it may.
    LIMITS_REFUSED_ROOM: Counter = "limits.refused.room", Count;
    /// Messages refused because their sender sent too many.
    LIMITS_REFUSED_MESSAGES: Counter = "limits.refused.messages", Count;
    /// Recipients refused because their sender named too many.
    LIMITS_REFUSED_RECIPIENTS: Counter = "limits.refused.recipients", Count;
    /// Bans that have begun, by themselves or by an operator.
    LIMITS_BANS_BEGUN: Counter = "limits.bans.begun", Count;

    /// Wrong passwords and accounts that do not exist, as they count towards a ban.
    SECURITY_OFFENCES_PASSWORDS: Counter = "security.offences.passwords", Count;
    /// Commands that do not exist.
    SECURITY_OFFENCES_UNKNOWN_COMMANDS: Counter = "security.offences.unknown_commands", Count;
    /// Other commands that were answered with a permanent error.
    SECURITY_OFFENCES_ERRORS: Counter = "security.offences.errors", Count;
    /// Recipients who do not exist.
    SECURITY_OFFENCES_UNKNOWN_RECIPIENTS: Counter = "security.offences.unknown_recipients", Count;
    /// Peers that spoke before the greeting.
    SECURITY_OFFENCES_EARLY_TALKERS: Counter = "security.offences.early_talkers", Count;
    /// Peers that said XCLIENT and are no proxy of ours.
    SECURITY_STRANGERS_XCLIENT: Counter = "security.strangers.xclient", Count;
    /// Peers that spoke the PROXY protocol and are no proxy of ours.
    SECURITY_STRANGERS_PROXY: Counter = "security.strangers.proxy", Count;
    /// Connections of our proxies closed because they did not say for whom they come.
    SECURITY_PROXIES_CLOSED: Counter = "security.proxies.closed", Count;
    /// Messages refused because who logged in may not write in their From or Sender.
    SECURITY_SENDERS_FORGED: Counter = "security.senders.forged", Count;

    /// Recipients delivered.
    QUEUE_RECIPIENTS_DELIVERED: Counter = "queue.recipients.delivered", Count;
    /// Attempts at a recipient that will be made again.
    QUEUE_RECIPIENTS_DEFERRED: Counter = "queue.recipients.deferred", Count;
    /// Recipients given up, and reported to the sender.
    QUEUE_RECIPIENTS_BOUNCED: Counter = "queue.recipients.bounced", Count;
    /// Recipients held for an operator.
    QUEUE_RECIPIENTS_HELD: Counter = "queue.recipients.held", Count;
    /// Time of one attempt at a recipient.
    QUEUE_ATTEMPTS_TIME: Histogram = "queue.attempts.time", Seconds;
    /// Time from the arrival of a message, or from the end of the hold that its sender wanted, to its delivery.
    QUEUE_DELIVERIES_TIME: Histogram = "queue.deliveries.time", Seconds;
    /// Deliveries that died on a message.
    QUEUE_DELIVERIES_DIED: Counter = "queue.deliveries.died", Count;
    /// Recipients in memory that wait for a delivery.
    QUEUE_WINDOW_WAITING: Gauge = "queue.window.waiting", Count;
    /// Recipients that are being delivered.
    QUEUE_WINDOW_ASSIGNED: Gauge = "queue.window.assigned", Count;
    /// Recipients in the spool that are due, counted up to 10,000.
    QUEUE_SPOOL_DUE: Gauge = "queue.spool.due", Count;
    /// Messages in the spool with a recipient that is not done, counted up to 10,000.
    QUEUE_SPOOL_MESSAGES: Gauge = "queue.spool.messages", Count;
    /// Recipients held for an operator, among those messages.
    QUEUE_SPOOL_HELD: Gauge = "queue.spool.held", Count;
    /// How long ago the oldest of those messages arrived.
    QUEUE_SPOOL_OLDEST: Gauge = "queue.spool.oldest", Seconds;

    /// Commands committed: durable changes.
    STORE_COMMANDS_COMMITTED: Counter = "store.commands.committed", Count;
    /// Commands refused by their preconditions.
    STORE_COMMANDS_REJECTED: Counter = "store.commands.rejected", Count;
    /// Commands answered from the result of an earlier one with the same id.
    STORE_COMMANDS_REPEATED: Counter = "store.commands.repeated", Count;
    /// Groups written and synced.
    STORE_SYNCS_MADE: Counter = "store.syncs.made", Count;
    /// Median time to write and sync a group, in the last interval.
    STORE_SYNCS_P50: Gauge = "store.syncs.p50", Seconds;
    /// 99th percentile of it.
    STORE_SYNCS_P99: Gauge = "store.syncs.p99", Seconds;
    /// The longest since the start.
    STORE_SYNCS_LONGEST: Gauge = "store.syncs.longest", Seconds;
    /// Median number of commands that share a sync, in the last interval; to the next power of two.
    STORE_GROUPS_P50: Gauge = "store.groups.p50", Count;
    /// 99th percentile of it.
    STORE_GROUPS_P99: Gauge = "store.groups.p99", Count;
    /// Octets of keys and values written.
    STORE_WRITES_SIZE: Counter = "store.writes.size", Octets;
    /// Commands, chunks and questions that wait for the committer.
    STORE_QUEUE_WAITING: Gauge = "store.queue.waiting", Count;
    /// Octets of them.
    STORE_QUEUE_SIZE: Gauge = "store.queue.size", Octets;
    /// Free space of the file system.
    STORE_DISK_FREE: Gauge = "store.disk.free", Octets;
    /// What the store takes on the disk, journals included.
    STORE_DISK_USED: Gauge = "store.disk.used", Octets;
    /// What of it is known to be garbage: a compaction gives it back.
    STORE_DISK_GARBAGE: Gauge = "store.disk.garbage", Octets;
    /// Its journals.
    STORE_JOURNALS_SIZE: Gauge = "store.journals.size", Octets;
    /// Compactions made to give space back.
    STORE_COMPACTIONS_MADE: Counter = "store.compactions.made", Count;
    /// Octets that they gave back.
    STORE_COMPACTIONS_FREED: Counter = "store.compactions.freed", Octets;
    /// Time of one of them.
    STORE_COMPACTIONS_TIME: Histogram = "store.compactions.time", Seconds;
    /// Compactions of the engine's own accord: it has looked after a keyspace and compacted what it found, if anything.
    STORE_MERGES_MADE: Counter = "store.merges.made", Count;
    /// Time spent in those, in milliseconds: a thousand a second is an engine that does nothing else.
    STORE_MERGES_MILLISECONDS: Counter = "store.merges.milliseconds", Count;
    /// Long work on the store that ended well: checks, backups, compactions.
    STORE_UPKEEP_DONE: Counter = "store.upkeep.done", Count;
    /// Long work that failed or was told to end.
    STORE_UPKEEP_FAILED: Counter = "store.upkeep.failed", Count;
    /// Records that could not be understood and were set aside.
    STORE_RECORDS_QUARANTINED: Counter = "store.records.quarantined", Count;

    /// Memory that the process has in use (resident set).
    PROCESS_MEMORY_RESIDENT: Gauge = "process.memory.resident", Octets;
    /// File descriptors that it has open.
    PROCESS_DESCRIPTORS_OPEN: Gauge = "process.descriptors.open", Count;
    /// File descriptors that it may have open.
    PROCESS_DESCRIPTORS_LIMIT: Gauge = "process.descriptors.limit", Count;
    /// Threads.
    PROCESS_THREADS_RUNNING: Gauge = "process.threads.running", Count;
    /// Processor time used, in milliseconds.
    PROCESS_CPU_MILLISECONDS: Counter = "process.cpu.milliseconds", Count;
    /// Time since the start.
    PROCESS_CLOCK_UPTIME: Gauge = "process.clock.uptime", Seconds;

    /// Requests of operators to the shell that were done.
    SHELL_REQUESTS_DONE: Counter = "shell.requests.done", Count;
    /// Those that were refused or failed.
    SHELL_REQUESTS_FAILED: Counter = "shell.requests.failed", Count;
    /// Time of a request to the shell; of one that follows something, as long as it was followed.
    SHELL_REQUESTS_TIME: Histogram = "shell.requests.time", Seconds;

    /// Configurations that came into force.
    RELOAD_REQUESTS_DONE: Counter = "reload.requests.done", Count;
    /// Configurations that were planned and not taken up.
    RELOAD_REQUESTS_PLANNED: Counter = "reload.requests.planned", Count;
    /// Configurations that had mistakes, were refused, or failed: the one before stayed in force.
    RELOAD_REQUESTS_FAILED: Counter = "reload.requests.failed", Count;
    /// Time from the request to its receipt.
    RELOAD_REQUESTS_TIME: Histogram = "reload.requests.time", Seconds;
    /// Actors that died before they had taken a configuration: they start with the one in force.
    RELOAD_ACTORS_LOST: Counter = "reload.actors.lost", Count;

    /// HTTP requests answered, whatever the answer.
    HTTP_REQUESTS_ANSWERED: Counter = "http.requests.answered", Count;
    /// HTTP connections closed because as many as may are open.
    HTTP_CONNECTIONS_REFUSED: Counter = "http.connections.refused", Count;
    /// HTTP connections that took too long, or that were no HTTP.
    HTTP_CONNECTIONS_CUT: Counter = "http.connections.cut", Count;
    /// Commits that /readyz waited for in vain.
    HTTP_READINESS_FAILED: Counter = "http.readiness.failed", Count;
    /// Time of the commits that /readyz waits for.
    HTTP_READINESS_TIME: Histogram = "http.readiness.time", Seconds;

    /// Lines given to the network for StatsD.
    STATSD_LINES_SENT: Counter = "statsd.lines.sent", Count;
    /// Lines that the network did not take.
    STATSD_LINES_DROPPED: Counter = "statsd.lines.dropped", Count;
    /// Values of histograms that were recorded faster than they are sent.
    STATSD_VALUES_DROPPED: Counter = "statsd.values.dropped", Count;
}

/// The classes of all actors: what `<class>` stands for.
pub const CLASSES: &[&str] = &[
    "acceptor",
    "authenticator",
    "directory",
    "http_acceptor",
    "limits",
    "local_delivery",
    "local_queue",
    "mailbox",
    "pop3_session",
    "process",
    "readiness",
    "reloader",
    "sampler",
    "shell_acceptor",
    "shell_session",
    "smtp_session",
    "statsd_sender",
    "store_feed",
    "store_gate",
    "store_maintenance",
    "store_sweeper",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_has_three_parts_of_a_closed_alphabet_and_is_there_once() {
        let is_part = |part: &str| {
            let part = part
                .strip_prefix('<')
                .and_then(|part| part.strip_suffix('>'))
                .unwrap_or(part);
            let mut octets = part.bytes();
            !part.is_empty() && octets.all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        let mut seen = BTreeSet::new();
        for row in TABLE {
            let metric = row.metric();
            let name = metric.name;
            assert!(
                name.split('.').count() == 3 && name.split('.').all(is_part),
                "{name}"
            );
            assert!(seen.insert(metric.prometheus_name()), "{name}");
            assert!(!metric.about.trim().is_empty(), "{name}");
        }
    }
}
