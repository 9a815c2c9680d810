//! Process: what the system says of this process, read from /proc. Where there is none, nothing is recorded.

use std::{fs, path::Path};

use super::{
    PROCESS_CPU_MILLISECONDS, PROCESS_DESCRIPTORS_LIMIT, PROCESS_DESCRIPTORS_OPEN, PROCESS_MEMORY_RESIDENT,
    PROCESS_THREADS_RUNNING,
};

/// Ticks of the processor time in /proc: Linux gives a hundred a second on every architecture (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;

/// Reads and records. Touches no disk, but the list of descriptors of a server with many connections takes some
/// milliseconds: not for a thread that must not wait.
pub(super) fn sample() {
    let proc = Path::new("/proc/self");
    if let Some(status) = fs::read_to_string(proc.join("status"))
        .ok()
        .as_deref()
        .map(Status::parse)
    {
        status
            .resident
            .iter()
            .for_each(|octets| PROCESS_MEMORY_RESIDENT.set(*octets));
        status
            .threads
            .iter()
            .for_each(|count| PROCESS_THREADS_RUNNING.set(*count));
    }
    if let Some(ticks) = fs::read_to_string(proc.join("stat"))
        .ok()
        .as_deref()
        .and_then(ticks)
    {
        PROCESS_CPU_MILLISECONDS.reached(ticks.saturating_mul(1_000 / TICKS_PER_SECOND));
    }
    if let Ok(open) = fs::read_dir(proc.join("fd")) {
        // One of them is the list itself.
        PROCESS_DESCRIPTORS_OPEN.set(open.count().saturating_sub(1) as u64);
    }
    if let Some(limit) = fs::read_to_string(proc.join("limits"))
        .ok()
        .as_deref()
        .and_then(limit)
    {
        PROCESS_DESCRIPTORS_LIMIT.set(limit);
    }
}

/// What is taken from /proc/self/status.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    resident: Option<u64>,
    threads: Option<u64>,
}

impl Status {
    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Self {
            resident: field("VmRSS:").map(|kibibytes| kibibytes.saturating_mul(1_024)),
            threads: field("Threads:"),
        }
    }
}

/// Ticks in user and in kernel mode, from /proc/self/stat.
fn ticks(text: &str) -> Option<u64> {
    // The second field is the name of the program in brackets, which may hold anything; user time is the 14th.
    let (_, fields) = text.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    Some(times.next()?.ok()?.saturating_add(times.next()?.ok()?))
}

/// The soft limit of descriptors, from /proc/self/limits.
fn limit(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_writes_is_read() {
        let status = Status::parse("Name:\ta b\nVmRSS:\t   12345 kB\nThreads:\t7\n");
        let expected = Status {
            resident: Some(12_345 * 1_024),
            threads: Some(7),
        };
        assert_eq!(status, expected);
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 1000 1 1";
        assert_eq!(ticks(stat), Some(300));
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(limit(limits), Some(1_024));
    }

    #[test]
    fn what_it_does_not_write_is_not() {
        for text in ["", ")", "1 (a) S 1", "Max open files unlimited", "\u{fffd}"] {
            assert_eq!(ticks(text), None);
            assert_eq!(limit(text), None);
            let nothing = Status {
                resident: None,
                threads: None,
            };
            assert_eq!(Status::parse(text), nothing);
        }
    }
}
