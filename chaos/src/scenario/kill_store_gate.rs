//! The gate to the store dies while proposals pass. Senders may be asked to come again; readers notice nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::{crowd::Tolerance, storm::Storm, wait::pass};

const GATE: &str = "/store/gate";

/// Apart enough that the store's supervisor, which allows ten restarts in ten seconds, does not give up.
const APART: (Duration, Duration) = (Duration::from_millis(300), Duration::from_millis(1800));

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(8, &(0..4), Tolerance::TryAgain, &mut storm.rng);
    crowd.reader(0, Tolerance::Nothing);
    let end = storm.end();
    while Instant::now() < end {
        pass(storm.draw(APART.0, APART.1)).await;
        let recovery = inside.kill(GATE).await?;
        storm.killed(recovery);
    }
    crowd.disperse().await?;
    storm.calm(inside).await
}
