//! What an operator may choose about the store. Each value has its default here; `config` names and explains them.

use std::time::Duration;

/// Choices for opening a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Octets of a message that go into one chunk of its blob, before compression; between
    /// [`MIN_CHUNK_OCTETS`] and [`MAX_CHUNK_OCTETS`].
    pub chunk_octets: usize,
    /// How hard message bytes are compressed.
    pub compression: Compression,
    /// Octets of memory for blocks of the disk that were read.
    pub cache_octets: u64,
    /// The most commands that share one sync.
    pub max_group: usize,
    /// The most octets of commands and chunks that share one sync.
    pub max_group_octets: usize,
    /// The most commands and chunks that wait for the committer; beyond it a proposal is `Overloaded` at once.
    pub max_queue: usize,
    /// The most octets of commands and chunks that wait for the committer.
    pub max_queue_octets: usize,
    /// Free octets of the file system below which no new message is taken.
    pub reserve_octets: u64,
    /// Octets of the file that is given up when the disk is full, so that expunging and compaction can run; 0 for
    /// none.
    pub reserve_file_octets: u64,
    /// How long the result of a command is kept for a caller that lost its reply.
    pub keep_results: Duration,
    /// How long it is remembered that a message was appended for a recipient.
    pub keep_appended: Duration,
    /// How long it is kept what happened to a message.
    pub keep_trail: Duration,
    /// Committed groups that the change feed may be behind before it is told that it lags.
    pub max_feed: usize,
    /// Opens a store whose newest commands are missing, and takes the loss as the truth from then on.
    pub accept_truncation: bool,
}

/// How hard message bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// With zstd at this level, where it pays.
    Zstd(i32),
}

/// The smallest chunk of a blob.
pub const MIN_CHUNK_OCTETS: usize = 64 << 10;
/// The largest chunk of a blob.
pub const MAX_CHUNK_OCTETS: usize = 256 << 10;

impl Default for Options {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            chunk_octets: 128 << 10,
            compression: Compression::Zstd(1),
            cache_octets: 32 << 20,
            max_group: 512,
            max_group_octets: 8 << 20,
            max_queue: 8192,
            max_queue_octets: 64 << 20,
            reserve_octets: 256 << 20,
            reserve_file_octets: 64 << 20,
            keep_results: Duration::from_secs(DAY),
            keep_appended: Duration::from_secs(7 * DAY),
            keep_trail: Duration::from_secs(30 * DAY),
            max_feed: 1024,
            accept_truncation: false,
        }
    }
}
