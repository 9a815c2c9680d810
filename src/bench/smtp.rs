//! SMTP under load: one connection that sends the same message again and again, each pipelined as RFC 2920 allows.

use std::sync::Arc;

use anyhow::Context;
use tokio::time::Instant;

use super::{Load, Tally, Tls};
use crate::client::smtp::{Sent, Smtp, commands};

/// The longest message that is generated.
pub const MAX_SIZE: u64 = 256 << 20;

/// Octets of a line of text.
const LINE: &[u8] = b"The road goes on, and neither snow nor night keeps the rider from his post.\r\n";

/// The message of a load.
#[derive(Clone)]
pub struct Letter {
    commands: String,
    /// With dots doubled and its end.
    message: Arc<[u8]>,
}

impl Letter {
    /// A message of about so many octets, its header included.
    #[must_use]
    pub fn new(from: &str, to: &str, size: u64) -> Self {
        let size = usize::try_from(size.min(MAX_SIZE)).unwrap_or(usize::MAX);
        let mut message = format!("From: <{from}>\r\nTo: <{to}>\r\nSubject: load\r\n\r\n").into_bytes();
        while message.len() < size {
            message.extend_from_slice(LINE);
        }
        message.extend_from_slice(b".\r\n");
        Self {
            commands: commands(from, to),
            message: message.into(),
        }
    }

    /// Its octets on the wire, the end included.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.message.len()
    }
}

/// One connection, until the time is over or it has sent its share.
pub(super) async fn connection(
    load: &Load,
    letter: &Letter,
    end: Instant,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut smtp = open(load).await?;
    tally.opening.saturating_record(super::micros(begun.elapsed()));
    let mut sent = 0;
    while Instant::now() < end && load.per_connection.is_none_or(|share| sent < share) {
        let begun = Instant::now();
        match smtp.send(&letter.commands, &letter.message).await? {
            Sent::Accepted => tally.done(begun.elapsed(), letter.octets()),
            Sent::Refused(reply) => tally.failed(reply),
        }
        sent += 1;
    }
    smtp.quit().await.context("QUIT")
}

async fn open(load: &Load) -> anyhow::Result<Smtp> {
    let mut smtp = match &load.tls {
        Some((Tls::Implicit, trust)) => Smtp::connect_tls(load.to, trust).await?,
        _ => Smtp::connect(load.to).await?,
    };
    smtp.hello().await?;
    if let Some((Tls::Starttls, trust)) = &load.tls {
        smtp = smtp.start_tls(trust).await?;
    }
    if let Some(login) = &load.login {
        smtp.login(&login.user, &login.password).await?;
    }
    Ok(smtp)
}

#[cfg(test)]
mod tests {
    use super::Letter;

    #[test]
    fn a_letter_is_about_as_long_as_asked() {
        for size in [0, 1000, 4096, 1 << 20] {
            let letter = Letter::new("a@example.org", "b@example.org", size);
            let octets = letter.octets() as u64;
            assert!(octets >= size && octets < size + 160, "{size}: {octets}");
            assert!(letter.message.ends_with(b"\r\n.\r\n"));
            assert!(
                !letter.message[..letter.message.len() - 3]
                    .windows(3)
                    .any(|three| three == b"\n.\r")
            );
        }
    }
}
