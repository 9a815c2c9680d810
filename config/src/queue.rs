//! The section `queue`: when an accepted message is delivered, and tried again.

use std::time::Duration;

use crate::section::section;

section! {
    /// When an accepted message is delivered, and tried again.
    pub struct Queue {
        /// Local deliveries under way at once. They wait for the same sync, so many cost little.
        workers: u32 = 64, 1..=4_096;

        /// Due recipients held in memory; the others wait in the spool until there is room.
        active_window: u32 = 10_000, 100..=1_000_000;

        /// The wait before the second attempt; it doubles with each attempt.
        retry_first: Duration = Duration::from_secs(30), Duration::from_secs(1)..=Duration::from_secs(86_400);

        /// The longest wait between two attempts.
        retry_longest: Duration = Duration::from_secs(3_600), Duration::from_secs(1)..=Duration::from_secs(86_400);

        /// How long delivery is tried before the message is held for an operator (RFC 5321 §4.5.4.1: at least 4 to
        /// 5 days).
        retry_for: Duration = Duration::from_secs(5 * 86_400), Duration::from_secs(60)..=Duration::from_secs(30 * 86_400);
    }
}
