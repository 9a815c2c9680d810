//! Free space: whether there is room for new messages, and the reserve file that is given up when there is none at all.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Whether there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// New messages are welcome.
    Enough,
    /// Less than the reserve is free: no new message; reading and expunging go on. SMTP says 452 4.3.1 to MAIL.
    Low,
}

/// How old the last look may be.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How much may be written since the last look.
const LOOK_OCTETS: u64 = 16 << 20;

/// Looks at the free space of one file system, and keeps the reserve file.
pub(crate) struct SpaceGauge {
    probe: Box<dyn Fn() -> io::Result<u64> + Send + Sync>,
    reserve_octets: AtomicU64,
    file_octets: AtomicU64,
    file: PathBuf,
    free: AtomicU64,
    unlooked: AtomicU64,
    looked: Mutex<Instant>,
}

impl SpaceGauge {
    /// Looks for the first time, and gives the reserve file up if there is no space at all: opening needs some.
    pub(crate) fn new(dir: &Path, reserve_octets: u64, file_octets: u64) -> io::Result<Self> {
        let data = dir.to_owned();
        let probe = move || {
            let stat = statvfs(&data)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        };
        Self::probing(Box::new(probe), dir, reserve_octets, file_octets)
    }

    fn probing(
        probe: Box<dyn Fn() -> io::Result<u64> + Send + Sync>,
        dir: &Path,
        reserve_octets: u64,
        file_octets: u64,
    ) -> io::Result<Self> {
        let free = AtomicU64::new(probe()?);
        let gauge = Self {
            probe,
            reserve_octets: AtomicU64::new(reserve_octets),
            file_octets: AtomicU64::new(file_octets),
            file: dir.join("reserve"),
            free,
            unlooked: AtomicU64::new(0),
            looked: Mutex::new(Instant::now()),
        };
        gauge.keep_reserve_file(gauge.free.load(Relaxed));
        Ok(gauge)
    }

    /// Whether there is room; looks again when the last look is old.
    pub(crate) fn space(&self) -> Space {
        if let Some(looked) = self.due() {
            self.look(looked);
        }
        if self.free.load(Relaxed) < self.reserve_octets.load(Relaxed) {
            Space::Low
        } else {
            Space::Enough
        }
    }

    /// Keeps other reserves from now on. A file of another size is made anew when there is room for it.
    pub(crate) fn keep(&self, reserve_octets: u64, file_octets: u64) {
        self.reserve_octets.store(reserve_octets, Relaxed);
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if self.file_octets.swap(file_octets, Relaxed) != file_octets
            && let Err(error) = fs::remove_file(&self.file)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "cannot remove the reserve file");
        }
        self.look(looked);
    }

    /// Counts what was written, so that a fast writer is noticed before the last look is old.
    pub(crate) fn after_write(&self, octets: u64) {
        if self.unlooked.fetch_add(octets, Relaxed) + octets >= LOOK_OCTETS
            && let Ok(looked) = self.looked.try_lock()
        {
            self.look(looked);
        }
    }

    /// Free octets when last looked at.
    pub(crate) fn free(&self) -> u64 {
        self.free.load(Relaxed)
    }

    /// The right to look, if it is time and nobody else is looking.
    fn due(&self) -> Option<MutexGuard<'_, Instant>> {
        let looked = self.looked.try_lock().ok()?;
        (looked.elapsed() >= LOOK_INTERVAL).then_some(looked)
    }

    fn look(&self, mut looked: MutexGuard<'_, Instant>) {
        *looked = Instant::now();
        self.unlooked.store(0, Relaxed);
        match (self.probe)() {
            Ok(free) => {
                self.free.store(free, Relaxed);
                self.keep_reserve_file(free);
            }
            Err(error) => tracing::warn!(%error, "cannot ask for free space"),
        }
    }

    /// Gives the file up when less than its own size is free, and makes it again when that leaves the reserve twice.
    fn keep_reserve_file(&self, free: u64) {
        let (reserve_octets, file_octets) =
            (self.reserve_octets.load(Relaxed), self.file_octets.load(Relaxed));
        if file_octets == 0 {
            return;
        }
        let exists = self.file.exists();
        let result = if exists && free < file_octets {
            tracing::warn!(free, "the disk is full: the reserve file is given up");
            fs::remove_file(&self.file)
        } else if !exists && free / 2 >= reserve_octets.saturating_add(file_octets) {
            self.make_reserve_file(file_octets)
        } else {
            Ok(())
        };
        if let Err(error) = result {
            tracing::warn!(%error, "cannot keep the reserve file");
        }
    }

    fn make_reserve_file(&self, octets: u64) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.file)?;
        allocate(&file, octets).inspect_err(|_| drop(fs::remove_file(&self.file)))
    }
}

