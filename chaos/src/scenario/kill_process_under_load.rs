//! The whole process gets SIGKILL, under load, while it starts, and while it recovers.

use std::time::Duration;

use anyhow::Context;
use rand::Rng;
use tokio::time::Instant;

use crate::{crowd::Tolerance, server::child::Child, storm::Storm, wait::pass};

/// Sessions that send.
const SESSIONS: usize = 16;

/// How long a process lives under load.
const LIFE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(600));

/// One kill in so many falls into the start.
const EARLY_IN: u32 = 5;

/// How far a start gets then.
const YOUTH: Duration = Duration::from_millis(60);

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let mut child = storm.start_child(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(SESSIONS, &(0..4), Tolerance::Anything, &mut storm.rng);
    crowd.reader(0, Tolerance::Anything);
    for kill in 1..=storm.effort.process_kills {
        pass(storm.draw(LIFE.0, LIFE.1)).await;
        storm.close_door();
        let start = Instant::now();
        child.kill().await?;
        while storm.rng.random_ratio(1, EARLY_IN) {
            let young = Child::spawn(&storm.program, &storm.home)?;
            pass(storm.draw(Duration::ZERO, YOUTH)).await;
            young.kill().await?;
            storm.killed(None);
        }
        let again = storm.start_child(0).await;
        child = again.with_context(|| format!("the server does not start after kill {kill}"))?;
        storm.killed(Some(start.elapsed()));
    }
    crowd.disperse().await?;
    storm.close_door();
    child.kill().await?;
    storm.killed(None);
    storm.calm_child().await
}
