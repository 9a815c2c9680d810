//! Wire: a connection read line by line, in clear or under TLS. Nothing on it waits for ever.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use super::tls::Trust;

/// The longest wait for the server: it covers a restart of everything and a sync on a slow disk.
const LIMIT: Duration = Duration::from_secs(30);

/// The longest line a server of ours sends: text of RFC 5322 has at most 998 octets.
const MAX_LINE: usize = 16 << 10;

/// The most that one read takes.
const READ: usize = 16 << 10;

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection to the server.
pub(crate) struct Wire {
    stream: Stream,
    local: SocketAddr,
    read: Vec<u8>,
    taken: usize,
}

impl Wire {
    pub(crate) async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let socket = timeout(LIMIT, TcpStream::connect(to)).await??;
        socket.set_nodelay(true)?;
        Ok(Self {
            local: socket.local_addr()?,
            stream: Stream::Plain(socket),
            read: Vec::new(),
            taken: 0,
        })
    }

    /// This end, by which the server knows us.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Goes on under TLS; what was read in clear must have been taken.
    pub(crate) async fn secure(self, trust: &Trust) -> anyhow::Result<Self> {
        ensure!(
            self.taken == self.read.len(),
            "the server spoke before the handshake"
        );
        let Stream::Plain(socket) = self.stream else {
            bail!("the connection is not in clear");
        };
        let connect = trust.connector.connect(trust.name.clone(), socket);
        let stream = timeout(LIMIT, connect).await?.context("no TLS")?;
        Ok(Self {
            stream: Stream::Tls(Box::new(stream)),
            ..self
        })
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) -> anyhow::Result<()> {
        let written = async {
            match &mut self.stream {
                Stream::Plain(socket) => socket.write_all(octets).await,
                Stream::Tls(stream) => {
                    stream.write_all(octets).await?;
                    stream.flush().await
                }
            }
        };
        Ok(timeout(LIMIT, written).await??)
    }

    /// What was read and not taken.
    pub(crate) fn unread(&self) -> &[u8] {
        self.read.get(self.taken..).unwrap_or_default()
    }

    /// Takes so many octets of what was read.
    pub(crate) fn take(&mut self, octets: usize) {
        self.taken = (self.taken + octets).min(self.read.len());
    }

    /// Reads more.
    pub(crate) async fn more(&mut self) -> anyhow::Result<()> {
        ensure!(self.fill().await? > 0, "the server closed the connection");
        Ok(())
    }

    /// The next line without its CRLF.
    pub(crate) async fn line(&mut self) -> anyhow::Result<Vec<u8>> {
        loop {
            let rest = self.unread();
            if let Some(end) = rest.iter().position(|octet| *octet == b'\n') {
                let line = rest.get(..end).unwrap_or_default();
                let line = line
                    .strip_suffix(b"\r")
                    .context("a line ends in a bare LF")?
                    .to_vec();
                self.taken += end + 1;
                return Ok(line);
            }
            ensure!(rest.len() < MAX_LINE, "a line without an end");
            self.more().await?;
        }
    }

    /// Waits for the server to close; anything it says before is an error.
    pub(crate) async fn end(&mut self) -> anyhow::Result<()> {
        if self.taken == self.read.len() && self.fill().await? == 0 {
            return Ok(());
        }
        let rest = self.unread();
        bail!("the server had more to say: {:?}", String::from_utf8_lossy(rest))
    }

    async fn fill(&mut self) -> anyhow::Result<usize> {
        self.read.drain(..self.taken);
        self.taken = 0;
        self.read.reserve(READ);
        let read = async {
            match &mut self.stream {
                Stream::Plain(socket) => socket.read_buf(&mut self.read).await,
                Stream::Tls(stream) => stream.read_buf(&mut self.read).await,
            }
        };
        timeout(LIMIT, read)
            .await
            .context("the server says nothing")?
            .context("the connection broke")
    }
}
