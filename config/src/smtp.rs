//! The section `smtp`: what a session that brings mail may ask for.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::section::section;

/// What RFC 5321 §4.5.3.2 counts in.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest that any timeout may be: a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

section! {
    /// Sessions that bring mail.
    pub struct Smtp {
        /// The text after the hostname in the greeting. It names no version: a peer need not know.
        greeting: String = "ready".to_owned();

        /// The largest message accepted, and announced with SIZE (RFC 1870); larger ones are answered 552.
        max_message_size: ByteSize = ByteSize::mib(50), ByteSize::kib(64)..=ByteSize::gib(2);

        /// Recipients of one message; more are answered 452 4.5.3. At least 100 (RFC 5321 §4.5.3.1.8).
        max_recipients: u32 = 1_000, 100..=100_000;

        /// Commands answered with an error in one session, after which it is closed with 421 4.7.0. A
        /// sender that guesses recipients is slowed down by having to connect again.
        max_errors: u32 = 20, 1..=100_000;

        /// Commands in one session, after which it is closed with 421 4.7.0. A busy peer may send many
        /// thousand messages over one connection, four commands each.
        max_commands: u32 = 1_000_000, 100..=u32::MAX;

        /// Received fields of a message, beyond which it is taken for a loop and refused with 554 5.4.6
        /// (RFC 5321 §6.3 asks for at least 100).
        max_hops: u32 = 100, 100..=1_000;

        /// The longest silence before the next command (RFC 5321 §4.5.3.2.7: at least 5 minutes).
        command_timeout: Duration = 5 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest silence between two blocks of DATA (RFC 5321 §4.5.3.2.5: 3 minutes).
        data_block_timeout: Duration = 3 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest time for the whole of one message. 50 MiB in 30 minutes are 30 kB a second.
        data_timeout: Duration = 30 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest time for one session, so that a slow peer does not hold its connection for ever.
        session_timeout: Duration = 120 * MINUTE, Duration::from_secs(1)..=DAY;
    }
}
