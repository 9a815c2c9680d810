//! Actors of every class are suspended under load, looked at, and resumed. Meanwhile they handle nothing and answer whoever
//! inspects them; what was sent to them is handled afterwards, and nobody outside sees more than a wait.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use rand::{Rng as _, seq::IndexedRandom as _};
use tokio::time::Instant;

use crate::{
    crowd::Tolerance,
    promise::Broken,
    server::inside::{Inside, Standing},
    storm::Storm,
    wait::{pass, until},
};

/// What it asks.
const PROMISE: &str = "who is suspended handles nothing, answers whoever looks, and goes on where it stopped";

/// How long somebody is suspended: well below what any client waits for.
const ASIDE: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));

/// Between two.
const APART: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(20));

/// How long a message may still be handled that had been begun before.
const CURRENT: u64 = 1;

/// The longest that what waited may take.
const CAUGHT_UP: Duration = Duration::from_secs(10);

/// Who may be started afresh instead of being resumed without anybody outside noticing.
const QUIET: [&str; 4] = ["local_queue", "local_delivery", "store_feed", "store_sweeper"];

/// One in so many of those is.
const AFRESH_IN: u32 = 3;

/// The one that is suspended for long in the end, while everybody sends to it.
const QUEUE: &str = "/tenants/default/queues/local/queue";

/// How long at most.
const LONG: Duration = Duration::from_secs(5);

/// Supervisors, which cannot be suspended: who does not repair helps nobody.
const SUPERVISORS: [&str; 2] = ["supervisor", "dynamic_supervisor"];

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Nothing, &mut storm.rng);
    for account in 0..3 {
        crowd.reader(account, Tolerance::Nothing);
    }
    crowd.operators(1, Tolerance::Nothing);
    let mut times: BTreeMap<String, u64> = BTreeMap::new();
    let end = storm.end();
    while Instant::now() < end || times.values().any(|times| *times == 0) {
        pass(storm.draw(APART.0, APART.1)).await;
        let living = inside.standings("/");
        supervisors_stay(&inside, &living)?;
        let Some(actor) = choose(&living, &mut times, storm) else {
            continue;
        };
        let before = Instant::now();
        if suspend(&inside, &actor, storm.draw(ASIDE.0, ASIDE.1), storm).await? {
            *times.entry(actor.class).or_default() += 1;
            storm.killed(Some(before.elapsed()));
        }
    }
    let long = (storm.effort.time / 4).min(LONG);
    let waited = hold_up_the_queue(&inside, long).await?;
    crowd.disperse().await?;
    storm
        .tally
        .notes
        .push(format!("{} classes; {waited} waited for the queue", times.len()));
    storm.calm(inside).await
}

/// An actor of a class that has been suspended least.
fn choose(living: &[Standing], times: &mut BTreeMap<String, u64>, storm: &mut Storm) -> Option<Standing> {
    let may =
        |standing: &&Standing| standing.phase == "up" && !SUPERVISORS.contains(&standing.class.as_str());
    let actors: Vec<&Standing> = living.iter().filter(may).collect();
    for actor in &actors {
        times.entry(actor.class.clone()).or_default();
    }
    let present: BTreeSet<&str> = actors.iter().map(|actor| actor.class.as_str()).collect();
    let least = times
        .iter()
        .filter(|(class, _)| present.contains(class.as_str()))
        .map(|(_, times)| *times)
        .min()?;
    let few: Vec<&&Standing> = actors
        .iter()
        .filter(|actor| times.get(&actor.class) == Some(&least))
        .collect();
    few.choose(&mut storm.rng).map(|actor| Standing::clone(actor))
}

/// Suspends one, looks at it, and lets it go on; `false` when it ended before.
async fn suspend(
    inside: &Inside,
    actor: &Standing,
    aside: Duration,
    storm: &mut Storm,
) -> anyhow::Result<bool> {
    let path = &actor.path;
    if !inside.suspend(path) {
        return Ok(false);
    }
    let Some(before) = inside.standing(path) else {
        return Ok(false);
    };
    pass(aside).await;
    if !inside.answers(path).await {
        return Err(broken(path, "does not answer whoever looks").into());
    }
    let Some(now) = inside.standing(path).filter(|now| now.is_still(&before)) else {
        return Ok(false);
    };
    if !now.suspended {
        return Err(broken(path, "is not suspended, and nobody has resumed it").into());
    }
    if now.handled > before.handled + CURRENT {
        let how = format!("has handled {} messages", now.handled - before.handled);
        return Err(broken(path, &how).into());
    }
    if QUIET.contains(&actor.class.as_str()) && storm.rng.random_ratio(1, AFRESH_IN) {
        inside.restart(path);
    } else {
        inside.resume(path);
    }
    let goes_on = until(CAUGHT_UP, async || {
        Ok(match inside.standing(path) {
            // What waited has been handled, or it has gone, or another has begun.
            Some(then) if then.is_still(&now) => {
                (!then.suspended && (then.depth == 0 || then.handled > now.handled)).then_some(())
            }
            Some(then) => (!then.suspended).then_some(()),
            None => Some(()),
        })
    });
    match goes_on.await? {
        Some(()) => Ok(true),
        None => Err(broken(path, "does not go on").into()),
    }
}

/// The queue hears nothing for a long time, and everything that was accepted meanwhile waits in the spool.
async fn hold_up_the_queue(inside: &Inside, long: Duration) -> anyhow::Result<u64> {
    if !inside.suspend(QUEUE) {
        return Err(broken(QUEUE, "cannot be suspended").into());
    }
    pass(long).await;
    let waited = inside.standing(QUEUE).map_or(0, |queue| queue.depth);
    inside.resume(QUEUE);
    Ok(waited)
}

/// Whoever repairs is not suspended.
fn supervisors_stay(inside: &Inside, living: &[Standing]) -> Result<(), Broken> {
    let supervisors = living
        .iter()
        .filter(|standing| SUPERVISORS.contains(&standing.class.as_str()));
    for supervisor in supervisors {
        if inside.suspend(&supervisor.path) {
            return Err(broken(&supervisor.path, "is a supervisor and was suspended"));
        }
    }
    Ok(())
}

fn broken(path: &str, how: &str) -> Broken {
    Broken::new(PROMISE, format!("{path} {how}"))
}
