//! Anything that lives dies: actors, and supervisors with all that is below them. Connections may break; what was
//! accepted is there, nobody is refused for good, and the tree heals.

use std::{collections::BTreeMap, time::Duration};

use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use tokio::time::Instant;

use crate::{crowd::Tolerance, server::inside::Inside, storm::Storm, wait::pass};

/// Between two deaths.
const APART: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(400));

/// What a supervisor allows may be used up, and no more: the fall of the root is the end of the process, as it should be.
const PERIOD: Duration = Duration::from_secs(31);
const AT_THE_ROOT: usize = 4;
const ELSEWHERE: usize = 3;

pub(super) async fn run(storm: &mut Storm) -> anyhow::Result<()> {
    let inside = storm.start_inside(4).await?;
    let mut crowd = storm.crowd();
    crowd.senders(6, &(0..4), Tolerance::Anything, &mut storm.rng);
    for account in 0..4 {
        crowd.reader(account, Tolerance::Anything);
    }
    let mut killed: Vec<(String, Instant)> = Vec::new();
    let end = storm.end();
    while Instant::now() < end {
        pass(storm.draw(APART.0, APART.1)).await;
        killed.retain(|(_, at)| at.elapsed() < PERIOD);
        let families = families(&inside, &killed);
        let Some(victim) = families
            .values()
            .choose(&mut storm.rng)
            .and_then(|all| all.choose(&mut storm.rng))
        else {
            continue;
        };
        let recovery = inside.kill(victim).await?;
        killed.push((parent(victim).to_owned(), Instant::now()));
        storm.killed(recovery);
    }
    crowd.disperse().await?;
    storm.calm(inside).await
}

/// Who may die, by their supervisors.
fn families(inside: &Inside, killed: &[(String, Instant)]) -> BTreeMap<String, Vec<String>> {
    let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for standing in inside.standings("/") {
        if standing.phase != "up" || standing.path == "/" {
            continue;
        }
        let parent = parent(&standing.path);
        let times = killed.iter().filter(|(before, _)| before == parent).count();
        let most = if parent.is_empty() { AT_THE_ROOT } else { ELSEWHERE };
        if times < most || parent.ends_with("/connections") || parent.ends_with("/deliveries") {
            families.entry(parent.to_owned()).or_default().push(standing.path);
        }
    }
    families
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}
