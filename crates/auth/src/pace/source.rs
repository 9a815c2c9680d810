//! Source: where an attempt comes from, as far as it can be told apart.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that one customer has to himself: more are no more addresses, but more of the same.
const ONE_IPV6: u32 = 64;
/// Bits of an IPv6 address that a site has.
const NETWORK_IPV6: u32 = 48;
/// Bits of an IPv4 address that are looked at together.
const NETWORK_IPV4: u32 = 24;

/// An address, or the network around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// One IPv4 address, or a /64 of IPv6.
    Address(Ipv6Addr),
    /// A /24 of IPv4, or a /48 of IPv6.
    Network(Ipv6Addr),
}

impl Source {
    /// The address of a peer.
    #[must_use]
    pub fn address(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(address) => Self::Address(address.to_ipv6_mapped()),
            IpAddr::V6(address) => Self::Address(first(address, ONE_IPV6)),
        }
    }

    /// The network of a peer.
    #[must_use]
    pub fn network(peer: IpAddr) -> Self {
        match peer.to_canonical() {
            IpAddr::V4(address) => {
                let mapped = address.to_ipv6_mapped();
                Self::Network(first(mapped, u128::BITS - u32::BITS + NETWORK_IPV4))
            }
            IpAddr::V6(address) => Self::Network(first(address, NETWORK_IPV6)),
        }
    }
}

fn first(address: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0);
    Ipv6Addr::from_bits(address.to_bits() & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        let check = |one: &str, other: &str, same_address: bool, same_network: bool| {
            let (one, other) = (at(one), at(other));
            assert_eq!(
                Source::address(one) == Source::address(other),
                same_address,
                "{one} {other}"
            );
            assert_eq!(
                Source::network(one) == Source::network(other),
                same_network,
                "{one} {other}"
            );
        };
        check("192.0.2.1", "192.0.2.1", true, true);
        check("192.0.2.1", "::ffff:192.0.2.1", true, true);
        check("192.0.2.1", "192.0.2.200", false, true);
        check("192.0.2.1", "192.0.3.1", false, false);
        check("2001:db8::1", "2001:db8::2:0:0:1", true, true);
        check("2001:db8::1", "2001:db8:0:1::1", false, true);
        check("2001:db8::1", "2001:db8:1::1", false, false);
        check("::1", "127.0.0.1", false, false);
    }
}
