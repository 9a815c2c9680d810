//! Whoever lives dies: each class of actor and each supervisor with all that is below it, one at a time and two at once.
//! A class that lived and was never killed fails the scenario: what is added to the tree later dies here from its first day.

mod toll;

use std::time::Duration;

use anyhow::Context;
use rand::{Rng as _, seq::IndexedRandom as _};
use tokio::time::Instant;

use self::toll::Toll;
use crate::{crowd::Tolerance, server::inside::Inside, storm::Storm, wait::pass};

/// Between two deaths.
const APART: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(40));

/// One death in so many is that of two.
const PAIRED_IN: u32 = 5;

/// How long to go on for those who have not been killed yet when everything else is done. The root allows few deaths, so
/// a server may be stopped and another started on the way.
const LEFT_OVER: Duration = Duration::from_secs(60);

/// Between two looks for somebody who may die.
const LOOK: Duration = Duration::from_millis(5);

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let mut inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Anything, &mut storm.rng);
    for account in 0..4 {
        crowd.reader(account, Tolerance::Anything);
    }
    crowd.operators(2, Tolerance::Anything);
    let mut toll = Toll::default();
    let end = storm.end();
    let least = storm.effort.kills;
    while Instant::now() < end || storm.tally.kills < least {
        pass(storm.draw(APART.0, APART.1)).await;
        toll.see(&inside.standings("/"));
        let victims = choose(&mut toll, storm);
        kill(&inside, &victims, &mut toll, storm).await?;
    }
    let last = Instant::now() + LEFT_OVER;
    while !toll.spared().is_empty() && Instant::now() < last {
        pass(LOOK).await;
        toll.see(&inside.standings("/"));
        if toll.is_used_up() {
            inside = another(inside, storm).await?;
            toll.forget();
        }
        let Some(victim) = toll.candidates_among_spared().into_iter().next() else {
            continue;
        };
        toll.doom(&victim, Instant::now());
        kill(&inside, &[victim], &mut toll, storm).await?;
    }
    crowd.disperse().await?;
    toll.check()?;
    storm
        .tally
        .notes
        .push(format!("{} kinds of victims", toll.kinds()));
    storm.calm(inside).await
}

/// One of those who have died least, or two. What their supervisors allow is counted before the second is chosen.
fn choose(toll: &mut Toll, storm: &mut Storm) -> Vec<String> {
    let count = if storm.rng.random_ratio(1, PAIRED_IN) {
        2
    } else {
        1
    };
    let mut victims: Vec<String> = Vec::with_capacity(count);
    for _ in 0..count {
        let mut candidates = toll.candidates();
        candidates.retain(|candidate| !victims.contains(candidate));
        let Some(victim) = candidates.choose(&mut storm.rng) else {
            break;
        };
        toll.doom(victim, Instant::now());
        victims.push(victim.clone());
    }
    victims
}

/// Kills them at once and waits until each is back.
async fn kill(inside: &Inside, victims: &[String], toll: &mut Toll, storm: &mut Storm) -> anyhow::Result<()> {
    let recoveries = match victims {
        [] => return Ok(()),
        [one] => vec![inside.kill(one).await?],
        [one, other, ..] => {
            let (one, other) = tokio::join!(inside.kill(one), inside.kill(other));
            vec![one?, other?]
        }
    };
    for (victim, recovery) in victims.iter().zip(recoveries) {
        if recovery.is_some() {
            toll.back(victim);
        }
        storm.killed(recovery);
    }
    Ok(())
}

/// The root allows no more deaths for half a minute: another server has not seen any.
async fn another(inside: Inside, storm: &mut Storm) -> anyhow::Result<Inside> {
    storm.close_door();
    inside.stop().await.context("between two lives")?;
    storm.start_inside(0).await
}
