//! Headers as octets, and over a socket in pieces.

use proptest::prelude::*;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

use super::*;

fn block(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, rest].concat()
}

fn four() -> Vec<u8> {
    [&[192, 0, 2, 1, 192, 0, 2, 9][..], &[0xdc, 0x04, 0, 25]].concat()
}

fn six() -> Vec<u8> {
    let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    [
        &address("2001:db8::1")[..],
        &address("2001:db8::9"),
        &[0xdc, 0x04, 0, 25],
    ]
    .concat()
}

fn whole(header: &[u8]) -> Option<Option<String>> {
    match Header::find(header) {
        Ok(Found::Whole(Header::Itself, length)) if length == header.len() => Some(None),
        Ok(Found::Whole(Header::For(peer), length)) if length == header.len() => Some(Some(peer.to_string())),
        _ => None,
    }
}

#[test]
fn a_header_says_for_whom() {
    let peer = |peer: &str| Some(Some(peer.to_owned()));
    let long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(91));
    let with_more = [four(), vec![7; 500]].concat();
    for (header, expected) in [
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25\r\n".to_vec(),
            peer("192.0.2.1:56324"),
        ),
        (
            b"PROXY TCP6 2001:db8::1 2001:db8::9 56324 25\r\n".to_vec(),
            peer("[2001:db8::1]:56324"),
        ),
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.9 0 65535\r\n".to_vec(),
            peer("192.0.2.1:0"),
        ),
        (b"PROXY UNKNOWN\r\n".to_vec(), Some(None)),
        (long.into_bytes(), Some(None)),
        (block(0x21, 0x11, &four()), peer("192.0.2.1:56324")),
        (block(0x21, 0x11, &with_more), peer("192.0.2.1:56324")),
        (block(0x21, 0x21, &six()), peer("[2001:db8::1]:56324")),
        (block(0x20, 0x11, &four()), Some(None)),
        (block(0x20, 0x00, &[]), Some(None)),
        (block(0x21, 0x00, &[]), Some(None)),
        (block(0x21, 0x31, &[0; 216]), Some(None)),
    ] {
        assert_eq!(whole(&header), expected, "{}", header.escape_ascii());
        for length in 1..header.len() {
            assert_eq!(Header::find(&header[..length]).unwrap(), Found::Part, "{length}");
        }
        let behind = [&header[..], b"EHLO a\r\n"].concat();
        assert!(matches!(Header::find(&behind), Ok(Found::Whole(_, length)) if length == header.len()));
    }
}

#[test]
fn anything_else_is_malformed() {
    let too_long = format!("PROXY UNKNOWN {}\r\n", "f".repeat(92));
    let mut endless = block(0x21, 0x11, &four());
    endless[14..16].copy_from_slice(&u16::try_from(MAX_BLOCK + 1).unwrap().to_be_bytes());
    for header in [
        b"EHLO client.example\r\n".to_vec(),
        b"proxy TCP4 192.0.2.1 192.0.2.9 56324 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 56324\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25 1\r\n".to_vec(),
        b"PROXY TCP4  192.0.2.1 192.0.2.9 56324 25\r\n".to_vec(),
        b"PROXY TCP4 2001:db8::1 2001:db8::9 56324 25\r\n".to_vec(),
        b"PROXY TCP6 192.0.2.1 192.0.2.9 56324 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 056324 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 +5632 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 192.0.2.9 65536 25\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.256 192.0.2.9 1 25\r\n".to_vec(),
        b"PROXY UDP4 192.0.2.1 192.0.2.9 1 25\r\n".to_vec(),
        b"PROXY \r\n".to_vec(),
        b"PROXY TCP4 \xff\r\n".to_vec(),
        too_long.into_bytes(),
        endless,
        block(0x11, 0x11, &four()),
        block(0x22, 0x11, &four()),
        block(0x21, 0x12, &four()),
        block(0x21, 0x11, &four()[..11]),
        block(0x21, 0x21, &four()),
        block(0x21, 0x41, &four()),
    ] {
        assert!(Header::find(&header).is_err(), "{}", header.escape_ascii());
    }
    assert!(is_signature(&block(0x21, 0x11, &four())) && !is_signature(b"\r\n\r\nQUIT\r\n"));
}

