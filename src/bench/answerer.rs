//! Answerer: the least that a server can be. It says yes to everything and keeps nothing, in this process, so that what a
//! load against it gives is what the generator can do at most on this machine.

use std::{io, net::SocketAddr};

use memchr::memmem;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// What one read takes.
const READ: usize = 64 << 10;

/// The message that its mailbox holds, as RETR answers it.
const STORED: &str = "+OK\r\nSubject: load\r\n\r\nThe road goes on.\r\n.\r\n";

/// Which protocol it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    /// SMTP.
    Smtp,
    /// POP3.
    Pop3,
}

/// An answerer; it ends when this is dropped.
pub struct Answerer {
    /// Where it listens.
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Answerer {
    /// Starts one on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(tongue: Tongue) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut sessions = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                while sessions.try_join_next().is_some() {}
                // A client that breaks off is no matter here.
                sessions.spawn(async move {
                    drop(match tongue {
                        Tongue::Smtp => smtp(socket).await,
                        Tongue::Pop3 => pop3(socket).await,
                    });
                });
            }
        });
        Ok(Self {
            address,
            task: task.abort_handle(),
        })
    }
}

impl Drop for Answerer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn smtp(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.write_all(b"220 answerer\r\n").await?;
    let (mut read, mut in_message) = (Vec::with_capacity(READ), false);
    loop {
        let mut answers = Vec::new();
        let mut taken = 0;
        let mut closes = false;
        loop {
            let rest = read.get(taken..).unwrap_or_default();
            if in_message {
                let Some(end) = memmem::find(rest, b"\r\n.\r\n") else {
                    break;
                };
                taken += end + 5;
                in_message = false;
                answers.extend_from_slice(b"250 2.0.0 taken\r\n");
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', rest) else {
                break;
            };
            let line = rest.get(..end).unwrap_or_default();
            taken += end + 1;
            let answer: &[u8] = match line.get(..4).unwrap_or(line) {
                b"DATA" => {
                    in_message = true;
                    b"354 go on\r\n"
                }
                b"QUIT" => {
                    closes = true;
                    b"221 2.0.0 bye\r\n"
                }
                b"AUTH" => b"235 2.7.0 yes\r\n",
                b"EHLO" => b"250-answerer\r\n250 PIPELINING\r\n",
                _ => b"250 2.0.0 yes\r\n",
            };
            answers.extend_from_slice(answer);
        }
        // The last octets of a message's line end may belong to its end.
        read.drain(..taken);
        if in_message && read.len() > READ {
            read.drain(..read.len() - 4);
        }
        socket.write_all(&answers).await?;
        if closes || socket.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
}

async fn pop3(mut socket: TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.write_all(b"+OK answerer\r\n").await?;
    let mut read = Vec::with_capacity(READ);
    loop {
        let mut answers = Vec::new();
        let mut taken = 0;
        let mut closes = false;
        while let Some(end) = memchr::memchr(b'\n', read.get(taken..).unwrap_or_default()) {
            let line = read.get(taken..taken + end).unwrap_or_default();
            let answer = match line.get(..4).unwrap_or(line) {
                b"STAT" => "+OK 1 40\r\n",
                b"RETR" => STORED,
                b"QUIT" => {
                    closes = true;
                    "+OK\r\n"
                }
                _ => "+OK\r\n",
            };
            answers.extend_from_slice(answer.as_bytes());
            taken += end + 1;
        }
        read.drain(..taken);
        socket.write_all(&answers).await?;
        if closes || read.len() > READ || socket.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
}
