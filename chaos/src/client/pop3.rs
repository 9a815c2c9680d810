//! POP3 as a client.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};

use super::wire::Wire;
use crate::promise::uids_grow::Uid;

/// Messages asked for before the first answer is read.
const PIPELINED: usize = 32;

/// A message as a mailbox gives it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// Its unique id.
    pub(crate) uid: Uid,
    /// The whole of it.
    pub(crate) octets: Vec<u8>,
}

/// A POP3 session.
pub(crate) struct Pop3 {
    wire: Wire,
}

impl Pop3 {
    /// Connects and logs in.
    pub(crate) async fn login(to: SocketAddr, account: &str, password: &str) -> anyhow::Result<Self> {
        let mut pop3 = Self {
            wire: Wire::connect(to).await?,
        };
        pop3.status().await.context("greeting")?;
        pop3.command(&format!("USER {account}")).await?;
        pop3.command(&format!("PASS {password}")).await?;
        Ok(pop3)
    }

    /// How many messages there are.
    pub(crate) async fn count(&mut self) -> anyhow::Result<usize> {
        let status = self.command("STAT").await?;
        let count = status.split(' ').next().and_then(|count| count.parse().ok());
        count.with_context(|| format!("STAT was answered {status:?}"))
    }

    /// The unique ids, in the order of the message numbers.
    pub(crate) async fn uids(&mut self) -> anyhow::Result<Vec<Uid>> {
        self.command("UIDL").await?;
        let lines = self.lines().await?;
        let text = String::from_utf8(lines)?;
        let uid = |line: &str| line.split_once(' ').and_then(|(_, uid)| uid.parse().ok());
        text.lines()
            .map(|line| uid(line).with_context(|| format!("no unique id: {line:?}")))
            .collect()
    }

    /// The message of a number, from 1.
    pub(crate) async fn retrieve(&mut self, number: usize) -> anyhow::Result<Vec<u8>> {
        self.command(&format!("RETR {number}")).await?;
        self.lines().await
    }

    /// All messages.
    pub(crate) async fn all(&mut self) -> anyhow::Result<Vec<Stored>> {
        let uids = self.uids().await?;
        let mut all = Vec::with_capacity(uids.len());
        for uids in uids.chunks(PIPELINED) {
            let first = all.len() + 1;
            let commands: String = (first..first + uids.len())
                .map(|number| format!("RETR {number}\r\n"))
                .collect();
            self.wire.write(commands.as_bytes()).await?;
            for uid in uids {
                self.status().await?;
                let octets = self.lines().await?;
                all.push(Stored { uid: *uid, octets });
            }
        }
        Ok(all)
    }

    /// Marks a message as deleted.
    pub(crate) async fn delete(&mut self, number: usize) -> anyhow::Result<()> {
        self.command(&format!("DELE {number}")).await.map(|_| ())
    }

    pub(crate) async fn noop(&mut self) -> anyhow::Result<()> {
        self.command("NOOP").await.map(|_| ())
    }

    /// Says QUIT: what was marked is deleted when this returns.
    pub(crate) async fn quit(mut self) -> anyhow::Result<()> {
        self.command("QUIT").await?;
        self.wire.end().await
    }

    /// The text behind `+OK`.
    async fn command(&mut self, line: &str) -> anyhow::Result<String> {
        self.wire.write(format!("{line}\r\n").as_bytes()).await?;
        let verb = line.split(' ').next().unwrap_or_default();
        self.status().await.with_context(|| verb.to_owned())
    }

    async fn status(&mut self) -> anyhow::Result<String> {
        let line = String::from_utf8(self.wire.line().await?)?;
        match line.strip_prefix("+OK") {
            Some(rest) => Ok(rest.trim_start().to_owned()),
            None => bail!("answered {line:?}"),
        }
    }

    /// The lines of a multi-line answer, each with its CRLF, dots no longer doubled. RFC 1939 §3
    async fn lines(&mut self) -> anyhow::Result<Vec<u8>> {
        let mut octets = Vec::new();
        loop {
            let line = self.wire.line().await?;
            if line == b"." {
                return Ok(octets);
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            ensure!(octets.len() < MAX_ANSWER, "an answer without an end");
            octets.extend_from_slice(line);
            octets.extend_from_slice(b"\r\n");
        }
    }
}

/// No letter is nearly that long.
const MAX_ANSWER: usize = 64 << 20;
