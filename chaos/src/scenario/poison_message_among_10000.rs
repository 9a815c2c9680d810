//! One message among ten thousand crashes every delivery that handles it. It is set aside for an operator, with a crash
//! card for each that died of it; everything else flows as if nothing were, and memory stays under its bound.
//!
//! What makes it poisonous is the record of its account in the data directory, damaged while no server runs. The server
//! is the one that everybody gets, in a process of its own.

mod record;
mod spoiled;

use std::{sync::Arc, time::Duration};

use angarium::client::smtp::Smtp;
use anyhow::{Context, ensure};
use message::id::MessageId;
use rand::Rng as _;
use tokio::time::Instant;

use crate::{
    crowd::Tolerance,
    home::address,
    ledger::Fate,
    letter::{Letter, commands},
    promise::Broken,
    server::Addresses,
    storm::Storm,
    wait::until,
};

/// What it asks beside the promises.
const PROMISE: &str = "a message that crashes whoever handles it is set aside, and nothing else is";

/// Letters that everybody else sends, if there is time.
const LETTERS: u64 = 10_000;

/// Accounts of everybody else.
const ACCOUNTS: usize = 4;

/// The account that is damaged.
const SPOILED: usize = ACCOUNTS;

/// Sessions that send.
const SESSIONS: usize = 8;

/// The longest that setting it aside may take: a few restarts, behind what waits.
const SET_ASIDE: Duration = Duration::from_secs(20);

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    // Nobody sends slowly here.
    storm.effort.letters = u64::MAX;
    storm.home.tighten();
    // Every crash and every message that is set aside is a line of the log.
    storm.home.set("log.format=json");
    storm.settle(ACCOUNTS + 1).await?;
    spoiled::spoil(&storm.home, SPOILED)?;
    let child = storm.start_child(0).await?;
    let door = storm.door().context("the child does not listen")?;
    let mut crowd = storm.crowd();
    crowd.senders(SESSIONS, &(0..ACCOUNTS), Tolerance::Nothing, &mut storm.rng);
    for account in 0..ACCOUNTS {
        crowd.reader(account, Tolerance::Nothing);
    }
    let end = storm.end();
    // Somewhere among the others: before it there are as many as are drawn, or as half of the time allows.
    let (place, half) = (
        storm.rng.random_range(0..LETTERS / 2),
        Instant::now() + storm.effort.time / 2,
    );
    flows(storm, place, half).await?;
    let poison = swallow(storm, door).await?;
    storm.killed(None);
    flows(storm, LETTERS, end).await?;
    let crashes = set_aside(storm, poison).await?;
    crowd.disperse().await?;
    storm.check_mailboxes(door).await?;
    let peak = child.check_memory(&storm.home)?;
    storm.close_door();
    child.stop().await?;
    // To the end nobody else has died, and nobody of it again.
    record::read(&storm.home.log_text()?, poison)?;
    spoiled::check_held(&storm.home, poison)?;
    let sent = storm.ledger.sent();
    storm.tally.notes.push(format!(
        "one of {sent} crashed {crashes} deliveries; {} MiB at most",
        peak >> 20
    ));
    storm.calm_child().await
}

/// Waits until so many letters were sent, or the time is over.
async fn flows(storm: &Storm, letters: u64, end: Instant) -> anyhow::Result<()> {
    let ledger = Arc::clone(&storm.ledger);
    let enough = async || Ok((ledger.sent() >= letters).then_some(()));
    // Whichever comes first.
    until(end.saturating_duration_since(Instant::now()), enough)
        .await
        .map(drop)
}

/// Sends the letter that nobody survives. It is accepted like any other; its id is what the server calls it.
async fn swallow(storm: &mut Storm, door: Addresses) -> anyhow::Result<MessageId> {
    let letter = storm
        .ledger
        .write(SPOILED, |id| Letter::drawn(id, &mut storm.rng));
    let mut smtp = Smtp::connect(door.mx).await?;
    smtp.hello().await?;
    smtp.write(commands(&address(SPOILED)).as_bytes()).await?;
    for due in [250, 250, 354] {
        let reply = smtp.reply().await?;
        ensure!(reply.code() == due, "the poison was answered {reply}");
    }
    smtp.write(&letter.on_the_wire()).await?;
    let reply = smtp.reply().await?;
    ensure!(reply.code() == 250, "the poison was answered {reply}");
    storm.ledger.decide(letter.id, Fate::SetAside);
    smtp.quit().await?;
    let id = reply.text().rsplit(' ').next().unwrap_or_default();
    id.parse()
        .with_context(|| format!("no id of a message in {reply}"))
}

/// Waits until it is set aside, and says how many died of it.
async fn set_aside(storm: &Storm, poison: MessageId) -> anyhow::Result<usize> {
    let aside = until(SET_ASIDE, async || {
        let record = record::read(&storm.home.log_text()?, poison)?;
        Ok(record.held.then_some(record.crashes))
    });
    match aside.await? {
        Some(0) => Err(Broken::new(PROMISE, format!("{poison} crashed nobody")).into()),
        Some(crashes) => Ok(crashes),
        None => Err(Broken::new(PROMISE, format!("{poison} is not set aside")).into()),
    }
}
