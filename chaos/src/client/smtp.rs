//! SMTP as a client, with PIPELINING.

use std::net::SocketAddr;

use anyhow::ensure;
use smtp::client::{Reply, ReplyReader};

use super::{tls::Trust, wire::Wire};
use crate::letter::Letter;

/// What became of a letter as far as the session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It was answered 250.
    Accepted,
    /// This reply stood in its way.
    Refused(Reply),
}

/// An SMTP session.
pub(crate) struct Smtp {
    wire: Wire,
    replies: ReplyReader,
}

impl Smtp {
    /// Connects, and reads the greeting.
    pub(crate) async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let mut smtp = Self {
            wire: Wire::connect(to).await?,
            replies: ReplyReader::new(),
        };
        let greeting = smtp.reply().await?;
        ensure!(greeting.code() == 220, "greeted with {greeting}");
        Ok(smtp)
    }

    /// Says EHLO; the session may begin.
    pub(crate) async fn hello(&mut self) -> anyhow::Result<()> {
        let reply = self.command("EHLO sender.example").await?;
        ensure!(reply.code() == 250, "EHLO was answered {reply}");
        Ok(())
    }

    /// Says STARTTLS and EHLO again.
    pub(crate) async fn start_tls(mut self, trust: &Trust) -> anyhow::Result<Self> {
        let reply = self.command("STARTTLS").await?;
        ensure!(reply.code() == 220, "STARTTLS was answered {reply}");
        let mut secured = Self {
            wire: self.wire.secure(trust).await?,
            replies: ReplyReader::new(),
        };
        secured.hello().await?;
        Ok(secured)
    }

    /// This end, by which the server knows us.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) -> anyhow::Result<()> {
        self.wire.write(octets).await
    }

    /// The next reply, all of its lines.
    pub(crate) async fn reply(&mut self) -> anyhow::Result<Reply> {
        loop {
            let (taken, reply) = self.replies.receive(self.wire.unread())?;
            self.wire.take(taken);
            match reply {
                Some(reply) => return Ok(reply),
                None => self.wire.more().await?,
            }
        }
    }

    pub(crate) async fn command(&mut self, line: &str) -> anyhow::Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Sends a letter as far as the replies allow. An error is a broken connection: what became of it is not known.
    pub(crate) async fn send(&mut self, letter: &Letter, to: &str) -> anyhow::Result<Sent> {
        self.write(commands(to).as_bytes()).await?;
        let (mail, recipient, data) = (self.reply().await?, self.reply().await?, self.reply().await?);
        if data.code() == 354 {
            self.write(&letter.on_the_wire()).await?;
            let reply = self.reply().await?;
            return Ok(match reply.code() {
                250 => Sent::Accepted,
                _ => Sent::Refused(reply),
            });
        }
        let first = [mail, recipient].into_iter().find(|reply| !reply.is_positive());
        self.command("RSET").await?;
        Ok(Sent::Refused(first.unwrap_or(data)))
    }

    /// Says QUIT; nothing else may come.
    pub(crate) async fn quit(mut self) -> anyhow::Result<()> {
        let reply = self.command("QUIT").await?;
        ensure!(reply.code() == 221, "QUIT was answered {reply}");
        self.wire.end().await
    }
}

/// The commands of one transaction, to be sent at once.
pub(crate) fn commands(to: &str) -> String {
    format!("MAIL FROM:<chaos@sender.example>\r\nRCPT TO:<{to}>\r\nDATA\r\n")
}
