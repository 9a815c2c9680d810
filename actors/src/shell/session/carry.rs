//! The I/O task of a session of the shell: it owns the socket, cuts lines, and writes what the session says.

use std::{io, sync::Arc, time::Duration};

use shell::{
    Exit,
    frame::{End, MAX_REQUEST, Request, Response},
};
use supervision::Address;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Notify, mpsc},
    time::timeout,
};

use super::{Ask, Msg};
use crate::shell::{output::Output, silence::Silence};

/// The longest silence of a client between two requests. The client that comes with this server connects for each.
pub const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// The longest that one block may wait for a client that does not read.
pub const WRITE_LIMIT: Duration = Duration::from_secs(30);

/// The longest that the last word to a client may take that gives way.
const FAREWELL_LIMIT: Duration = Duration::from_millis(200);

/// The longest that a session may take to begin: a restart of it is in that.
const BEGIN_LIMIT: Duration = Duration::from_secs(5);

/// Octets that are read at once.
const READ: usize = 4096;

/// Carries a connection until either side ends it.
pub(super) async fn carry(stream: UnixStream, session: Address<Msg>, closing: Arc<Notify>, silence: Silence) {
    let (reader, writer) = stream.into_split();
    let mut connection = Connection {
        input: Input {
            reader,
            unread: Vec::new(),
        },
        writer,
        session,
        silence,
    };
    tokio::select! {
        // A client that goes is an ordinary end.
        ended = connection.run() => drop(ended),
        () = closing.notified() => {}
    }
}

struct Connection {
    input: Input,
    writer: OwnedWriteHalf,
    session: Address<Msg>,
    silence: Silence,
}

struct Input {
    reader: OwnedReadHalf,
    /// What has come and was not asked yet.
    unread: Vec<u8>,
}

impl Connection {
    async fn run(&mut self) -> io::Result<()> {
        loop {
            let silent = self.silence.begin();
            let heard = tokio::select! {
                heard = timeout(IDLE_LIMIT, self.input.line()) => heard,
                () = silent.gives_way() => {
                    let why = "it was silent longest, and another session needs its place";
                    let end = End::refused("", Exit::FAILED, why);
                    // Nobody waits long for a client that has said nothing.
                    let farewell = Response::End(end);
                    let said = write(&mut self.writer, &farewell);
                    return timeout(FAREWELL_LIMIT, said).await.unwrap_or(Ok(()));
                }
            };
            drop(silent);
            let line = match heard {
                Ok(Ok(Some(line))) => line,
                Ok(Ok(None)) | Err(_) => return Ok(()),
                Ok(Err(why)) => return Err(why),
            };
            match Request::read(&line) {
                Ok(request) => self.ask(request).await?,
                Err(why) => {
                    let end = End::refused("", Exit::USAGE, why.to_string());
                    return write(&mut self.writer, &Response::End(end)).await;
                }
            }
        }
    }

    async fn ask(&mut self, request: Request) -> io::Result<()> {
        let (out, mut said) = Output::channel();
        let begin = |begun| Msg::Ask(Ask { request, out, begun });
        let begun = self.session.call(BEGIN_LIMIT, begin).await;
        if begun.is_err() && said.is_empty() {
            let end = End::refused("", Exit::FAILED, "the session of the shell cannot be had");
            return write(&mut self.writer, &Response::End(end)).await;
        }
        tokio::select! {
            told = tell(&mut said, &mut self.writer) => told,
            gone = self.input.gone() => Err(gone),
        }
    }
}

/// Writes what is said until the end of the answer.
async fn tell(said: &mut mpsc::Receiver<Response>, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    while let Some(response) = said.recv().await {
        write(writer, &response).await?;
        if matches!(response, Response::End(_)) {
            return Ok(());
        }
    }
    let end = End::refused(
        "",
        Exit::FAILED,
        "the session of the shell died: the answer is cut short",
    );
    write(writer, &Response::End(end)).await
}

async fn write(writer: &mut OwnedWriteHalf, response: &Response) -> io::Result<()> {
    let line = response.to_line();
    match timeout(WRITE_LIMIT, writer.write_all(line.as_bytes())).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

impl Input {
    /// The next line without its end; none when there is no more. A line that is too long comes as far as it was read.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut seen = 0;
        loop {
            let fresh = self.unread.get(seen..).unwrap_or_default();
            if let Some(end) = memchr::memchr(b'\n', fresh) {
                let mut line: Vec<u8> = self.unread.drain(..=seen + end).collect();
                line.pop();
                return Ok(Some(line));
            }
            seen = self.unread.len();
            if seen > MAX_REQUEST {
                return Ok(Some(std::mem::take(&mut self.unread)));
            }
            if !self.more().await? {
                return Ok(None);
            }
        }
    }

    async fn more(&mut self) -> io::Result<bool> {
        let mut octets = [0; READ];
        let count = self.reader.read(&mut octets).await?;
        self.unread
            .extend_from_slice(octets.get(..count).unwrap_or_default());
        Ok(count > 0)
    }

    /// Waits until the client has gone. What it says meanwhile is kept, as far as one request goes.
    async fn gone(&mut self) -> io::Error {
        while self.unread.len() <= MAX_REQUEST {
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return io::ErrorKind::UnexpectedEof.into(),
                Err(why) => return why,
            }
        }
        // It is not read any more; that it has gone is seen when it is written to.
        std::future::pending().await
    }
}
