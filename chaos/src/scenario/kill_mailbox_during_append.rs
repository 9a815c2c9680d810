//! Mailboxes that are being read, and deliveries that append to them, die. The batch of an append is whole or is not.

use std::time::Duration;

use rand::seq::IndexedRandom as _;
use tokio::time::Instant;

use crate::{crowd::Tolerance, server::inside::Inside, storm::Storm, wait::pass};

const MAILBOXES: &str = "/tenants/default/mailboxes";
const DELIVERIES: &str = "/tenants/default/queues/local/deliveries";

/// Between two deaths.
const APART: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// A mailbox may be started again three times in ten seconds before it is parked: so often it is killed.
const MAILBOX_KILLS: u32 = 3;
const MAILBOX_PERIOD: Duration = Duration::from_secs(11);

/// Accounts beside account 0, whose mailbox nobody kills.
const KILLED: usize = 7;

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = storm.start_inside(1 + KILLED).await?;
    let mut crowd = storm.crowd();
    // The first mailbox that is up is that of the bystander.
    crowd.reader(0, Tolerance::Nothing);
    let spared = spared(&inside).await?;
    crowd.senders(6, &(0..1 + KILLED), Tolerance::Nothing, &mut storm.rng);
    for account in 1..=KILLED {
        crowd.reader(account, Tolerance::TryAgain);
    }
    let mut killed: Vec<(String, Instant)> = Vec::new();
    let end = storm.end();
    while Instant::now() < end {
        pass(storm.draw(APART.0, APART.1)).await;
        killed.retain(|(_, at)| at.elapsed() < MAILBOX_PERIOD);
        let may_die = |path: &String| {
            let times = killed.iter().filter(|(before, _)| before == path).count();
            *path != spared && times < MAILBOX_KILLS as usize
        };
        let mailboxes: Vec<String> = below(&inside, MAILBOXES, "up")
            .into_iter()
            .filter(may_die)
            .collect();
        if let Some(mailbox) = mailboxes.choose(&mut storm.rng) {
            let recovery = inside.kill(mailbox).await?;
            killed.push((mailbox.clone(), Instant::now()));
            storm.killed(recovery);
        }
        if let Some(delivery) = busy(&inside).choose(&mut storm.rng) {
            let recovery = inside.kill(delivery).await?;
            storm.killed(recovery);
        }
    }
    crowd.disperse().await?;
    storm.calm(inside).await
}

/// The mailbox of account 0.
async fn spared(inside: &Inside) -> anyhow::Result<String> {
    let first = crate::wait::until(Duration::from_secs(10), async || {
        Ok(below(inside, MAILBOXES, "up").into_iter().next())
    });
    first
        .await?
        .ok_or_else(|| anyhow::anyhow!("nobody opens a mailbox"))
}

fn below(inside: &Inside, prefix: &str, phase: &str) -> Vec<String> {
    let standings = inside.standings(prefix).into_iter();
    standings
        .filter(|standing| standing.path != prefix && standing.phase == phase)
        .map(|standing| standing.path)
        .collect()
}

/// Deliveries with work in hand.
fn busy(inside: &Inside) -> Vec<String> {
    let standings = inside.standings(DELIVERIES).into_iter();
    standings
        .filter(|standing| standing.path != DELIVERIES && standing.phase == "up" && standing.depth > 0)
        .map(|standing| standing.path)
        .collect()
}
