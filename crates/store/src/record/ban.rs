//! Records of bans: networks that are sent away.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use message::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::Record;

/// A network that is sent away, and until when. One that has lapsed is kept for a while: the next lasts longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Since when.
    pub since: Timestamp,
    /// Until when; without it until somebody takes it back.
    pub until: Option<Timestamp>,
    /// Why, for people; at most [`MAX_REASON_OCTETS`].
    pub reason: String,
    /// Whose ban it is.
    pub origin: Origin,
    /// How many automatic bans it is in a row, this one with them; 0 for an operator's.
    pub count: u32,
}

/// Who banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// A person.
    Operator,
    /// The server, for offences.
    Automatic,
}

/// Octets of the reason of a ban.
pub const MAX_REASON_OCTETS: usize = 256;

impl Ban {
    /// Whether it holds at a time.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

impl Record for Ban {
    const NAME: &'static str = "ban";
    const VERSION: u8 = 1;
}

/// Addresses that share their first bits, as a ban names them: `192.0.2.0/24`, or one address.
///
/// Held as one of IPv6: an IPv4 address is the same whether it was mapped (RFC 4291 §2.5.5.2) or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    bits: u128,
    /// 0 to 128; of IPv4 at least [`MAPPED_BITS`].
    prefix: u8,
}

/// Bits in front of an IPv4 address that is written as one of IPv6.
const MAPPED_BITS: u8 = 96;

impl Network {
    /// The network of an address whose members share so many bits, counted as its family counts; more bits than an
    /// address has are all of them.
    #[must_use]
    pub fn of(address: IpAddr, prefix: u8) -> Self {
        let address = address.to_canonical();
        let (address, prefix) = match address {
            IpAddr::V4(v4) => (v4.to_ipv6_mapped(), MAPPED_BITS + prefix.min(32)),
            IpAddr::V6(v6) => (v6, prefix.min(128)),
        };
        Self::masked(address.to_bits(), prefix)
    }

    /// One address.
    #[must_use]
    pub fn one(address: IpAddr) -> Self {
        Self::of(address, u8::MAX)
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::around(address, self.prefix) == Some(*self)
    }

    /// The network around an address whose members share so many bits, as [`Network::shared_bits`] counts them; none
    /// that has addresses of both families.
    #[must_use]
    pub fn around(address: IpAddr, shared_bits: u8) -> Option<Self> {
        let is_of_one_family = shared_bits >= MAPPED_BITS || address.to_canonical().is_ipv6();
        is_of_one_family.then(|| Self::masked(Self::one(address).bits, shared_bits.min(128)))
    }

    /// Its first address.
    #[must_use]
    pub fn first(&self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.bits)).to_canonical()
    }

    /// Bits shared by its members, counted in IPv6.
    #[must_use]
    pub const fn shared_bits(&self) -> u8 {
        self.prefix
    }

    /// The address as octets, and the shared bits: what its key is made of.
    pub(crate) const fn parts(&self) -> ([u8; 16], u8) {
        (self.bits.to_be_bytes(), self.prefix)
    }

    /// The network of such parts, unless none has them.
    pub(crate) fn from_parts(octets: [u8; 16], prefix: u8) -> Option<Self> {
        let bits = u128::from_be_bytes(octets);
        let network = (prefix <= 128).then(|| Self::masked(bits, prefix))?;
        (network.bits == bits).then_some(network)
    }

    const fn masked(bits: u128, prefix: u8) -> Self {
        let mask = match 128_u8.checked_sub(prefix) {
            Some(128) => 0,
            Some(rest) => u128::MAX << rest,
            None => u128::MAX,
        };
        Self {
            bits: bits & mask,
            prefix,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.bits);
        let mapped = self.prefix.checked_sub(MAPPED_BITS).zip(address.to_ipv4_mapped());
        match mapped {
            Some((32, v4)) => write!(f, "{v4}"),
            Some((prefix, v4)) => write!(f, "{v4}/{prefix}"),
            None if self.prefix == 128 => write!(f, "{address}"),
            None => write!(f, "{address}/{}", self.prefix),
        }
    }
}

/// What is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address or a network such as 192.0.2.0/24")]
pub struct NotANetwork;

impl FromStr for Network {
    type Err = NotANetwork;

    /// An address, or one with `/` and its prefix, without bits behind it: of `192.0.2.7/24` nobody knows whether the
    /// host or its network is meant.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.bytes().all(|octet| octet.is_ascii_digit()) => {
                (address, Some(prefix.parse().map_err(|_| NotANetwork)?))
            }
            Some(_) => return Err(NotANetwork),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let Some(prefix) = prefix else {
            return Ok(Self::one(address));
        };
        // Of a mapped address the prefix is counted as it is written: in IPv6.
        let network = match address {
            IpAddr::V4(_) => Self::of(address, prefix),
            IpAddr::V6(v6) => Self::masked(v6.to_bits(), prefix),
        };
        (prefix <= bits && network.bits == Self::one(address).bits)
            .then_some(network)
            .ok_or(NotANetwork)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn networks_are_read_and_written() {
        for (text, printed) in [
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.7/32", Some("192.0.2.7")),
            ("192.0.2.0/24", Some("192.0.2.0/24")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("::ffff:192.0.2.0/120", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("2001:db8::/64", Some("2001:db8::/64")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::/0", Some("::/0")),
            ("192.0.2.7/24", None),
            ("192.0.2.0/33", None),
            ("192.0.2.0/+4", None),
            ("192.0.2.0/", None),
            ("2001:db8::1/64", None),
            ("::/129", None),
            ("::/999", None),
            ("example.org", None),
            ("", None),
        ] {
            let network = text.parse::<Network>().ok();
            assert_eq!(network.map(|it| it.to_string()).as_deref(), printed, "{text}");
        }
    }

    #[test]
    fn an_address_is_in_its_network_also_when_it_is_mapped() {
        let contains = |network: &str, address: &str| {
            network
                .parse::<Network>()
                .unwrap()
                .contains(address.parse().unwrap())
        };
        assert!(contains("192.0.2.0/24", "192.0.2.9"));
        assert!(contains("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(!contains("192.0.2.0/24", "192.0.3.9"));
        assert!(contains("2001:db8::/64", "2001:db8::9"));
        assert!(!contains("2001:db8::/64", "2001:db8:0:1::9"));
        assert!(contains("0.0.0.0/0", "192.0.2.9"));
        assert!(!contains("0.0.0.0/0", "2001:db8::9"));
        assert!(!contains("::/0", "192.0.2.9"));
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(address: IpAddr, prefix: u8) {
            let network = Network::of(address, prefix);
            prop_assert_eq!(network.to_string().parse(), Ok(network));
            let (octets, bits) = network.parts();
            prop_assert_eq!(Network::from_parts(octets, bits), Some(network));
            prop_assert!(network.contains(address));
            prop_assert_eq!(Network::around(address, bits), Some(network));
        }

        #[test]
        fn any_text_is_answered(text in "[0-9a-f:./]{0,50}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse(), Ok(network));
            }
        }
    }
}
