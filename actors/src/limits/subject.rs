//! Who is counted: how an address, its network, an account, a sender domain and a listener become the key of a table.

use std::net::IpAddr;

use message::{address::DomainName, id::AccountId};

use super::table::Key;

/// Bits in front of an IPv4 address that is written as one of IPv6. RFC 4291 §2.5.5.2
const MAPPED_BITS: u32 = 96;

/// An address; one of IPv4 is the same whether the socket shows it mapped or not.
pub(super) fn address(peer: IpAddr) -> Key {
    bits(peer).to_be_bytes()
}

/// The network of an address, for networks of these sizes.
pub(super) fn network(peer: IpAddr, ipv4: u32, ipv6: u32) -> Key {
    let prefix = match peer.to_canonical() {
        IpAddr::V4(_) => MAPPED_BITS + ipv4.min(32),
        IpAddr::V6(_) => ipv6.min(128),
    };
    let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or_default();
    (bits(peer) & mask).to_be_bytes()
}

/// An account.
pub(super) fn account(account: AccountId) -> Key {
    account.id().to_bytes()
}

/// A sender domain. Who writes domains cannot make two of them meet: the key is a part of a BLAKE3 hash.
pub(super) fn domain(domain: &DomainName) -> Key {
    hashed(domain.as_str())
}

/// A listener.
pub(super) fn listener(name: &str) -> Key {
    hashed(name)
}

fn hashed(text: &str) -> Key {
    let mut key = Key::default();
    key.iter_mut()
        .zip(blake3::hash(text.as_bytes()).as_bytes())
        .for_each(|(octet, hashed)| *octet = *hashed);
    key
}

fn bits(peer: IpAddr) -> u128 {
    match peer {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_meet_in_their_network_and_mapped_ones_in_themselves() {
        assert_eq!(address(ip("192.0.2.7")), address(ip("::ffff:192.0.2.7")));
        for (a, b, meet) in [
            ("192.0.2.7", "192.0.2.200", true),
            ("192.0.2.7", "::ffff:192.0.2.200", true),
            ("192.0.2.7", "192.0.3.7", false),
            ("2001:db8::1", "2001:db8::ffff:0:0:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let same = network(ip(a), 24, 64) == network(ip(b), 24, 64);
            assert_eq!(same, meet, "{a} {b}");
        }
        assert_eq!(network(ip("192.0.2.7"), 32, 128), address(ip("192.0.2.7")));
        assert_eq!(network(ip("2001:db8::1"), 24, 0), Key::default());
    }
}
