//! Console: the shell's socket as a client of ours sees it, one JSON object a line (docs/shell.md).

use std::{path::Path, time::Duration};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::UnixStream,
    time::timeout,
};

/// The longest that anybody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest line that is read: a whole tree.
const MAX_LINE: u64 = 64 << 20;

/// A connection to the shell.
pub(crate) struct Console {
    stream: BufReader<UnixStream>,
}

/// What the shell said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The exit code.
    pub(crate) exit: u64,
    /// Why it failed, if it did.
    pub(crate) error: String,
    /// What it said before the end.
    pub(crate) blocks: Vec<Value>,
}

impl Console {
    /// Connects.
    pub(crate) async fn connect(path: &Path) -> anyhow::Result<Self> {
        let connected = timeout(PATIENCE, UnixStream::connect(path)).await;
        let stream = connected.context("nobody takes the connection")??;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    /// Asks, and reads the whole answer.
    ///
    /// # Errors
    /// When there is no answer in time, or it is none.
    pub(crate) async fn ask(&mut self, line: &str) -> anyhow::Result<Answer> {
        let request = json!({"version": 1, "line": line, "secret": null});
        let answer = async {
            self.write(format!("{request}\n").as_bytes()).await?;
            self.answer().await
        };
        timeout(PATIENCE, answer).await.context("no answer")?
    }

    /// Asks what must be answered without an error.
    pub(crate) async fn insist(&mut self, line: &str) -> anyhow::Result<Answer> {
        let answer = self.ask(line).await?;
        ensure!(
            answer.exit == 0,
            "{line:?} was answered {} {:?}",
            answer.exit,
            answer.error
        );
        Ok(answer)
    }

    /// Sends octets as they are.
    pub(crate) async fn write(&mut self, octets: &[u8]) -> anyhow::Result<()> {
        Ok(self.stream.get_mut().write_all(octets).await?)
    }

    /// What comes until the end of an answer.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut blocks = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream)
                .take(MAX_LINE)
                .read_until(b'\n', &mut line)
                .await?;
            ensure!(read > 0, "it ended without an answer");
            let mut said: Value = serde_json::from_slice(&line).context("no JSON")?;
            if let Some(block) = said.get_mut("block") {
                blocks.push(block.take());
                continue;
            }
            let Some(end) = said.get("end") else {
                bail!("neither a block nor an end: {said}");
            };
            let exit = end.get("exit").and_then(Value::as_u64);
            return Ok(Answer {
                exit: exit.with_context(|| format!("no exit code in {end}"))?,
                error: end
                    .get("error")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
                blocks,
            });
        }
    }
}
