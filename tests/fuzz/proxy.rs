//! The header of a proxy, in lines and in blocks: it is whole at one octet and stays so, no more than is allowed is waited for,
//! and nobody becomes a peer whom only this machine could be.

use std::net::SocketAddr;

use actors::listener::proxy::{MAX_HEADER, header};

use crate::corpus::{Cuts, fuzz};

/// Two proxies: on another machine, and on this one.
const PROXIES: [&str; 2] = ["192.0.2.99:4711", "127.0.0.1:4711"];

#[test]
fn proxy() {
    fuzz("proxy", |octets, cuts| {
        for proxy in PROXIES {
            let proxy: SocketAddr = proxy.parse().expect("an address");
            let whole = arriving(octets, &Cuts::octets(), proxy);
            assert_eq!(arriving(octets, cuts, proxy), whole);
            let Some(Ok((peer, length))) = whole else {
                continue;
            };
            assert!(length <= octets.len() && length <= MAX_HEADER, "{length} octets");
            // What comes behind it is no part of it.
            let alone = header(&octets[..length], proxy);
            assert_eq!(alone.expect("a header"), Some((peer, length)));
            check(peer, proxy);
        }
    });
}

fn check(peer: SocketAddr, proxy: SocketAddr) {
    let address = peer.ip();
    assert_eq!(
        address,
        address.to_canonical(),
        "another form of an address of IPv4"
    );
    assert!(!address.is_unspecified(), "nobody's address");
    assert!(
        !address.is_loopback() || proxy.ip().is_loopback(),
        "the loopback of another machine"
    );
}

/// The first that is made of octets as they arrive: for whom, with the length, or that it is none; nothing if it is never whole.
fn arriving(octets: &[u8], cuts: &Cuts, proxy: SocketAddr) -> Option<Result<(SocketAddr, usize), ()>> {
    let mut length = 0;
    for piece in cuts.of(octets) {
        length += piece.len();
        match header(&octets[..length], proxy) {
            Ok(Some(found)) => return Some(Ok(found)),
            Ok(None) => assert!(length < MAX_HEADER, "{length} octets, and more is waited for"),
            Err(_) => return Some(Err(())),
        }
    }
    None
}
