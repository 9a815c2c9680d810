//! The PROXY protocol: the line or block with which a proxy says for whom it connects, before anything else.
//!
//! Versions 1 and 2 of HAProxy's `proxy-protocol.txt`. It is believed from networks that the operator names, and from
//! nobody else: an address is what limits, log-ins in clear and trust hang on.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use config::Network;
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What a header of version 2 begins with. §2.2
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What one of version 1 begins with. §2.1
const WORD: &[u8; 6] = b"PROXY ";

/// The longest line of version 1, with its CRLF. §2.1
const MAX_LINE: usize = 107;

/// The most that may follow the fixed part of version 2: addresses, and what proxies say besides (certificates, names),
/// which we do not read. The protocol would allow 64 KiB; §2.2 asks for 536 octets in all.
const MAX_BLOCK: usize = 4096;

/// Signature, version and command, family, length. §2.2
const FIXED: usize = 16;

/// The longest header of either version.
pub const MAX_HEADER: usize = FIXED + MAX_BLOCK;

/// How long a proxy may take to send its header: it has it before it connects.
const HEADER_LIMIT: Duration = Duration::from_secs(5);

/// Connections of one listener that may wait for their header at once; they have no seat yet.
const MAX_WAITING: usize = 1024;

/// The proxies of a listener.
#[derive(Clone, Debug)]
pub struct Proxies {
    networks: Arc<[Network]>,
    waiting: Arc<Semaphore>,
}

impl Proxies {
    /// Those in these networks.
    #[must_use]
    pub fn in_networks(networks: &[Network]) -> Self {
        Self {
            networks: networks.into(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }

    /// Whether somebody is one of them, and must say for whom it connects.
    pub(super) fn has(&self, peer: IpAddr) -> bool {
        Network::any_contains(&self.networks, peer)
    }

    /// A place to wait for a header.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, ProxyError> {
        Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| ProxyError::Crowded)
    }
}

/// Why a connection of a proxy was closed.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// Too many wait already.
    #[error("too many connections wait for their header")]
    Crowded,
    /// Its header did not come in time.
    #[error("the header did not come in time")]
    Slow,
    /// What it sent is not a header.
    #[error("{0}")]
    Malformed(&'static str),
    /// It went or broke before its header was whole.
    #[error("the header was cut short: {0}")]
    Cut(#[from] io::Error),
}

/// Whether somebody from whom no header is taken begins with one of version 2. Version 1 reads as a command, and is
/// refused as one.
pub(crate) fn is_signature(input: &[u8]) -> bool {
    input.starts_with(SIGNATURE)
}

/// Takes the header off a connection, and nothing behind it. The peer for whom it was opened; the proxy itself where it
/// speaks for nobody (`LOCAL`, `UNKNOWN`), to see whether we are up.
pub(super) async fn peer(socket: &mut TcpStream, proxy: SocketAddr) -> Result<SocketAddr, ProxyError> {
    let read = timeout(HEADER_LIMIT, read(socket, proxy));
    read.await.map_err(|_| ProxyError::Slow)?
}

async fn read(socket: &mut TcpStream, proxy: SocketAddr) -> Result<SocketAddr, ProxyError> {
    let mut octets = Vec::new();
    let mut seen = [0; MAX_LINE + 1];
    loop {
        let length = socket.peek(&mut seen).await?;
        let seen = seen.get(..length).unwrap_or_default();
        if seen.is_empty() {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let before = octets.len();
        octets.extend_from_slice(seen);
        let found = header(&octets, proxy)?;
        if let Some((_, length)) = found {
            octets.truncate(length);
        }
        // All of it belongs to the header, so this can be taken off before more is waited for.
        let own = octets.get_mut(before..).unwrap_or_default();
        socket.read_exact(own).await?;
        if let Some((peer, _)) = found {
            return Ok(peer);
        }
    }
}

/// The peer for whom a header at the beginning of `input` says that the connection was opened, and how many octets the header
/// has; nothing as long as it is not whole.
///
/// # Errors
/// [`ProxyError::Malformed`]: whatever follows, it is none.
pub fn header(input: &[u8], proxy: SocketAddr) -> Result<Option<(SocketAddr, usize)>, ProxyError> {
    match Header::find(input)? {
        Found::Part => Ok(None),
        Found::Whole(header, length) => Ok(Some((header.peer(proxy)?, length))),
    }
}

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    /// It speaks for itself, or does not say for whom.
    Itself,
    /// For whom.
    For(SocketAddr),
}

/// What of a header is there.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// Not all of it.
    Part,
    /// All, and how many octets it has.
    Whole(Header, usize),
}

