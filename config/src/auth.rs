//! The section `auth`: the cost of a password, for us and for who guesses it.

use std::time::Duration;

use message::DomainName;

use crate::byte_size::ByteSize;
use crate::section::section;

section! {
    /// The cost of a password, for us and for who guesses it.
    pub struct Auth {
        /// Whether AUTH is offered over SMTP. With false no listener offers it, and those for submission, which are
        /// nothing without it, are not opened. POP3 is not concerned.
        enabled: bool = true;

        /// Memory of one Argon2id hash. OWASP's first choice: 19 MiB with 2 iterations and 1 lane. A change
        /// counts for passwords set from then on.
        argon2_memory: ByteSize = ByteSize::mib(19), ByteSize::kib(64)..=ByteSize::mib(256);

        /// Passes over that memory. Memory times passes is at most 1 GiB, about a second of one core.
        argon2_iterations: u32 = 2, 1..=16;

        /// Lanes of one hash.
        argon2_parallelism: u32 = 1, 1..=16;

        /// Whether a password that is set gets a SCRAM verifier beside its hash, so that clients can prove it
        /// without sending it. A verifier that is stolen resists guessing far less than the hash.
        scram: bool = true;

        /// How often a client hashes for SCRAM: each guess at a stolen verifier costs as much. RFC 7677 wants
        /// 4096 at least; telephones do 10000 within a blink. Counts for passwords set from then on.
        scram_iterations: u32 = 10_000, 4096..=1_000_000;

        /// The domain of a login that is given without one. Without it such a login is unknown.
        default_domain: Option<DomainName> = None;

        /// Hashes computed at once, each on a thread of its own with the memory above.
        workers: u32 = 2, 1..=256;

        /// Logins that wait for a worker; more are told to come again later.
        max_waiting: u32 = 256, 1..=65_536;

        /// How long a verified password is remembered, as a keyed hash in memory, so that a client which
        /// connects every minute costs one hash in five. "0s" remembers nothing.
        remember: Duration = Duration::from_secs(300), Duration::ZERO..=Duration::from_secs(86_400);

        /// How long the answer to a wrong password is held back.
        failure_delay: Duration = Duration::from_secs(1), Duration::ZERO..=Duration::from_secs(60);
    }
}
