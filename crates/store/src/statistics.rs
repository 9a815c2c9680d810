//! What the store measures about itself.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::engine::Compactions;

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
    /// Synced groups by the time of their write and sync: the n-th counts those of up to 2ⁿ microseconds, the last also all
    /// longer ones.
    pub sync_times: [u64; SYNC_TIMES],
    /// Commands, chunks and questions waiting now.
    pub queued: usize,
    /// Octets of them.
    pub queued_octets: usize,
    /// Free octets of the file system when last looked at; `None` for a store without files.
    pub free_octets: Option<u64>,
    /// Bad records met.
    pub quarantined: u64,
    /// What the engine has compacted of its own accord.
    pub compactions: Compactions,
}

/// Classes of group sizes: up to 1, 2, 4 … 1024 and more.
pub const GROUP_SIZES: usize = 11;

/// Classes of times of syncs: up to 1, 2, 4 … microseconds, 33 seconds and more.
pub const SYNC_TIMES: usize = 26;

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
    sync_times: [AtomicU64; SYNC_TIMES],
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
        count_class(&self.group_sizes, commands as u64);
        count_class(&self.sync_times, nanos / 1_000);
    }

    pub(crate) fn read(&self) -> Statistics {
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
            group_sizes: self.group_sizes.each_ref().map(|count| count.load(Relaxed)),
            sync_times: self.sync_times.each_ref().map(|count| count.load(Relaxed)),
            ..Statistics::default()
        }
    }
}

/// Counts a value in its class: the n-th is up to 2ⁿ, the last also what is larger.
fn count_class(classes: &[AtomicU64], value: u64) {
    let class = 64 - value.saturating_sub(1).leading_zeros() as usize;
    if let Some(count) = classes.get(class.min(classes.len() - 1)) {
        count.fetch_add(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_in_the_class_that_it_does_not_exceed() {
        for (value, class) in [
            (0, 0),
            (1, 0),
            (2, 1),
            (3, 2),
            (4, 2),
            (5, 3),
            (8, 3),
            (9, 4),
            (u64::MAX, 4),
        ] {
            let classes: [AtomicU64; 5] = Default::default();
            count_class(&classes, value);
            let counted: Vec<usize> = (0..5)
                .filter(|&class| classes[class].load(Relaxed) == 1)
                .collect();
            assert_eq!(counted, [class], "{value}");
        }
    }
}
