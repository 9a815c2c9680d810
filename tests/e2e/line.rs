//! Line: a client's end of a connection, for SMTP and POP3 alike. It knows lines and texts and leaves sense to the story.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A server that says nothing for so long has hung.
const DEADLINE: Duration = Duration::from_secs(60);

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to a server.
pub(crate) struct Line {
    stream: Box<dyn Duplex>,
    unread: Vec<u8>,
}

impl Line {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        let socket = timeout(DEADLINE, TcpStream::connect(address))
            .await
            .expect("no connection")
            .expect("a connection");
        socket.set_nodelay(true).unwrap();
        Self {
            stream: Box::new(socket),
            unread: Vec::new(),
        }
    }

    /// A connection from another address of this machine; everything in 127.0.0.0/8 is one.
    pub(crate) async fn from(source: &str, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(source.parse().unwrap(), 0)).unwrap();
        let socket = timeout(DEADLINE, socket.connect(address))
            .await
            .expect("no connection")
            .expect("a connection");
        socket.set_nodelay(true).unwrap();
        Self {
            stream: Box::new(socket),
            unread: Vec::new(),
        }
    }

    /// Sends octets as they are. A server that has hung up is found out when it is listened to.
    pub(crate) async fn send(&mut self, octets: impl AsRef<[u8]>) {
        let written = self.stream.write_all(octets.as_ref());
        drop(
            timeout(DEADLINE, written)
                .await
                .expect("the server does not read"),
        );
        drop(self.stream.flush().await);
    }

    /// The next line without its CRLF; `None` when the server has closed.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        while !self.unread.windows(2).any(|pair| pair == b"\r\n") {
            if !self.more().await {
                assert_eq!(self.unread.escape_ascii().to_string(), "", "a torn line");
                return None;
            }
        }
        let end = self.unread.windows(2).position(|pair| pair == b"\r\n")?;
        let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
        // A message may hold any octet; a reply holds none that this would change.
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    /// What the server has said meanwhile: a line, or `None` in it when it has closed; `None` when it has said nothing.
    pub(crate) async fn said(&mut self) -> Option<Option<String>> {
        timeout(Duration::from_millis(1), self.hear()).await.ok()
    }

    /// The next reply of SMTP, or the next line of POP3: the last of its lines.
    pub(crate) async fn reply(&mut self) -> String {
        loop {
            let line = self.hear().await.expect("the server has hung up");
            let is_continued = line.as_bytes().get(3) == Some(&b'-') && line.as_bytes()[0].is_ascii_digit();
            if !is_continued {
                return line;
            }
        }
    }

    /// Says a line and gives the reply.
    pub(crate) async fn say(&mut self, line: &str) -> String {
        self.send(format!("{line}\r\n")).await;
        self.reply().await
    }

    /// Says a line and wants a reply that begins so.
    pub(crate) async fn ask(&mut self, line: &str, expected: &str) -> String {
        let reply = self.say(line).await;
        assert!(
            reply.starts_with(expected),
            "to {line:?} it said {reply:?}, not {expected:?}"
        );
        reply
    }

    /// Wants a reply that begins so.
    pub(crate) async fn expect(&mut self, expected: &str) -> String {
        let reply = self.reply().await;
        assert!(reply.starts_with(expected), "it said {reply:?}, not {expected:?}");
        reply
    }

    /// The text behind a reply, up to the dot that ends it, without the dots put in. RFC 1939 §3
    pub(crate) async fn text(&mut self) -> Vec<u8> {
        let mut from = 0;
        loop {
            let end = if self.unread.starts_with(b".\r\n") {
                Some(0)
            } else {
                let found = self.unread[from..]
                    .windows(5)
                    .position(|five| five == b"\r\n.\r\n");
                found.map(|at| from + at + 2)
            };
            if let Some(end) = end {
                let rest = self.unread.split_off(end + 3);
                let mut text = std::mem::replace(&mut self.unread, rest);
                text.truncate(end);
                return unstuffed(&text);
            }
            from = self.unread.len().saturating_sub(4);
            assert!(self.more().await, "the text has no end");
        }
    }

    /// Wants that the server has nothing more to say and closes.
    pub(crate) async fn closes(&mut self) {
        let said = self.hear().await;
        assert_eq!(said, None, "it said more");
    }

    /// A message from an address to others of this server, and the reply to its end. The text is sent as it is, and
    /// needs no dots put in.
    pub(crate) async fn deliver(&mut self, from: &str, to: &[&str], text: &str) -> String {
        self.ask(&format!("MAIL FROM:<{from}>"), "250 2.1.0").await;
        for recipient in to {
            self.ask(&format!("RCPT TO:<{recipient}>"), "250 2.1.5").await;
        }
        self.ask("DATA", "354").await;
        self.send(format!("{text}.\r\n")).await;
        self.reply().await
    }

    /// The client's half of a TLS handshake with a server whose certificate is in this file.
    pub(crate) async fn secure(self, certificate: &Path, name: &str) -> Self {
        let secured = self.secure_with(Arc::new(trusting(certificate)), name).await;
        secured.expect("a handshake")
    }

    /// The client's half of a TLS handshake, which may fail; that the server takes ours too is known only once it has
    /// said something.
    pub(crate) async fn secure_with(self, config: Arc<ClientConfig>, name: &str) -> std::io::Result<Self> {
        assert_eq!(self.unread, b"", "said in clear and not heard");
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let handshake = TlsConnector::from(config).connect(name, self.stream);
        let stream = timeout(DEADLINE, handshake).await.expect("no handshake")?;
        Ok(Self {
            stream: Box::new(stream),
            unread: Vec::new(),
        })
    }

    /// Wants that the server closes, in whatever words.
    pub(crate) async fn ends(&mut self) {
        while self.more().await {}
    }

    async fn more(&mut self) -> bool {
        let mut piece = vec![0; 64 << 10];
        let read = timeout(DEADLINE, self.stream.read(&mut piece))
            .await
            .expect("the server says nothing");
        // A reset is an end, too: what had arrived before it has been read.
        let octets = read.unwrap_or(0);
        self.unread.extend_from_slice(&piece[..octets]);
        octets > 0
    }
}

/// A client that trusts the certificate in this file.
pub(crate) fn trusting(certificate: &Path) -> ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(certificate).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn unstuffed(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|octet| *octet == b'\n') {
        plain.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    plain
}
