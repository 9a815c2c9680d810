//! A network as an operator writes it: `"192.0.2.0/24"`, `"2001:db8::/32"`, or one address, `"192.0.2.7"`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::found::Found;
use crate::setting::{Setting, quoted};

/// Bits that an IPv4 address has in front when it is written as one of IPv6 (RFC 4291 §2.5.5.2).
const MAPPED_BITS: u8 = 96;

/// Addresses that begin with the same bits. An IPv4 network and the same one mapped into IPv6 (`::ffff:192.0.2.0/120`)
/// are equal, for a dual socket shows IPv4 peers as mapped ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it; a mapped one is taken for the IPv4 address that it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// How many bits all its addresses share.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether an address is in one of these.
    #[must_use]
    pub fn any_contains(networks: &[Self], address: IpAddr) -> bool {
        let address = address.to_canonical();
        networks.iter().any(|network| network.0.contains(&address))
    }

    /// Reads a network whose address may have bits behind the prefix.
    fn read_loosely(text: &str) -> Option<IpNet> {
        let network = match text.split_once('/') {
            None => IpNet::from(text.parse::<IpAddr>().ok()?),
            // std's reading of an address, because it refuses 010.0.0.0, which is 8.0.0.0 to some.
            Some((address, prefix)) if prefix.bytes().all(|b| b.is_ascii_digit()) => {
                IpNet::new(address.parse().ok()?, prefix.parse().ok()?).ok()?
            }
            Some(_) => return None,
        };
        Some(match network {
            IpNet::V6(network) => unmapped(network).map_or(IpNet::V6(network), IpNet::V4),
            IpNet::V4(_) => network,
        })
    }
}

/// The IPv4 network that was mapped.
fn unmapped(network: Ipv6Net) -> Option<Ipv4Net> {
    let bits = network.prefix_len().checked_sub(MAPPED_BITS)?;
    Ipv4Net::new(network.addr().to_ipv4_mapped()?, bits).ok()
}

/// What is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network such as 192.0.2.0/24")]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    /// Reads an address, or an address with a prefix and no bits behind it: `192.0.2.7/24` may be the host or its
    /// network, and is refused.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        Self::read_loosely(text)
            .filter(|network| network.addr() == network.network())
            .map(Self)
            .ok_or(NotANetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return write!(f, "{}", self.0.addr());
        }
        write!(f, "{}", self.0)
    }
}

impl Setting for Network {
    const NOUN: &'static str = "a network";
    const EXAMPLE: &'static str = "\"192.0.2.0/24\" or \"2001:db8::/32\"";

    fn read(found: &Found) -> Option<Self> {
        found.text()?.parse().ok()
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }

    fn suggest(found: &Found) -> Option<String> {
        let network = Self::read_loosely(found.text()?)?;
        Some(quoted(network.trunc()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, printed: Option<&str>) {
        let network = text.parse::<Network>().ok();
        assert_eq!(network.map(|it| it.to_string()).as_deref(), printed, "{text}");
    }

    #[test]
    fn reads_networks_and_addresses() {
        check("192.0.2.0/24", Some("192.0.2.0/24"));
        check("192.0.2.7", Some("192.0.2.7"));
        check("192.0.2.7/32", Some("192.0.2.7"));
        check("0.0.0.0/0", Some("0.0.0.0/0"));
        check("2001:db8::/32", Some("2001:db8::/32"));
        check("::1", Some("::1"));
        check("::ffff:192.0.2.0/120", Some("192.0.2.0/24"));
        check("::ffff:192.0.2.7", Some("192.0.2.7"));
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "loopback",
            "192.0.2",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.7/24",
            "2001:db8::1/32",
            "::/129",
            "192.0.2.0/255.255.255.0",
            "192.0.2.0 /24",
            "010.0.0.0/8",
            "fe80::1%eth0",
        ] {
            check(text, None);
        }
        let suggest = |text: &str| Network::suggest(&Found::Text(text.to_owned()));
        assert_eq!(suggest("192.0.2.7/24").as_deref(), Some("\"192.0.2.0/24\""));
        assert_eq!(suggest("nonsense"), None);
    }

    #[test]
    fn a_mapped_address_is_the_one_it_maps() {
        let contains = |network: &str, address: &str| {
            network
                .parse::<Network>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(contains("192.0.2.0/24", "192.0.2.255"));
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(contains("::ffff:192.0.2.0/120", "192.0.2.1"));
        assert!(!contains("192.0.2.0/24", "192.0.3.0"));
        assert!(!contains("::/0", "192.0.2.1"));
        assert!(contains("::/0", "2001:db8::1"));
        let networks = ["192.0.2.0/24", "::1"].map(|text| text.parse().unwrap());
        assert!(Network::any_contains(&networks, "::1".parse().unwrap()));
        assert!(!Network::any_contains(&networks, "::2".parse().unwrap()));
        assert!(!Network::any_contains(&[], "::2".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(address: IpAddr, prefix in 0_u8..=128) {
            let prefix = if address.is_ipv4() { prefix % 33 } else { prefix };
            let network = IpNet::new(address, prefix).unwrap().trunc().to_string();
            let network = network.parse::<Network>().unwrap();
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9a-f:./%]{0,50}") {
            let network = text.parse::<Network>();
            prop_assert!(network.is_err() || Network::suggest(&Found::Text(text)).is_some());
        }
    }
}
