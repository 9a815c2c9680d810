//! The local queue dies when a message has just been accepted: what it knew is in the spool, and nobody outside notices.

use std::time::Duration;

use anyhow::ensure;
use tokio::time::Instant;

use crate::{
    crowd::Tolerance,
    storm::Storm,
    wait::{pass, until},
};

const QUEUE: &str = "/tenants/default/queues/local/queue";

/// Its supervisor allows three restarts in ten seconds and then falls itself: that is part of the storm.
const APART: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(1500));

/// Somebody sends all the time.
const NEXT_ACCEPT: Duration = Duration::from_secs(10);

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Nothing, &mut storm.rng);
    crowd.reader(0, Tolerance::Nothing);
    let end = storm.end();
    while Instant::now() < end {
        pass(storm.draw(APART.0, APART.1)).await;
        let (ledger, before) = (storm.ledger.clone(), storm.ledger.accepted());
        let accepted = until(NEXT_ACCEPT, async || {
            Ok((ledger.accepted() > before).then_some(()))
        });
        ensure!(accepted.await?.is_some(), "nothing is accepted any more");
        let recovery = inside.kill(QUEUE).await?;
        storm.killed(recovery);
    }
    crowd.disperse().await?;
    storm.calm(inside).await
}