impl std::fmt::Debug for SpaceGauge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SpaceGauge")
            .field("free", &self.free)
            .finish_non_exhaustive()
    }
}

fn allocate(file: &File, octets: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, octets) {
        // A file system that cannot preallocate has no reserve file; the reserve itself still holds.
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering::SeqCst};

    use super::*;

    const RESERVE: u64 = 1000;
    const FILE: u64 = 100;

    /// A gauge over a disk with as many free octets as the test says.
    fn gauge(dir: &Path, free: u64) -> (SpaceGauge, Arc<AtomicU64>) {
        let disk = Arc::new(AtomicU64::new(free));
        let probed = Arc::clone(&disk);
        let probe = Box::new(move || Ok(probed.load(SeqCst)));
        (SpaceGauge::probing(probe, dir, RESERVE, FILE).unwrap(), disk)
    }

    fn look_again(gauge: &SpaceGauge) {
        gauge.after_write(LOOK_OCTETS);
    }

    #[test]
    fn the_reserve_divides_enough_from_low() {
        let dir = tempfile::tempdir().unwrap();
        let (gauge, disk) = gauge(dir.path(), RESERVE);
        for (free, expected) in [
            (RESERVE, Space::Enough),
            (RESERVE - 1, Space::Low),
            (0, Space::Low),
            (u64::MAX, Space::Enough),
        ] {
            disk.store(free, SeqCst);
            look_again(&gauge);
            assert_eq!(gauge.space(), expected, "{free} octets free");
        }
    }

    #[test]
    fn looks_again_only_after_much_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let (gauge, disk) = gauge(dir.path(), RESERVE);
        disk.store(0, SeqCst);
        gauge.after_write(LOOK_OCTETS - 1);
        assert_eq!(gauge.free(), RESERVE);
        gauge.after_write(1);
        assert_eq!(gauge.free(), 0);
    }

    #[test]
    fn the_reserve_file_is_given_up_when_the_disk_is_full_and_made_again_when_it_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reserve");
        let (gauge, disk) = gauge(dir.path(), 10 * RESERVE);
        let check = |free: u64, exists: bool| {
            disk.store(free, SeqCst);
            look_again(&gauge);
            assert_eq!(file.exists(), exists, "{free} octets free");
        };
        assert_eq!(fs::metadata(&file).unwrap().len(), FILE);
        check(RESERVE - 1, true);
        check(FILE, true);
        check(FILE - 1, false);
        // Giving it up made some room: that alone does not bring it back, or it would come and go.
        check(2 * FILE, false);
        check(2 * (RESERVE + FILE) - 1, false);
        check(2 * (RESERVE + FILE), true);
    }

    #[test]
    fn a_reserve_file_of_another_size_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reserve");
        let gauge = SpaceGauge::probing(Box::new(|| Ok(1 << 30)), dir.path(), 1 << 20, 64 << 10).unwrap();
        for (reserve, octets, space) in [
            (1 << 20, 128 << 10, Space::Enough),
            (2 << 30, 128 << 10, Space::Low),
        ] {
            gauge.keep(reserve, octets);
            assert_eq!(fs::metadata(&file).unwrap().len(), octets);
            assert_eq!(gauge.space(), space);
        }
        gauge.keep(1 << 20, 0);
        assert!(!file.exists());
        assert_eq!(gauge.space(), Space::Enough);
    }

    #[test]
    fn a_start_on_a_full_disk_gives_the_reserve_file_up() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reserve");
        drop(gauge(dir.path(), 10 * RESERVE));
        assert!(file.exists());
        let (gauge, _) = gauge(dir.path(), 0);
        assert!(!file.exists());
        assert_eq!(gauge.space(), Space::Low);
    }

    #[test]
    fn a_real_file_system_is_asked() {
        let dir = tempfile::tempdir().unwrap();
        let gauge = SpaceGauge::new(dir.path(), 1, 1 << 20).unwrap();
        assert_eq!(gauge.space(), Space::Enough);
        let all = SpaceGauge::new(dir.path(), u64::MAX, 1 << 20).unwrap();
        assert_eq!(all.space(), Space::Low);
    }
}
