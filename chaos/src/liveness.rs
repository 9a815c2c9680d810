//! Liveness: when the faults are over, everything that was accepted becomes visible, within its time.

use std::{collections::BTreeMap, time::Duration};

use angarium::client::pop3::Pop3;
use tokio::time::Instant;

use crate::{
    home::{PASSWORD, address},
    ledger::{Entry, Ledger},
    letter::LetterId,
    promise::{
        accepted_once,
        uids_grow::{Readings, Stored},
    },
    server::Addresses,
    wait::pass,
};

/// The time that a message has from the last fault to its mailbox.
const LIMIT: Duration = Duration::from_secs(30);

/// Between two looks at a mailbox.
const INTERVAL: Duration = Duration::from_millis(20);

/// Reads every mailbox until it holds what was accepted, and checks what was read.
///
/// # Errors
/// The first broken promise, or whatever stands in the way of reading for too long.
pub(crate) async fn check(door: Addresses, ledger: &Ledger, readings: &mut [Readings]) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    for (account, readings) in readings.iter_mut().enumerate() {
        let letters = ledger.of(account);
        loop {
            let over = Instant::now() >= end;
            match mailbox(door, account, &letters, readings, over).await {
                Ok(true) => break,
                Ok(false) => {}
                // A lock may outlive its session for a moment.
                Err(why) if over || why.is::<crate::promise::Broken>() => return Err(why),
                Err(_) => {}
            }
            pass(INTERVAL).await;
        }
    }
    Ok(())
}

/// Whether a mailbox holds what it must; `last` says that it is not looked at again.
async fn mailbox(
    door: Addresses,
    account: usize,
    letters: &BTreeMap<LetterId, Entry>,
    readings: &mut Readings,
    last: bool,
) -> anyhow::Result<bool> {
    let mut pop3 = Pop3::login(door.pop3, &address(account), PASSWORD).await?;
    let count = pop3.count().await?;
    if count < accepted_once::expected(letters) && !last {
        pop3.quit().await?;
        return Ok(false);
    }
    let mailbox = pop3.all().await?;
    pop3.quit().await?;
    let uids: Vec<_> = mailbox.iter().map(|Stored { uid, .. }| *uid).collect();
    readings.listed(&uids)?;
    if accepted_once::is_waiting(letters, &mailbox) && !last {
        return Ok(false);
    }
    let found = accepted_once::check(letters, &mailbox)?;
    readings.read(&found)?;
    Ok(true)
}
