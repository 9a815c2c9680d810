//! Memory stays under its bound: what the configuration lets a server hold, added up, and not what it happens to hold.

use config::Config;

use super::Broken;

/// Its name.
pub(crate) const PROMISE: &str = "memory stays under its bound";

/// The program, its threads and its runtime, without a limit that could be set. A debug build of a fresh server has half.
const PROGRAM: u64 = 48 << 20;

/// The tables of the store's engine in which new records are sorted, 43 MiB over all keyspaces (docs/store.md), and as
/// much again while full ones are written out.
const TABLES: u64 = 2 * (43 << 20);

/// A connection that does nothing, under TLS: its task, its session, its buffers.
const CONNECTION: u64 = 32 << 10;

/// A chunk on its way through a session, a delivery or a reader: as it came, as it is compressed, and what the
/// compressor itself needs.
const CHUNK_COPIES: u64 = 4;

/// A recipient in the window of the queue.
const WAITING: u64 = 1 << 10;

/// Sessions of the shell, each with the longest request, as it comes and as it is read (docs/shell.md).
const SHELL: u64 = 64 * 2 * (448 << 10);

/// What the server that has this configuration may have resident at most, in octets.
pub(crate) fn bound(config: &Config) -> u64 {
    let store = &config.store;
    let chunk = CHUNK_COPIES * store.chunk_size.as_bytes();
    let connections = u64::from(config.server.max_connections) * (CONNECTION + chunk);
    let workers = u64::from(config.queue.workers) + u64::from(store.readers);
    let hashes = u64::from(config.auth.workers) * config.auth.argon2_memory.as_bytes();
    [
        PROGRAM,
        TABLES,
        SHELL,
        store.cache.as_bytes(),
        store.max_group_size.as_bytes(),
        store.max_waiting_size.as_bytes(),
        config.limits.memory.as_bytes(),
        connections,
        workers * chunk,
        u64::from(config.queue.active_window) * WAITING,
        hashes,
    ]
    .iter()
    .fold(0, |sum, part| sum.saturating_add(*part))
}

/// Whether what was resident at most was within the bound.
pub(crate) fn check(resident: u64, bound: u64) -> Result<(), Broken> {
    if resident <= bound {
        return Ok(());
    }
    let how = format!(
        "{} KiB were resident, {} KiB are allowed",
        resident >> 10,
        bound >> 10
    );
    Err(Broken::new(PROMISE, how))
}

/// The most that was ever resident, as `/proc/<pid>/status` says it: `VmHWM:   123456 kB`.
pub(crate) fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_peak() {
        for (status, expected) in [
            (
                "Name:\tchaos\nVmPeak:\t 9 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n",
                Some(2 << 20),
            ),
            ("VmHWM:\t0 kB", Some(0)),
            ("VmRSS:\t 1 kB\n", None),
            ("VmHWM:\t1 MB\n", None),
            ("VmHWM:\tmuch kB\n", None),
            ("", None),
        ] {
            assert_eq!(peak(status), expected, "{status:?}");
        }
    }

    #[test]
    fn one_octet_too_many_breaks_it() {
        check(1 << 20, 1 << 20).unwrap();
        let broken = check((1 << 20) + 1, 1 << 20).unwrap_err();
        assert_eq!(
            broken,
            Broken::new(PROMISE, "1024 KiB were resident, 1024 KiB are allowed")
        );
    }
}
