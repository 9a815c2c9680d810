//! The section `store`: disk and memory of what is durable.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::section::section;
use crate::window::Window;

/// What retention counts in.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest retention: ten years.
const MAX_RETENTION: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);

section! {
    /// Disk and memory of what is durable.
    pub struct Store {
        /// Memory for blocks read from disk. It fills as it is used.
        cache: ByteSize = ByteSize::mib(32), ByteSize::mib(1)..=ByteSize::gib(1024);


        /// Commands made durable with one sync. A sync takes what waits at its start, never waits for more.
        max_group: u32 = 512, 1..=4_096;

        /// Bytes of commands and chunks made durable with one sync.
        max_group_size: ByteSize = ByteSize::mib(8), ByteSize::mib(1)..=ByteSize::gib(1);

        /// Commands and chunks that wait for the committer; more are answered 451 4.3.2.
        max_waiting: u32 = 8_192, 1..=1_000_000;

        /// Bytes of commands and chunks that wait for the committer; more are answered 451 4.3.2.
        max_waiting_size: ByteSize = ByteSize::mib(64), ByteSize::mib(1)..=ByteSize::gib(64);

        /// Committed groups that the change feed may lie behind before those who follow it are told to read again.
        max_feed: u32 = 1_024, 1..=1_000_000;

        /// Free space on the data directory's file system below which MAIL is answered 452 4.3.1, while
        /// reading and expunging go on. Development: "64MiB".
        reserve: ByteSize = ByteSize::mib(256), ByteSize::mib(1)..=ByteSize::gib(1024);

        /// A file of this size is kept so that a full disk can be recovered: it is removed to make room.
        /// "0B" keeps none. Development: "4MiB".
        reserve_file: ByteSize = ByteSize::mib(64), ByteSize::bytes(0)..=ByteSize::gib(64);

        /// Zstandard level of message bodies, from 1 (fast) to 19 (small); 0 stores them as they are.
        compression_level: i32 = 1, 0..=19;

        /// Message bodies are cut and compressed in chunks of this size; one that fits a single chunk is
        /// written together with its acceptance.
        chunk_size: ByteSize = ByteSize::kib(128), ByteSize::kib(64)..=ByteSize::kib(256);

        /// Threads that read bodies and scan from disk.
        readers: u32 = 8, 1..=1_024;

        /// How long the trail of a message is kept: what happened to it, read by "angarium trace".
        trail_retention: Duration = 14 * DAY, Duration::from_secs(3_600)..=MAX_RETENTION;

        /// How long it is kept what operators changed: who, when, why, and what came of it, read by
        /// "angarium audit".
        audit_retention: Duration = 400 * DAY, Duration::from_secs(3_600)..=MAX_RETENTION;

        /// How long the result of a command is kept, so that a repeat after a lost reply is recognised.
        command_retention: Duration = DAY, Duration::from_secs(3_600)..=MAX_RETENTION;

        /// How long it is kept that a message was appended for a recipient, so that a repeated delivery
        /// appends nothing.
        idempotence_retention: Duration = 7 * DAY, Duration::from_secs(3_600)..=MAX_RETENTION;

        /// How long it is kept which messages were expunged from a mailbox, so that an IMAP client which was away
        /// that long need not read the whole mailbox again (RFC 7162).
        expunged_retention: Duration = 30 * DAY, Duration::from_secs(3_600)..=MAX_RETENTION;

        /// When space on the disk is given back that deleted mail has left: a part of the day in UTC in which there is
        /// little to do. It may go over midnight; "00:00-00:00" is always.
        maintenance: Window = Window::hours(2, 5);

        /// Commands a second, on the average of a minute, from which on the server has better things to do than to give
        /// space back. A message that comes in and goes into a mailbox is two.
        maintenance_load: u32 = 50, 1..=1_000_000;

        /// Bytes a second that a check or a backup of a running server reads at most, so that the disk has time for mail.
        maintenance_pace: ByteSize = ByteSize::mib(32), ByteSize::kib(64)..=ByteSize::gib(64);
    }
}