#[test]
fn another_hosts_loopback_is_not_ours() {
    let peer = |peer: &str, proxy: &str| {
        let (peer, proxy) = (peer.parse().unwrap(), proxy.parse().unwrap());
        Header::For(peer).peer(proxy).ok().map(|peer| peer.to_string())
    };
    let far = "192.0.2.7:1";
    assert_eq!(peer("127.0.0.1:5", far), None);
    assert_eq!(peer("[::1]:5", far), None);
    assert_eq!(peer("[::ffff:127.0.0.1]:5", far), None);
    assert_eq!(peer("0.0.0.0:5", far), None);
    assert_eq!(peer("127.0.0.1:5", "127.0.0.1:1").as_deref(), Some("127.0.0.1:5"));
    assert_eq!(
        peer("[::ffff:198.51.100.1]:5", far).as_deref(),
        Some("198.51.100.1:5")
    );
}

/// What is read as the peer when a proxy writes these pieces, and what is left behind the header.
async fn sent(pieces: &[&[u8]]) -> (Result<SocketAddr, ProxyError>, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut proxy = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    proxy.set_nodelay(true).unwrap();
    let (mut socket, from) = listener.accept().await.unwrap();
    let writing = async {
        for piece in pieces {
            proxy.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        proxy.shutdown().await.unwrap();
    };
    let reading = async {
        let found = peer(&mut socket, from).await;
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).await.unwrap();
        (found, rest)
    };
    tokio::join!(writing, reading).1
}

#[tokio::test]
async fn a_header_is_taken_off_and_nothing_behind_it() {
    let line: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.9 56324 25\r\n";
    let large = block(0x21, 0x11, &[four(), vec![0x55; MAX_BLOCK - 12]].concat());
    let behind: &[u8] = b"\x16\x03\x01hello";
    for header in [line, &large] {
        let octets: Vec<&[u8]> = header.chunks(1).collect();
        for pieces in [
            vec![&[header, behind].concat()[..]],
            [octets, vec![behind]].concat(),
        ] {
            let (found, rest) = sent(&pieces).await;
            assert_eq!(found.unwrap().to_string(), "192.0.2.1:56324");
            assert_eq!(rest, behind);
        }
    }
    let (found, _) = sent(&[b"PROXY TCP4 192.0.2.1"]).await;
    assert!(matches!(found, Err(ProxyError::Cut(_))));
    let (found, _) = sent(&[b"EHLO client.example\r\n"]).await;
    assert!(matches!(found, Err(ProxyError::Malformed(_))));
}

proptest! {
    #[test]
    fn any_octets_are_answered(octets in proptest::collection::vec(any::<u8>(), 0..200), is_block: bool) {
        let start: &[u8] = if is_block { SIGNATURE } else { WORD };
        for input in [octets.clone(), [start, &octets].concat()] {
            if let Ok(Found::Whole(_, length)) = Header::find(&input) {
                prop_assert!(length <= input.len());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut socket, from) = listener.accept().await.unwrap();
    silent.write_all(b"PROXY TCP4 ").await.unwrap();
    let started = tokio::time::Instant::now();
    assert!(matches!(peer(&mut socket, from).await, Err(ProxyError::Slow)));
    assert!(started.elapsed() >= HEADER_LIMIT);
}

#[test]
fn few_wait_at_once() {
    let proxies = Proxies::in_networks(&["192.0.2.0/24".parse().unwrap()]);
    assert!(proxies.has("::ffff:192.0.2.7".parse().unwrap()) && !proxies.has("192.0.3.7".parse().unwrap()));
    let places: Vec<_> = (0..MAX_WAITING).map(|_| proxies.place().unwrap()).collect();
    assert!(matches!(proxies.place(), Err(ProxyError::Crowded)));
    drop(places);
    assert!(proxies.place().is_ok());
}
