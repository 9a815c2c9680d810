//! Client: the other end of the shell's socket, one connection for each thing that is asked.

use std::{
    env,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use actors::shell::socket;
use rustix::termios::tcgetwinsize;
use shell::{
    Block, Exit,
    frame::{End, Request, Response},
    render::Style,
};

/// How long a server may be silent that is asked in a hurry.
const MOMENT: Duration = Duration::from_secs(3);

/// A connection to a server that runs.
pub(super) struct Client {
    stream: BufReader<UnixStream>,
}

/// Why there is no connection.
pub(super) enum Unreachable {
    /// No server runs there.
    Nobody,
    /// Who asks may not connect.
    NotAllowed,
    /// What else the system says.
    Failed(io::Error),
}

impl Unreachable {
    pub(super) const fn exit(&self) -> Exit {
        match self {
            Self::Nobody | Self::Failed(_) => Exit::NO_SERVER,
            Self::NotAllowed => Exit::NOT_ALLOWED,
        }
    }

    /// In a sentence, with the data directory.
    pub(super) fn told(&self, data: &str) -> String {
        match self {
            Self::Nobody => format!("no server runs on {data}"),
            Self::NotAllowed => format!("you may not ask the server on {data}"),
            Self::Failed(why) => format!("the server on {data} cannot be asked: {why}"),
        }
    }
}

impl Client {
    /// Connects to the server of a data directory.
    pub(super) fn connect(data: &Path) -> Result<Self, Unreachable> {
        match socket::connect(data) {
            Ok(stream) => Ok(Self {
                stream: BufReader::new(stream),
            }),
            Err(why) => Err(match why.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Unreachable::Nobody,
                io::ErrorKind::PermissionDenied => Unreachable::NotAllowed,
                _ => Unreachable::Failed(why),
            }),
        }
    }

    /// Waits no longer than a moment for anything: who types or watches a page does not.
    pub(super) fn hurry(&self) {
        drop(self.stream.get_ref().set_read_timeout(Some(MOMENT)));
    }

    /// Another handle of the same connection.
    pub(super) fn twin(&self) -> io::Result<UnixStream> {
        self.stream.get_ref().try_clone()
    }

    /// Asks, and hands over what is said until it is over.
    ///
    /// # Errors
    /// When what is said cannot be shown. A server that goes is an end like any other.
    pub(super) fn ask(
        &mut self,
        request: &Request,
        show: &mut dyn FnMut(Block) -> io::Result<()>,
    ) -> anyhow::Result<End> {
        match self.stream.get_mut().write_all(request.to_line().as_bytes()) {
            Ok(()) => {}
            Err(why) if why.kind() == io::ErrorKind::BrokenPipe => return Ok(gone(HUNG_UP)),
            Err(why) => return Ok(gone(&why.to_string())),
        }
        let (mut line, mut has_spoken) = (String::new(), false);
        loop {
            line.clear();
            match self.stream.read_line(&mut line) {
                Ok(0) if has_spoken => return Ok(gone("it said nothing more")),
                Ok(0) => return Ok(gone(HUNG_UP)),
                Ok(_) => {}
                Err(why) if !has_spoken && why.kind() == io::ErrorKind::ConnectionReset => {
                    return Ok(gone(HUNG_UP));
                }
                Err(why) => return Ok(gone(&why.to_string())),
            }
            has_spoken = true;
            match serde_json::from_str(&line) {
                Ok(Response::Block(block)) => show(block)?,
                Ok(Response::End(end)) => return Ok(end),
                Err(why) => return Ok(gone(&format!("it is of another version: {why}"))),
            }
        }
    }
}

/// Whom a server does not know it does not tell so.
const HUNG_UP: &str = "it hung up without a word; it may be stopping, or you may not ask it";

fn gone(why: &str) -> End {
    End::refused(
        "",
        Exit::NO_SERVER,
        format!("the server did not answer to the end: {why}"),
    )
}

/// Writes to standard output. Who reads no more, such as `head`, is no mistake.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Whether somebody looks at standard output.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// For whom standard output is.
pub(super) fn style() -> Style {
    let out = io::stdout();
    if !out.is_terminal() {
        return Style::Plain;
    }
    let width = tcgetwinsize(&out).map_or(0, |size| usize::from(size.ws_col));
    Style::Terminal {
        width: if width == 0 { 80 } else { width },
        colour: env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    }
}