impl Header {
    fn peer(self, proxy: SocketAddr) -> Result<SocketAddr, ProxyError> {
        let Self::For(peer) = self else {
            return Ok(proxy);
        };
        let address = peer.ip().to_canonical();
        // Another host's loopback is not ours: it has none of the trust that a peer on this machine has.
        if address.is_unspecified() || (address.is_loopback() && !proxy.ip().to_canonical().is_loopback()) {
            return Err(ProxyError::Malformed(
                "an address that is not to be had from there",
            ));
        }
        Ok(SocketAddr::new(address, peer.port()))
    }

    fn find(input: &[u8]) -> Result<Found, ProxyError> {
        if begins(input, SIGNATURE) {
            return Self::find_block(input);
        }
        if begins(input, WORD) {
            return Self::find_line(input);
        }
        Err(ProxyError::Malformed("no header"))
    }

    /// Version 1: `PROXY TCP4 192.0.2.1 192.0.2.9 56324 25` and CRLF.
    fn find_line(input: &[u8]) -> Result<Found, ProxyError> {
        let line = input.get(..MAX_LINE).unwrap_or(input);
        let Some(end) = memchr::memchr(b'\n', line) else {
            return if line.len() < MAX_LINE {
                Ok(Found::Part)
            } else {
                Err(ProxyError::Malformed("a line without end"))
            };
        };
        let line = line.get(..end).and_then(|line| line.strip_suffix(b"\r"));
        let line = line.and_then(|line| std::str::from_utf8(line).ok());
        let header = line.and_then(read_line);
        let header = header.ok_or(ProxyError::Malformed("a line that names no address"))?;
        Ok(Found::Whole(header, end + 1))
    }

    /// Version 2: a fixed part of 16 octets, then as many as it says.
    fn find_block(input: &[u8]) -> Result<Found, ProxyError> {
        let Some(fixed) = input.first_chunk::<FIXED>() else {
            return Ok(Found::Part);
        };
        let [.., command, family, high, low] = *fixed;
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_BLOCK {
            return Err(ProxyError::Malformed("a block that is too long"));
        }
        let Some(block) = input.get(FIXED..FIXED + length) else {
            return Ok(Found::Part);
        };
        let header = match command {
            0x20 => Self::Itself,
            0x21 => {
                read_block(family, block).ok_or(ProxyError::Malformed("a block that names no address"))?
            }
            _ => return Err(ProxyError::Malformed("an unknown version or command")),
        };
        Ok(Found::Whole(header, FIXED + length))
    }
}

/// Whether the input begins so, as far as it goes.
fn begins(input: &[u8], with: &[u8]) -> bool {
    let length = input.len().min(with.len());
    length > 0 && input.get(..length) == with.get(..length)
}

fn read_line(line: &str) -> Option<Header> {
    let mut words = line.split(' ');
    let mut next = || words.next();
    if next()? != "PROXY" {
        return None;
    }
    let family = next()?;
    if family == "UNKNOWN" {
        return Some(Header::Itself);
    }
    let (source, destination) = (next()?, next()?);
    let (source_port, destination_port) = (next()?, next()?);
    let source: IpAddr = match family {
        "TCP4" => {
            let _: Ipv4Addr = destination.parse().ok()?;
            source.parse::<Ipv4Addr>().ok()?.into()
        }
        "TCP6" => {
            let _: Ipv6Addr = destination.parse().ok()?;
            source.parse::<Ipv6Addr>().ok()?.into()
        }
        _ => return None,
    };
    port(destination_port)?;
    let header = Header::For(SocketAddr::new(source, port(source_port)?));
    next().is_none().then_some(header)
}

/// Decimal, without sign and leading zeros. §2.1
fn port(word: &str) -> Option<u16> {
    let is_plain =
        word == "0" || (!word.starts_with('0') && word.bytes().all(|octet| octet.is_ascii_digit()));
    word.parse().ok().filter(|_| is_plain)
}

/// The addresses of version 2; what follows them is not read. §2.2
fn read_block(family: u8, block: &[u8]) -> Option<Header> {
    match family {
        // AF_INET and AF_INET6, SOCK_STREAM.
        0x11 => {
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *block.first_chunk()?;
            let port = u16::from_be_bytes([high, low]);
            Some(Header::For((Ipv4Addr::new(a, b, c, d), port).into()))
        }
        0x21 => {
            let source: [u8; 16] = *block.first_chunk()?;
            let [high, low, _, _] = *block.get(32..)?.first_chunk()?;
            let port = u16::from_be_bytes([high, low]);
            Some(Header::For((Ipv6Addr::from(source), port).into()))
        }
        // AF_UNSPEC, and AF_UNIX over a stream: there is no address that could be ours.
        0x00 | 0x31 => Some(Header::Itself),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
