//! SMTP as a client, with PIPELINING.

use std::net::SocketAddr;

use anyhow::ensure;
use auth::Secret;
use base64ct::{Base64, Encoding as _};
use smtp::client::{Reply, ReplyReader};

use super::{tls::Trust, wire::Wire};

/// What became of a message as far as the session says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// It was answered 250.
    Accepted,
    /// This reply stood in its way.
    Refused(Reply),
}

/// An SMTP session.
pub struct Smtp {
    wire: Wire,
    replies: ReplyReader,
}

impl Smtp {
    /// Connects, and reads the greeting.
    pub async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect(to).await?).await
    }

    /// Connects under TLS, and reads the greeting.
    ///
    /// # Errors
    /// When the connection fails or the server does not greet.
    pub async fn connect_tls(to: SocketAddr, trust: &Trust) -> anyhow::Result<Self> {
        Self::greeted(Wire::connect(to).await?.secure(trust).await?).await
    }

    async fn greeted(wire: Wire) -> anyhow::Result<Self> {
        let mut smtp = Self {
            wire,
            replies: ReplyReader::new(),
        };
        let greeting = smtp.reply().await?;
        ensure!(greeting.code() == 220, "greeted with {greeting}");
        Ok(smtp)
    }

    /// Logs in by AUTH PLAIN. RFC 4616 §2
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn login(&mut self, user: &str, password: &Secret) -> anyhow::Result<()> {
        let message = [b"\0", user.as_bytes(), b"\0", password.expose()].concat();
        let reply = self
            .command(&format!("AUTH PLAIN {}", Base64::encode_string(&message)))
            .await?;
        ensure!(reply.code() == 235, "AUTH was answered {reply}");
        Ok(())
    }

    /// Says EHLO; the session may begin.
    pub async fn hello(&mut self) -> anyhow::Result<()> {
        let reply = self.command("EHLO sender.example").await?;
        ensure!(reply.code() == 250, "EHLO was answered {reply}");
        Ok(())
    }

    /// Says STARTTLS and EHLO again.
    pub async fn start_tls(mut self, trust: &Trust) -> anyhow::Result<Self> {
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
    pub const fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    /// Sends octets as they are.
    pub async fn write(&mut self, octets: &[u8]) -> anyhow::Result<()> {
        self.wire.write(octets).await
    }

    /// The next reply, all of its lines.
    pub async fn reply(&mut self) -> anyhow::Result<Reply> {
        loop {
            let (taken, reply) = self.replies.receive(self.wire.unread())?;
            self.wire.take(taken);
            match reply {
                Some(reply) => return Ok(reply),
                None => self.wire.more().await?,
            }
        }
    }

    /// Sends a line, and reads its reply.
    pub async fn command(&mut self, line: &str) -> anyhow::Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Sends a message, dots doubled and its end included, as far as the replies allow, the commands before it at once.
    ///
    /// # Errors
    /// A broken connection: what became of the message is not known.
    pub async fn send(&mut self, commands: &str, message: &[u8]) -> anyhow::Result<Sent> {
        self.write(commands.as_bytes()).await?;
        let (mail, recipient, data) = (self.reply().await?, self.reply().await?, self.reply().await?);
        if data.code() == 354 {
            self.write(message).await?;
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
    pub async fn quit(mut self) -> anyhow::Result<()> {
        let reply = self.command("QUIT").await?;
        ensure!(reply.code() == 221, "QUIT was answered {reply}");
        self.wire.end().await
    }
}

/// The commands of one transaction, to be sent at once.
#[must_use]
pub fn commands(from: &str, to: &str) -> String {
    format!("MAIL FROM:<{from}>\r\nRCPT TO:<{to}>\r\nDATA\r\n")
}
