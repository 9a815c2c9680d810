//! POP3 as a client.

use std::{net::SocketAddr, str::FromStr};

use anyhow::{Context, bail, ensure};
use auth::Secret;

use super::{tls::Trust, wire::Wire};

/// Messages asked for before the first answer is read.
const PIPELINED: usize = 32;

/// A message as a mailbox gives it.
#[derive(Clone, Debug)]
pub struct Stored<U> {
    /// Its unique id.
    pub uid: U,
    /// The whole of it.
    pub octets: Vec<u8>,
}

/// A POP3 session.
pub struct Pop3 {
    wire: Wire,
}

impl Pop3 {
    /// Connects and logs in.
    pub async fn login(to: SocketAddr, account: &str, password: &str) -> anyhow::Result<Self> {
        let mut pop3 = Self::connect(to).await?;
        pop3.log_in(account, &Secret::new(password)).await?;
        Ok(pop3)
    }

    /// Connects, and reads the greeting.
    ///
    /// # Errors
    /// When the connection fails or the server does not greet.
    pub async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect(to).await?).await
    }

    /// The same under TLS.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_tls(to: SocketAddr, trust: &Trust) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect(to).await?.secure(trust).await?).await
    }

    /// Says STLS, and goes on under TLS. RFC 2595 §4
    ///
    /// # Errors
    /// When the server refuses, or cannot be trusted.
    pub async fn start_tls(mut self, trust: &Trust) -> anyhow::Result<Self> {
        self.command("STLS").await?;
        Ok(Self {
            wire: self.wire.secure(trust).await?,
        })
    }

    /// Says USER and PASS.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn log_in(&mut self, account: &str, password: &Secret) -> anyhow::Result<()> {
        let password = std::str::from_utf8(password.expose())?;
        self.command(&format!("USER {account}")).await?;
        self.command(&format!("PASS {password}")).await.map(|_| ())
    }

    async fn greeted(wire: Wire) -> anyhow::Result<Self> {
        let mut pop3 = Self { wire };
        pop3.status().await.context("greeting")?;
        Ok(pop3)
    }

    /// How many messages there are.
    pub async fn count(&mut self) -> anyhow::Result<usize> {
        let status = self.command("STAT").await?;
        let count = status.split(' ').next().and_then(|count| count.parse().ok());
        count.with_context(|| format!("STAT was answered {status:?}"))
    }

    /// The unique ids, in the order of the message numbers.
    pub async fn uids<U: FromStr>(&mut self) -> anyhow::Result<Vec<U>> {
        self.command("UIDL").await?;
        let lines = self.lines().await?;
        let text = String::from_utf8(lines)?;
        let uid = |line: &str| line.split_once(' ').and_then(|(_, uid)| uid.parse().ok());
        text.lines()
            .map(|line| uid(line).with_context(|| format!("no unique id: {line:?}")))
            .collect()
    }

    /// The message of a number, from 1.
    pub async fn retrieve(&mut self, number: usize) -> anyhow::Result<Vec<u8>> {
        self.command(&format!("RETR {number}")).await?;
        self.lines().await
    }

    /// All messages.
    pub async fn all<U: FromStr + Clone>(&mut self) -> anyhow::Result<Vec<Stored<U>>> {
        let uids: Vec<U> = self.uids().await?;
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
                all.push(Stored {
                    uid: uid.clone(),
                    octets,
                });
            }
        }
        Ok(all)
    }

    /// Marks a message as deleted.
    pub async fn delete(&mut self, number: usize) -> anyhow::Result<()> {
        self.command(&format!("DELE {number}")).await.map(|_| ())
    }

    /// Says NOOP.
    pub async fn noop(&mut self) -> anyhow::Result<()> {
        self.command("NOOP").await.map(|_| ())
    }

    /// Says QUIT: what was marked is deleted when this returns.
    pub async fn quit(mut self) -> anyhow::Result<()> {
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
