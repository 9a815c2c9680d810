//! Stream: the socket, in clear or under TLS.

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{LazyConfigAcceptor, rustls::server::Acceptor, server::TlsStream};

use super::{Handshake, join};
use crate::tls::{Choice, Offer};

/// The most that one read takes. One buffer per thread serves all its connections, so that an idle one has none.
const READ_OCTETS: usize = 64 << 10;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_OCTETS]);
}

pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    /// A handshake failed: there is nothing to speak to any more.
    Closed,
}

impl Stream {
    /// The unread input together with what the peer sent; `None` at the end of its sending.
    pub(super) async fn read(&mut self, unread: &Bytes) -> io::Result<Option<Bytes>> {
        poll_fn(|context| SCRATCH.with_borrow_mut(|scratch| self.poll_read(context, scratch, unread))).await
    }

    fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        scratch: &mut [u8],
        unread: &Bytes,
    ) -> Poll<io::Result<Option<Bytes>>> {
        let mut buffer = ReadBuf::new(scratch);
        ready!(match self {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, &mut buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, &mut buffer),
            Self::Closed => Poll::Ready(Ok(())),
        })?;
        let arrived = buffer.filled();
        Poll::Ready(Ok((!arrived.is_empty()).then(|| join(unread, arrived))))
    }

    /// Writes some of the slices and says how many octets that were.
    pub(super) async fn write(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        let written = poll_fn(|context| match self {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(context, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Closed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        })
        .await?;
        if written == 0 {
            Err(io::ErrorKind::WriteZero.into())
        } else {
            Ok(written)
        }
    }

    pub(super) async fn flush(&mut self) -> io::Result<()> {
        match self {
            // A socket has no buffer of its own.
            Self::Plain(_) | Self::Closed => Ok(()),
            Self::Tls(stream) => stream.flush().await,
        }
    }

    /// The server's half of a handshake, once.
    pub(super) async fn secure(&mut self, offer: &Offer) -> io::Result<Handshake> {
        let Self::Plain(socket) = std::mem::replace(self, Self::Closed) else {
            return Err(io::Error::other("the connection is not in clear"));
        };
        let start = LazyConfigAcceptor::new(Acceptor::default(), socket).await?;
        let Some(Choice { certificate, config }) = offer.choose(&start.client_hello()) else {
            return Err(io::Error::other("there is no certificate"));
        };
        let stream = start.into_stream(config).await?;
        let handshake = Handshake::of(stream.get_ref().1, &certificate);
        *self = Self::Tls(Box::new(stream));
        Ok(handshake)
    }

    /// Says that nothing more will come.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.shutdown().await,
            Self::Tls(stream) => stream.shutdown().await,
            Self::Closed => Ok(()),
        }
    }
}
