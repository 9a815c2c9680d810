//! Runner: runs scenarios one after the other and tells what came of each.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context;

use crate::{
    scenario::Scenario,
    storm::{Effort, Storm},
    times::percentile,
};

/// How a run is done.
#[derive(Clone, Debug)]
pub struct Plan {
    program: PathBuf,
    seed: u64,
    effort: Effort,
    time: Option<Duration>,
}

impl Plan {
    /// Everything that a scenario has, in about this time over all scenarios; who counts the actors that it kills goes on
    /// until it has killed so many. `program` is the program `chaos`, which children are made of.
    #[must_use]
    pub const fn full(program: PathBuf, seed: u64, time: Duration, kills: u64) -> Self {
        Self {
            program,
            seed,
            effort: Effort {
                time,
                kills,
                process_kills: 20,
                offsets: None,
                letters: 4000,
            },
            time: Some(time),
        }
    }

    /// A little of everything, for tests.
    #[must_use]
    pub const fn short(program: PathBuf, seed: u64) -> Self {
        Self {
            program,
            seed,
            effort: Effort {
                time: Duration::from_secs(1),
                kills: 0,
                process_kills: 3,
                offsets: Some(40),
                letters: 300,
            },
            time: None,
        }
    }

    fn effort(&self, scenarios: usize) -> Effort {
        let share = u32::try_from(scenarios).unwrap_or(u32::MAX).max(1);
        Effort {
            // The end of a scenario, when nothing is killed any more, takes about as long as the rest.
            time: self.time.map_or(self.effort.time, |time| time / share / 2),
            ..self.effort
        }
    }
}

/// Runs scenarios, prints a line for each, and says whether all promises held.
///
/// # Errors
/// When a run cannot even begin.
pub fn run(scenarios: &[Scenario], plan: &Plan) -> anyhow::Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut held = true;
    println!("seed {}", plan.seed);
    for scenario in scenarios {
        let storm = Storm::new(plan.program.clone(), plan.seed, plan.effort(scenarios.len()));
        let mut storm = storm.context("a scenario cannot begin")?;
        let start = Instant::now();
        let done = runtime.block_on(scenario.run(&mut storm));
        println!("{}", summary(scenario.name(), &storm, start.elapsed()));
        if let Err(why) = done {
            held = false;
            println!("FAILED {}: {why:#}", scenario.name());
            println!(
                "REPRODUCE: cargo run -p chaos -- {} --seed {} --seconds {}",
                scenario.name(),
                plan.seed,
                storm.effort.time.mul_f64(2.0).as_secs_f64().ceil()
            );
            println!("the data is kept in {}", storm.home.keep().display());
        }
    }
    runtime.shutdown_background();
    Ok(held)
}

/// One line: kills, messages, and how long the killed took to be back.
fn summary(name: &str, storm: &Storm, took: Duration) -> String {
    let kills = storm.tally.kills;
    let sent = storm.tally.sent + storm.ledger.sent();
    let accepted = storm.tally.accepted + storm.ledger.accepted();
    let mut recoveries = storm.tally.recoveries.clone();
    recoveries.sort_unstable();
    let mut line = format!("{name:<30} {kills:>5} kills  {accepted:>6} of {sent:>6} messages accepted");
    if let (Some(half), Some(most)) = (percentile(&recoveries, 50), percentile(&recoveries, 99)) {
        line += &format!("  back in {half:.1?} (p50) {most:.1?} (p99)");
    }
    for note in &storm.tally.notes {
        line += &format!("  {note}");
    }
    line + &format!("  {:.1} s", took.as_secs_f64())
}
