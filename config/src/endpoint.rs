//! Endpoint: a host and a port that something is sent to. The host is an address or a name; what a name means is found out by
//! who sends, not here.

use std::fmt;
use std::net::SocketAddr;

use crate::found::Found;
use crate::setting::{Setting, quoted};

/// Longest name of a host, and of one of its labels. RFC 1035 §2.3.4
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Where something is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address.
    Address(SocketAddr),
    /// A name that has to be resolved.
    Name {
        /// The name of the host.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Endpoint {
    /// Takes a text that is an address or a name, and a port.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return (address.port() != 0).then_some(Self::Address(address));
        }
        let (host, port) = text.rsplit_once(':')?;
        let is_number = !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
        let port: u16 = port.parse().ok().filter(|port| is_number && *port != 0)?;
        is_name(host).then(|| Self::Name {
            host: host.to_owned(),
            port,
        })
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::Address(address)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

/// Whether a resolver could be asked for it. Networks of containers have names with underscores. A last label of digits is an
/// address that was written wrongly: resolvers read such names each in their own way.
fn is_name(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let mut octets = label.bytes();
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.starts_with('-')
            && !label.ends_with('-')
            && octets.all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= MAX_NAME && name.split('.').all(is_label) && !last.starts_with(|c: char| c.is_ascii_digit())
}

impl Setting for Endpoint {
    const NOUN: &'static str = "a host and a port";
    const EXAMPLE: &'static str = "\"127.0.0.1:8125\" or \"statsd.example.org:8125\"";

    fn read(found: &Found) -> Option<Self> {
        Self::new(found.text()?)
    }

    fn print(&self) -> Option<String> {
        Some(quoted(self))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_an_address_or_a_name_with_a_port() {
        let long = "a".repeat(MAX_LABEL);
        let longest = format!("{long}.{long}.{long}.{}", "a".repeat(61));
        for (text, is_one) in [
            ("127.0.0.1:8125", true),
            ("[::1]:8125", true),
            ("localhost:8125", true),
            ("statsd.example.org:8125", true),
            ("statsd.example.org.:8125", true),
            ("statsd_exporter:1", true),
            ("a-1.b:65535", true),
            (&*format!("{longest}:1"), true),
            (&*format!("{longest}a:1"), false),
            (&*format!("{long}a:1"), false),
            ("", false),
            (":8125", false),
            ("localhost", false),
            ("localhost:", false),
            ("localhost:0", false),
            ("127.0.0.1:0", false),
            ("localhost:65536", false),
            ("localhost:+1", false),
            ("localhost:http", false),
            ("127.0.0.1", false),
            ("127.0.0.256:8125", false),
            ("1:8125", false),
            ("10.1:8125", false),
            ("0x7f.1x:8125", false),
            ("::1:8125", false),
            ("[::1:8125", false),
            ("[statsd]:8125", false),
            ("a..b:1", false),
            (".a:1", false),
            ("..:1", false),
            ("-a:1", false),
            ("a-:1", false),
            ("a b:1", false),
            ("a\n:1", false),
            ("ä:1", false),
            ("user@host:1", false),
            ("http://host:1", false),
        ] {
            assert_eq!(Endpoint::new(text).is_some(), is_one, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(text in "(\\PC{0,20}|[a-z0-9._-]{1,12}:[0-9]{1,6}|\\[[0-9a-f:]{2,12}\\]:[0-9]{1,5})") {
            if let Some(endpoint) = Endpoint::new(&text) {
                prop_assert_eq!(Endpoint::new(&endpoint.to_string()), Some(endpoint));
            }
        }
    }
}
