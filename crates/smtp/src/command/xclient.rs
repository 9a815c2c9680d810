//! XCLIENT: what a proxy tells of the client for whom it speaks. Postfix's XCLIENT_README is its specification.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::reply::{Reply, table};

/// What a proxy told. What it did not tell, or does not know, is not here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Xclient {
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The port from which it connected.
    pub port: Option<u16>,
    /// The name under which it has logged in at the proxy.
    pub login: Option<Box<str>>,
}

impl Xclient {
    /// The names that EHLO tells. Those without a field here are checked and otherwise of no use: the client says EHLO
    /// again, and its name is the resolver's to tell.
    pub(crate) const OFFER: &str = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

    /// Parses `NAME=value NAME=value`, each name at most once.
    pub(super) fn parse(argument: &[u8]) -> Result<Self, Reply> {
        let mut told = Self::default();
        let mut seen = 0_u16;
        for word in argument
            .split(|octet| *octet == b' ')
            .filter(|word| !word.is_empty())
        {
            let index = told.take(word).ok_or(table::BAD_ARGUMENT)?;
            if seen & (1 << index) != 0 {
                return Err(table::BAD_ARGUMENT);
            }
            seen |= 1 << index;
        }
        if seen == 0 {
            return Err(table::BAD_ARGUMENT);
        }
        Ok(told)
    }

    /// Takes one word, and says which it was.
    fn take(&mut self, word: &[u8]) -> Option<usize> {
        let at = memchr::memchr(b'=', word)?;
        let name = word.get(..at)?.to_ascii_uppercase();
        let value = decode(word.get(at + 1..)?)?;
        let index = NAMES.iter().position(|known| known.as_bytes() == name)?;
        let value = Some(&*value).filter(|value| !UNKNOWN.contains(value));
        match (NAMES.get(index).copied()?, value) {
            ("ADDR", Some(value)) => self.address = Some(address(value)?),
            ("PORT", Some(value)) => self.port = Some(port(value)?),
            ("LOGIN", Some(value)) => self.login = Some(value.into()),
            ("DESTADDR", Some(value)) => drop(address(value)?),
            ("DESTPORT", Some(value)) => drop(port(value)?),
            ("PROTO", Some("SMTP" | "ESMTP")) => {}
            ("PROTO", Some(_)) => return None,
            _ => {}
        }
        Some(index)
    }
}

const NAMES: [&str; 8] = [
    "ADDR", "PORT", "LOGIN", "NAME", "HELO", "PROTO", "DESTADDR", "DESTPORT",
];

/// What stands for a value that there is not, or not now.
const UNKNOWN: [&str; 2] = ["[UNAVAILABLE]", "[TEMPUNAVAIL]"];

/// Octets of the longest value: a name or a login.
const MAX_VALUE: usize = 255;

/// Undoes xtext (RFC 3461 §4). A value that holds anything but printable UTF-8 is none.
fn decode(text: &[u8]) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        octets.push(match first {
            b'+' => {
                let (high, low) = (digit(*rest.first()?)?, digit(*rest.get(1)?)?);
                rest = rest.get(2..)?;
                high * 16 + low
            }
            b'!'..=b'~' if *first != b'=' => *first,
            _ => return None,
        });
    }
    let value = String::from_utf8(octets).ok()?;
    let is_good = !value.is_empty() && value.len() <= MAX_VALUE && !value.chars().any(char::is_control);
    is_good.then_some(value)
}

/// xtext has capital digits only.
const fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

fn address(value: &str) -> Option<IpAddr> {
    match value.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPV6:") => {
            let address = value.get(5..)?.parse::<Ipv6Addr>().ok()?;
            Some(IpAddr::V6(address).to_canonical())
        }
        _ => value.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

fn port(value: &str) -> Option<u16> {
    value.parse().ok().filter(|port| *port > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_proxy_tells_is_read() {
        let check = |argument: &str, address: Option<&str>, port, login: Option<&str>| {
            let told = Xclient {
                address: address.map(|address| address.parse().unwrap()),
                port,
                login: login.map(Into::into),
            };
            assert_eq!(Xclient::parse(argument.as_bytes()), Ok(told), "{argument}");
        };
        check("ADDR=192.0.2.9", Some("192.0.2.9"), None, None);
        check(
            "addr=IPV6:2001:db8::9 PORT=4711",
            Some("2001:db8::9"),
            Some(4711),
            None,
        );
        check("ADDR=IPV6:::ffff:192.0.2.9", Some("192.0.2.9"), None, None);
        check(
            "NAME=spike.porcupine.org ADDR=168.100.189.2 LOGIN=alice+2Btag@example.org PROTO=ESMTP HELO=x",
            Some("168.100.189.2"),
            None,
            Some("alice+tag@example.org"),
        );
        check(
            "NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] LOGIN=[TEMPUNAVAIL] PORT=[UNAVAILABLE]",
            None,
            None,
            None,
        );
        check("DESTADDR=192.0.2.1 DESTPORT=25", None, None, None);
        check("LOGIN=j+C3+BCrgen", None, None, Some("j\u{fc}rgen"));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for argument in [
            "",
            "ADDR",
            "ADDR=",
            "ADDR=localhost",
            "ADDR=2001:db8::9",
            "ADDR=IPV6:192.0.2.9",
            "ADDR=192.0.2.9 ADDR=192.0.2.10",
            "ADDR=192.0.2.09",
            "PORT=0",
            "PORT=65536",
            "PROTO=LMTP",
            "COLOUR=red",
            "LOGIN=a+0D+0Ab",
            "LOGIN=a+0",
            "LOGIN=a+0a",
            "LOGIN=a=b",
            "LOGIN=+FF",
            "DESTPORT=x",
        ] {
            assert_eq!(
                Xclient::parse(argument.as_bytes()),
                Err(table::BAD_ARGUMENT),
                "{argument:?}"
            );
        }
        let long = format!("LOGIN={}", "x".repeat(256));
        assert_eq!(Xclient::parse(long.as_bytes()), Err(table::BAD_ARGUMENT));
    }

    proptest! {
        #[test]
        fn nothing_panics(argument in "([A-Z]{4,8}=[!-~]{0,12} ?){0,4}") {
            let _ = Xclient::parse(argument.as_bytes());
        }

        #[test]
        fn no_octets_panic(argument in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Xclient::parse(&argument);
        }
    }
}
