//! Frame: what goes over the socket, one JSON object a line. A client asks one thing at a time; the server says blocks
//! as they come and then how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Block, Exit, Receipt, VERSION};

/// The longest line that a client may send: a line of the shell with every character escaped, and a secret.
pub const MAX_REQUEST: usize = 448 << 10;

/// The longest secret.
pub const MAX_SECRET: usize = 4096;

/// What a client asks.
#[derive(Clone, Serialize, Deserialize)]
pub struct Request {
    /// [`VERSION`].
    pub version: u32,
    /// The line, as it would be typed.
    pub line: String,
    /// What the verb needs that is never shown.
    #[serde(default)]
    pub secret: Option<String>,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// A part of the answer.
    Block(Block),
    /// The answer is over.
    End(End),
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// [`VERSION`].
    pub version: u32,
    /// The words of the verb, if the line had one.
    pub verb: String,
    /// As an exit code.
    pub exit: Exit,
    /// Why it was refused or failed.
    pub error: Option<String>,
    /// The proof of a change.
    pub receipt: Option<Receipt>,
}

/// Why a request cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is not what a client sends.
    #[error("expected one JSON object a line, with version, line and secret")]
    Garbage,
    /// It is of another version.
    #[error("this server speaks version {VERSION}, not {0}")]
    Version(u32),
    /// It is too long.
    #[error("a request has at most {MAX_REQUEST} octets, and a secret {MAX_SECRET}")]
    TooLong,
}

impl Request {
    /// A request of this version.
    #[must_use]
    pub fn new(line: impl Into<String>, secret: Option<String>) -> Self {
        Self {
            version: VERSION,
            line: line.into(),
            secret,
        }
    }

    /// Reads what a client sent, without its line end.
    ///
    /// # Errors
    /// [`FrameError`]; the connection is closed then.
    pub fn read(line: &[u8]) -> Result<Self, FrameError> {
        if line.len() > MAX_REQUEST {
            return Err(FrameError::TooLong);
        }
        let request: Self = serde_json::from_slice(line).map_err(|_| FrameError::Garbage)?;
        if request.version != VERSION {
            return Err(FrameError::Version(request.version));
        }
        if request
            .secret
            .as_ref()
            .is_some_and(|secret| secret.len() > MAX_SECRET)
        {
            return Err(FrameError::TooLong);
        }
        Ok(request)
    }

    /// The line to send, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        line_of(self)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("version", &self.version)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The line to send, with its end.
    #[must_use]
    pub fn to_line(&self) -> String {
        line_of(self)
    }
}

impl End {
    /// The end of a call that was not done.
    #[must_use]
    pub fn refused(verb: &str, exit: Exit, why: impl Into<String>) -> Self {
        Self {
            version: VERSION,
            verb: verb.to_owned(),
            exit,
            error: Some(why.into()),
            receipt: None,
        }
    }
}

impl Answer {
    /// Takes it apart, for the wire.
    #[must_use]
    pub fn into_frames(self) -> (Vec<Block>, End) {
        let end = End {
            version: self.version,
            verb: self.verb,
            exit: self.exit,
            error: None,
            receipt: self.receipt,
        };
        (self.blocks, end)
    }
}

/// What is serialised here has texts for keys and nothing that can refuse: it always becomes a line.
fn line_of(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use message::time::Timestamp;

    use super::*;
    use crate::{answer::Table, cell::Cell};

    #[test]
    fn an_answer_survives_the_wire() {
        let mut table = Table::new(&["path", "depth", "size", "age", "since", "up", "none"]);
        table.row([
            Cell::from("/a\nb"),
            Cell::Number(u64::MAX),
            Cell::Octets(7),
            Cell::Duration(Duration::from_micros(1_500)),
            Cell::Time(Timestamp::from_millis(5)),
            Cell::Flag(true),
            Cell::Nothing,
        ]);
        let blocks = [
            Block::Table(table),
            Block::fields([("a", Cell::Nothing)]),
            Block::text("x"),
            Block::Progress {
                what: "y".to_owned(),
                done: 1,
                total: None,
            },
        ];
        for block in blocks {
            let line = Response::Block(block.clone()).to_line();
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            assert_eq!(
                serde_json::from_str::<Response>(&line).unwrap(),
                Response::Block(block)
            );
        }
        let end = End::refused("tree", Exit::USAGE, "no");
        assert_eq!(
            Response::End(end).to_line(),
            "{\"end\":{\"version\":1,\"verb\":\"tree\",\"exit\":2,\"error\":\"no\",\"receipt\":null}}\n"
        );
    }

    #[test]
    fn requests_are_bounded() {
        let asked = Request::read(br#"{"version":1,"line":"tree"}"#).unwrap();
        assert_eq!((asked.line.as_str(), asked.secret), ("tree", None));
        for (line, expected) in [
            (&b"GET / HTTP/1.1"[..], FrameError::Garbage),
            (b"", FrameError::Garbage),
            (b"\xff\x00", FrameError::Garbage),
            (b"[[[[[[[[", FrameError::Garbage),
            (br#"{"version":2,"line":"tree"}"#, FrameError::Version(2)),
        ] {
            assert_eq!(Request::read(line).unwrap_err(), expected);
        }
        let deep = "[".repeat(MAX_REQUEST);
        assert_eq!(Request::read(deep.as_bytes()).unwrap_err(), FrameError::Garbage);
        assert_eq!(
            Request::read(&vec![b' '; MAX_REQUEST + 1]).unwrap_err(),
            FrameError::TooLong
        );
        let secret = Request::new("x", Some("s".repeat(MAX_SECRET + 1)));
        assert_eq!(
            Request::read(secret.to_line().trim().as_bytes()).unwrap_err(),
            FrameError::TooLong
        );
    }

    #[test]
    fn a_secret_is_not_printed() {
        let printed = format!("{:?}", Request::new("account add", Some("hunter2".to_owned())));
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}
