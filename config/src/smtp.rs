//! The section `smtp`: what a session that brings mail may ask for.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::section::section;
use crate::setting::words;

/// What RFC 5321 §4.5.3.2 counts in.
const MINUTE: Duration = Duration::from_secs(60);
/// Longest that any timeout may be: a day.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

words! {
    /// What a client is told that speaks before the greeting.
    pub enum EarlyTalkers ("one of") {
        /// 554 5.5.1: no mail server does that.
        Reject = "reject",
        /// 421 4.7.0: it may try again.
        Defer = "defer",
    }
}

section! {
    /// Sessions that bring mail.
    pub struct Smtp {
        /// The largest message accepted, and announced with SIZE (RFC 1870); larger ones are answered 552 5.3.4.
        max_message_size: ByteSize = ByteSize::mib(50), ByteSize::kib(64)..=ByteSize::gib(2);

        /// Recipients of one message; more are answered 452 4.5.3. At least 100 (RFC 5321 §4.5.3.1.8),
        /// at most the 1,000 that one record of the spool holds.
        max_recipients: u32 = 1_000, 100..=1_000;

        /// Commands answered with an error since the last accepted message; the next one ends the session with
        /// 421 4.7.0.
        max_errors: u32 = 20, 1..=100_000;

        /// Commands that do not exist since the last accepted message; the next one ends the session with 421 4.7.0.
        max_unknown_commands: u32 = 10, 1..=100_000;

        /// Recipients refused since the last accepted message; then 421 4.7.0. Apart from the errors, because
        /// an honest list has dead addresses, and bounded, because who guesses addresses has little else.
        max_refused_recipients: u32 = 100, 1..=100_000;

        /// Commands since the last accepted message, good recipients not counted; then 421 4.7.0. It ends
        /// sessions that only say NOOP or RSET.
        max_commands_without_mail: u32 = 100, 10..=1_000_000;

        /// Messages of one session, announced with LIMITS (RFC 9422); who wants to send more is answered 421 4.7.0
        /// and connects again.
        max_transactions: u32 = 10_000, 1..=999_999;

        /// Received fields of a message, from which on it is taken to run in a circle and refused with 554 5.4.6
        /// (RFC 5321 §6.3: at least 100).
        max_hops: u32 = 100, 100..=1_000;

        /// The header section of a message; a larger one is 552 5.3.4. Real ones stay under 64 KiB, but trace fields,
        /// signatures and long lists of recipients add up, and nobody reads a header of megabytes.
        max_header_size: ByteSize = ByteSize::mib(1), ByteSize::kib(64)..=ByteSize::mib(16);

        /// One header field with its folds; a larger one is 552 5.3.4. The default has room for a `To` of some
        /// 5,000 addresses.
        max_header_field_size: ByteSize = ByteSize::kib(256), ByteSize::kib(16)..=ByteSize::mib(16);

        /// Header fields of a message; more are 552 5.3.4. Real messages have under 200.
        max_header_fields: u32 = 2_000, 200..=100_000;

        /// How long a client of a listener with protocol "smtp" is to wait for the greeting; who speaks before it is no
        /// mail server. RFC 5321 §4.5.3.2.1 lets clients wait five minutes. "0s" greets at once.
        greeting_delay: Duration = Duration::ZERO, Duration::ZERO..=Duration::from_secs(60);

        /// What a client is told that speaks before the greeting: "reject" is 554 5.5.1, "defer" is 421 4.7.0.
        early_talkers: EarlyTalkers = EarlyTalkers::Reject;

        /// The longest wait for a whole command (RFC 5321 §4.5.3.2.7: at least 5 minutes).
        command_timeout: Duration = 5 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest silence between two blocks of a message (RFC 5321 §4.5.3.2.5: 3 minutes).
        data_block_timeout: Duration = 3 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest time for the whole of one message: 50 MiB in an hour are 15 kB a second.
        data_timeout: Duration = 60 * MINUTE, Duration::from_secs(1)..=DAY;

        /// The longest session, so that no peer holds its connection for ever; a message that has begun may
        /// still be finished.
        session_timeout: Duration = 240 * MINUTE, Duration::from_secs(1)..=DAY;
    }
}
