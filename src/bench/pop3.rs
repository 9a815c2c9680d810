//! POP3 under load: one connection that lists its mailbox and reads it from the first message to the last, again and again.

use anyhow::{Context, ensure};
use tokio::time::Instant;

use super::{Load, Tally, Tls};
use crate::client::pop3::Pop3;

/// One connection, until the time is over or it has read its share. A transaction is one RETR.
pub(super) async fn connection(load: &Load, end: Instant, tally: &mut Tally) -> anyhow::Result<()> {
    let login = load.login.as_ref().context("POP3 needs a log-in")?;
    let begun = Instant::now();
    let mut pop3 = match &load.tls {
        Some((Tls::Implicit, trust)) => Pop3::connect_tls(load.to, trust).await?,
        Some((Tls::Starttls, trust)) => Pop3::connect(load.to).await?.start_tls(trust).await?,
        None => Pop3::connect(load.to).await?,
    };
    pop3.log_in(&login.user, &login.password).await?;
    tally.opening.saturating_record(super::micros(begun.elapsed()));
    let count = pop3.count().await?;
    ensure!(count > 0, "the mailbox is empty: there is nothing to read");
    let mut read = 0_u32;
    while Instant::now() < end && load.per_connection.is_none_or(|share| read < share) {
        let number = 1 + read as usize % count;
        let begun = Instant::now();
        let message = pop3.retrieve(number).await?;
        tally.done(begun.elapsed(), message.len());
        read = read.wrapping_add(1);
    }
    pop3.quit().await.context("QUIT")
}
