//! The section `limits`: what one peer, account or sender may take of the server, and when it is sent away.

use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::network::Network;
use crate::section::section;

/// What windows count in.
const HOUR: Duration = Duration::from_secs(60 * 60);
/// What bans count in.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest ban, and longest memory of one: ten years.
const MAX_BAN: Duration = Duration::from_secs(3_650 * 24 * 60 * 60);
/// The most that may be counted in a window.
const MANY: u32 = 1_000_000_000;

/// This machine.
fn loopback() -> Vec<Network> {
    let networks = ["127.0.0.0/8", "::1"];
    networks
        .iter()
        .filter_map(|network| network.parse().ok())
        .collect()
}

section! {
    /// What one peer, account or sender may take of the server, and when it is sent away. The defaults are such that a
    /// mail server which does its work does not meet them. 0 is no limit.
    pub struct Limits {
        /// Who is neither counted nor limited nor banned, whatever else is said: this machine, and the relays and
        /// monitors that you trust, as "192.0.2.0/24" or "2001:db8::1". Proxies (proxy_from and xclient_from of
        /// the listeners) are spared by themselves.
        allow: Vec<Network> = loopback();

        /// Memory for what is counted, however many addresses come: about 13,000 subjects each MiB, made as they
        /// are needed. When it is full the idle are forgotten first, offenders last. Counts for the next start.
        memory: ByteSize = ByteSize::mib(16), ByteSize::mib(1)..=ByteSize::gib(4);

        /// How many leading bits of an IPv4 address are its network.
        ipv4_network: u32 = 24, 8..=32;

        /// How many leading bits of an IPv6 address are its network. Who has one address has a /64 of them: bans are
        /// of this network too.
        ipv6_network: u32 = 64, 16..=128;

        /// Connections of one address open at once; more are answered 421 4.7.0.
        max_connections_per_address: u32 = 256, 0..=1_000_000;

        /// Connections of one network open at once.
        max_connections_per_network: u32 = 1_024, 0..=1_000_000;

        /// The window in which connections are counted.
        connection_window: Duration = Duration::from_secs(60), Duration::from_secs(1)..=HOUR;

        /// Connections of one address in connection_window; more are answered 421 4.7.0.
        connections_per_address: u32 = 1_200, 0..=MANY;

        /// Connections of one network in connection_window.
        connections_per_network: u32 = 4_800, 0..=MANY;

        /// Connections to one listener in connection_window.
        connections_per_listener: u32 = 0, 0..=MANY;

        /// The window in which messages and recipients are counted.
        message_window: Duration = HOUR, Duration::from_secs(1)..=7 * DAY;

        /// Messages from one address in message_window; MAIL is then answered 450 4.7.1.
        messages_per_address: u32 = 20_000, 0..=MANY;

        /// Messages from one network in message_window.
        messages_per_network: u32 = 0, 0..=MANY;

        /// Messages of one account in message_window, from wherever it submits.
        messages_per_account: u32 = 2_000, 0..=MANY;

        /// Messages from one sender domain in message_window. Anybody can write anybody's domain: 0 unless there is a
        /// reason.
        messages_per_sender_domain: u32 = 0, 0..=MANY;

        /// Recipients named from one address in message_window, also unknown ones; RCPT is then answered 452 4.7.1.
        recipients_per_address: u32 = 100_000, 0..=MANY;

        /// Recipients named from one network in message_window.
        recipients_per_network: u32 = 0, 0..=MANY;

        /// Recipients named by one account in message_window.
        recipients_per_account: u32 = 10_000, 0..=MANY;

        /// Recipients named from one sender domain in message_window.
        recipients_per_sender_domain: u32 = 0, 0..=MANY;

        /// Whether who offends is banned by itself. With false offences are counted and bans are made by
        /// "angarium ban" alone.
        ban: bool = true;

        /// The window in which offences are counted. Each kind below says how many of it ban an address; half of one
        /// and half of another do too. 0 does not count that kind.
        offence_window: Duration = Duration::from_secs(600), Duration::from_secs(1)..=DAY;

        /// Wrong passwords that ban.
        auth_failures: u32 = 50, 0..=10_000;

        /// Commands that do not exist that ban.
        unknown_commands: u32 = 100, 0..=10_000;

        /// Other commands answered with an error that ban.
        errors: u32 = 500, 0..=10_000;

        /// Recipients who do not exist that ban: who guesses addresses names thousands.
        unknown_recipients: u32 = 1_000, 0..=10_000;

        /// Connections that spoke before the greeting that ban; seen where smtp.greeting_delay is set.
        early_talkers: u32 = 50, 0..=10_000;

        /// How long the first ban of an address lasts. Each further one lasts twice as long.
        ban_first: Duration = HOUR, Duration::from_secs(60)..=MAX_BAN;

        /// How long an automatic ban lasts at most.
        ban_longest: Duration = 7 * DAY, Duration::from_secs(60)..=MAX_BAN;

        /// How long a ban that has ended is remembered, so that the next one is longer.
        ban_memory: Duration = 30 * DAY, Duration::ZERO..=MAX_BAN;

        /// An address from which somebody logged in within this time is not banned: behind it may be the device of
        /// its owner beside another with an old password.
        login_grace: Duration = DAY, Duration::from_secs(60)..=365 * DAY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_spared() {
        let allow = Limits::default().allow;
        for address in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(
                Network::any_contains(&allow, address.parse().unwrap()),
                "{address}"
            );
        }
        assert!(!Network::any_contains(&allow, "192.0.2.1".parse().unwrap()));
    }
}
