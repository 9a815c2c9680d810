//! The configuration is changed and read anew again and again under load, several times at once, with mistakes, with what
//! cannot be taken, and while actors die. What is in force is all of the new or all of the old, and nobody outside notices.

mod variant;

use std::{net::TcpListener, time::Duration};

use rand::{Rng as _, seq::IteratorRandom as _};
use tokio::time::Instant;

use self::variant::{Flaw, Variant};
use crate::{
    crowd::Tolerance,
    promise::{Broken, tree_is_whole},
    server::inside::{Inside, Reloaded},
    storm::Storm,
    wait::{pass, until},
};

/// What it asks beside the promises.
const PROMISE: &str = "a reload is taken by all, or by nobody";

/// Between two reloads.
const APART: (Duration, Duration) = (Duration::ZERO, Duration::from_millis(60));

/// One reload in so many is asked for three times at once.
const THRICE_IN: u32 = 4;

/// During one in so many somebody dies.
const DEATH_IN: u32 = 3;

/// Who may die without anybody outside noticing.
const QUIET: [&str; 4] = ["local_delivery", "store_sweeper", "store_feed", "reloader"];

/// Of the last two the root allows few deaths.
const AT_THE_ROOT: usize = 3;
const PERIOD: Duration = Duration::from_secs(31);

/// Where the deliveries are, of which there are as many as the settings say.
const DELIVERIES: &str = "/tenants/default/queues/local/deliveries";

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let occupied = taken.local_addr()?;
    storm.home.configure(&Variant::first().document())?;
    let inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Nothing, &mut storm.rng);
    for account in 0..2 {
        crowd.reader(account, Tolerance::Nothing);
    }
    let (mut in_force, mut done, mut refused) = (Variant::first(), 0_u32, 0_u32);
    let mut deaths: Vec<Instant> = Vec::new();
    let end = storm.end();
    while Instant::now() < end {
        pass(storm.draw(APART.0, APART.1)).await;
        let next = Variant::drawn(occupied, &mut storm.rng);
        storm.home.configure(&next.document())?;
        let victim = victim(&inside, &mut deaths, storm);
        let before = Instant::now();
        let outcomes = reload(&inside, storm, victim.as_deref()).await?;
        storm.killed(Some(before.elapsed()));
        if victim.is_some() {
            // Whoever died may have been the one who knows: the next reload is told what came of this.
            in_force = settled(&inside, &in_force, &next).await?;
            continue;
        }
        for outcome in outcomes {
            check_outcome(&outcome, &next)?;
        }
        if next.flaw.is_none() {
            in_force = next;
            done += 1;
        } else {
            refused += 1;
        }
        agrees(&inside, &in_force)?;
    }
    let last = Variant::whole(&mut storm.rng);
    storm.home.configure(&last.document())?;
    check_outcome(&inside.reload().await?, &last)?;
    agrees(&inside, &last)?;
    workers(&inside, &last).await?;
    crowd.disperse().await?;
    storm.tally.notes.push(format!(
        "{done} in force, {refused} refused, the others with a death"
    ));
    storm.calm(inside).await
}

/// Asks once or thrice, and meanwhile somebody dies.
async fn reload(inside: &Inside, storm: &mut Storm, victim: Option<&str>) -> anyhow::Result<Vec<Reloaded>> {
    let after = storm.draw(Duration::ZERO, Duration::from_millis(20));
    let death = async {
        if let Some(victim) = victim {
            pass(after).await;
            inside.kill(victim).await?;
        }
        anyhow::Ok(())
    };
    if storm.rng.random_ratio(1, THRICE_IN) {
        let (one, two, three, death) = tokio::join!(inside.reload(), inside.reload(), inside.reload(), death);
        death?;
        return Ok(vec![one?, two?, three?]);
    }
    let (one, death) = tokio::join!(inside.reload(), death);
    death?;
    Ok(vec![one?])
}

/// Somebody who may die during the next reload, now and then.
fn victim(inside: &Inside, deaths: &mut Vec<Instant>, storm: &mut Storm) -> Option<String> {
    if !storm.rng.random_ratio(1, DEATH_IN) {
        return None;
    }
    deaths.retain(|at| at.elapsed() < PERIOD);
    let class = QUIET.into_iter().choose(&mut storm.rng)?;
    let victim = inside
        .standings("/")
        .into_iter()
        .filter(|standing| standing.class == class && standing.phase == "up")
        .choose(&mut storm.rng)?;
    if victim.path.matches('/').count() == 1 {
        if deaths.len() >= AT_THE_ROOT {
            return None;
        }
        deaths.push(Instant::now());
    }
    Some(victim.path)
}

/// Without deaths it is known what comes of a reload.
fn check_outcome(reloaded: &Reloaded, variant: &Variant) -> Result<(), Broken> {
    let due = match variant.flaw {
        None => &["done"][..],
        Some(Flaw::Mistake) => &["invalid"],
        Some(Flaw::Occupied(_)) => &["refused", "invalid"],
    };
    if !due.contains(&reloaded.outcome.as_str()) {
        return Err(broken(format!("{variant:?} ended as {reloaded:?}")));
    }
    // A connection may end while it is told; nobody else does.
    if reloaded.outcome == "done" && reloaded.silent > 0 {
        return Err(broken(format!("not everybody has answered: {reloaded:?}")));
    }
    Ok(())
}

/// After a death it is the old or the new, and the same everywhere.
async fn settled(inside: &Inside, old: &Variant, new: &Variant) -> anyhow::Result<Variant> {
    let found = until(tree_is_whole::LIMIT, async || {
        let is_it = |variant: &&Variant| variant.flaw.is_none() && agrees(inside, variant).is_ok();
        Ok([old, new].into_iter().find(is_it).cloned())
    });
    match found.await? {
        Some(variant) => Ok(variant),
        None => Err(broken(format!("neither {old:?} nor {new:?} is in force")).into()),
    }
}

/// What is in force is this, where it can be seen: in the settings, and at the doors.
fn agrees(inside: &Inside, variant: &Variant) -> Result<(), Broken> {
    let (workers, errors) = inside.settings(|config| (config.queue.workers, config.smtp.max_errors));
    if (workers, errors) != (variant.workers, variant.errors) {
        return Err(broken(format!(
            "{workers} workers and {errors} errors are in force instead of {variant:?}"
        )));
    }
    for (name, wanted) in variant.extras() {
        if inside.listens(name) != wanted {
            return Err(broken(format!("{name} is not as in {variant:?}")));
        }
    }
    Ok(())
}

/// There are as many deliveries as the settings say, when those that were too many have ended.
async fn workers(inside: &Inside, variant: &Variant) -> anyhow::Result<()> {
    let count = || {
        let standings = inside.standings(DELIVERIES);
        standings
            .iter()
            .filter(|standing| standing.path != DELIVERIES)
            .count()
    };
    let wanted = variant.workers as usize;
    let there = until(tree_is_whole::LIMIT, async || {
        Ok((count() == wanted).then_some(()))
    });
    match there.await? {
        Some(()) => Ok(()),
        None => Err(broken(format!("{} deliveries live, {wanted} are wanted", count())).into()),
    }
}

fn broken(how: String) -> Broken {
    Broken::new(PROMISE, how)
}
