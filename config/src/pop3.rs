//! The section `pop3`: what a session that reads a mailbox may ask for.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::section::section;

/// What the timeouts count in.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest that any timeout may be: a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

section! {
    /// Sessions that read a mailbox over POP3.
    pub struct Pop3 {
        /// The longest silence before a session is closed without deleting anything (RFC 1939 §3: at least
        /// 10 minutes).
        idle_timeout: Duration = 10 * MINUTE, 10 * MINUTE..=DAY;

        /// The longest time from the greeting to the login.
        login_timeout: Duration = 3 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest session, whatever happens in it.
        session_timeout: Duration = DAY, 10 * MINUTE..=DAY;

        /// Commands answered with -ERR in one session, after which it is closed.
        max_errors: u32 = 20, 1..=100_000;

        /// Wrong passwords in one session, after which it is closed.
        max_failed_logins: u32 = 5, 1..=1_000;

        /// The longest line of a command. RFC 2449 §4 asks for 255 bytes and clients send no more.
        max_line_size: ByteSize = ByteSize::bytes(255), ByteSize::bytes(255)..=ByteSize::kib(8);
    }
}
