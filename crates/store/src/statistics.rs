//! What the store measures about itself.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Numbers since the store was opened, unless said otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Commands committed since the store was created: the number of the newest.
    pub sequence: u64,
    /// Commands committed.
    pub commands: u64,
    /// Commands refused.
    pub rejected: u64,
    /// Commands answered from the result of an earlier one with the same id.
    pub repeated: u64,
    /// Batches written and synced.
    pub syncs: u64,
    /// Batches of chunks alone, written without a sync.
    pub unsynced: u64,
    /// Octets of keys and values written.
    pub octets: u64,
    /// Time in writing and syncing.
    pub write_time: Duration,
    /// The longest write with its sync.
    pub longest_write: Duration,
    /// Synced groups by commands in them: the n-th counts those with up to 2ⁿ, the last also all larger ones.
    pub group_sizes: [u64; GROUP_SIZES],
    /// Commands, chunks and questions waiting now.
    pub queued: usize,
    /// Octets of them.
    pub queued_octets: usize,
    /// Free octets of the file system when last looked at; `None` for a store without files.
    pub free_octets: Option<u64>,
    /// Bad records met.
    pub quarantined: u64,
}

/// Classes of group sizes: up to 1, 2, 4 … 1024 and more.
pub const GROUP_SIZES: usize = 11;

/// The committer's counters. Only its thread writes them.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    sequence: AtomicU64,
    commands: AtomicU64,
    rejected: AtomicU64,
    repeated: AtomicU64,
    syncs: AtomicU64,
    unsynced: AtomicU64,
    octets: AtomicU64,
    write_nanos: AtomicU64,
    longest_write_nanos: AtomicU64,
    group_sizes: [AtomicU64; GROUP_SIZES],
}

impl Meters {
    pub(crate) fn starting_at(sequence: u64) -> Self {
        Self {
            sequence: AtomicU64::new(sequence),
            ..Self::default()
        }
    }

    pub(crate) fn count_rejected(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_repeated(&self) {
        self.repeated.fetch_add(1, Relaxed);
    }

    /// One batch was written; without commands it was not synced.
    pub(crate) fn count_write(&self, commands: usize, octets: usize, took: Duration, sequence: u64) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.octets.fetch_add(octets as u64, Relaxed);
        self.write_nanos.fetch_add(nanos, Relaxed);
        self.longest_write_nanos.fetch_max(nanos, Relaxed);
        if commands == 0 {
            self.unsynced.fetch_add(1, Relaxed);
            return;
        }
        self.syncs.fetch_add(1, Relaxed);
        self.commands.fetch_add(commands as u64, Relaxed);
        self.sequence.store(sequence, Relaxed);
        let class = commands.next_power_of_two().trailing_zeros() as usize;
        if let Some(count) = self.group_sizes.get(class.min(GROUP_SIZES - 1)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Statistics {
        let mut group_sizes = [0; GROUP_SIZES];
        for (size, count) in group_sizes.iter_mut().zip(&self.group_sizes) {
            *size = count.load(Relaxed);
        }
        Statistics {
            sequence: self.sequence.load(Relaxed),
            commands: self.commands.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            repeated: self.repeated.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
            unsynced: self.unsynced.load(Relaxed),
            octets: self.octets.load(Relaxed),
            write_time: Duration::from_nanos(self.write_nanos.load(Relaxed)),
            longest_write: Duration::from_nanos(self.longest_write_nanos.load(Relaxed)),
            group_sizes,
            ..Statistics::default()
        }
    }
}
