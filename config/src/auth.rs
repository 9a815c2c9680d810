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

        /// How many of them one address may have, so that a guesser does not fill the room; a network (a /24 of
        /// IPv4, a /48 of IPv6) may have four times as many. Whoever has come in from an address before has
        /// places of his own.
        max_waiting_per_address: u32 = 32, 1..=65_536;

        /// How long a verified password is remembered, as a keyed hash in memory, so that a client which
        /// connects every minute costs one hash in five. "0s" remembers nothing.
        remember: Duration = Duration::from_secs(300), Duration::ZERO..=Duration::from_secs(86_400);

        /// How long the answer to a wrong password is held back.
        failure_delay: Duration = Duration::from_secs(1), Duration::ZERO..=Duration::from_secs(15);

        /// Failed logins of an address, or at an account, that slow nobody; a network has eight times as many. Each
        /// one more doubles the pause between two attempts of the address, and the delay of strangers at the
        /// account, from one second on.
        free_failures: u32 = 5, 0..=1000;

        /// How long until one failed login is forgotten, and then the next.
        failure_memory: Duration = Duration::from_secs(300), Duration::from_secs(1)..=Duration::from_secs(86_400);

        /// The longest pause between two attempts of an address that fails again and again. Attempts that would
        /// have to wait for more than ten seconds are told to come later.
        address_pause: Duration = Duration::from_secs(60), Duration::ZERO..=Duration::from_secs(3600);

        /// The longest that a login from an address from which the account has never come in is delayed, while
        /// others fail at the account: its owner is never locked out.
        account_delay: Duration = Duration::from_secs(5), Duration::ZERO..=Duration::from_secs(15);
    }
}
