//! The section `pop3`: what a session that reads a mailbox may ask for.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::section::section;

section! {
    /// Sessions that read a mailbox over POP3.
    pub struct Pop3 {
        /// The longest silence before a session is closed without deleting anything (RFC 1939 §3: at least 10 minutes).
        idle_timeout: Duration = Duration::from_secs(600), Duration::from_secs(600)..=Duration::from_secs(86_400);

        /// Commands answered with -ERR in one session, after which it is closed.
        max_errors: u32 = 20, 1..=100_000;

        /// The longest line of a command. RFC 2449 §4 allows 255 bytes; long addresses as user names need more.
        max_line_size: ByteSize = ByteSize::bytes(512), ByteSize::bytes(255)..=ByteSize::kib(8);

        /// Connections logged in to one account at once, waiting for its mailbox or holding it; more are
        /// answered [IN-USE]. Only one holds a mailbox.
        max_connections_per_account: u32 = 10, 1..=10_000;
    }
}
