//! The program `chaos`: runs one scenario or all of them, and says how to repeat what failed.

use std::{env, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, bail};
use chaos::{
    runner::{Plan, run},
    scenario::Scenario,
};
use clap::Parser;

/// The first argument of a process that is to be killed: what follows is for the server.
const CHILD: &str = "angarium";

/// Kills actors and processes under load and checks promises
#[derive(Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// A scenario, "all", or "list"
    #[arg(default_value = "all")]
    scenario: String,
    /// What every draw of the run follows from; drawn itself when it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// How long the whole run may take, about
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many actors kill_any_class_under_load kills at least, however long that takes
    #[arg(long, default_value_t = 0)]
    kills: u64,
}

fn main() -> ExitCode {
    if env::args_os().nth(1).is_some_and(|first| first == CHILD) {
        return chaos::serve_as_child(env::args_os().skip(1));
    }
    match storm(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("chaos: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn storm(arguments: &Arguments) -> anyhow::Result<bool> {
    if arguments.scenario == "list" {
        for scenario in Scenario::ALL {
            println!("{:<30} {}", scenario.name(), scenario.story());
        }
        return Ok(true);
    }
    let scenarios = chosen(&arguments.scenario)?;
    let program: PathBuf = env::current_exe().context("this program cannot find itself")?;
    let seed = arguments.seed.unwrap_or_else(|| u64::from(rand::random::<u16>()));
    let time = Duration::from_secs(arguments.seconds);
    let plan = Plan::full(program, seed, time, arguments.kills);
    run(&scenarios, &plan)
}

fn chosen(name: &str) -> anyhow::Result<Vec<Scenario>> {
    if name == "all" {
        return Ok(Scenario::ALL.to_vec());
    }
    match Scenario::ALL.into_iter().find(|scenario| scenario.name() == name) {
        Some(scenario) => Ok(vec![scenario]),
        None => bail!("there is no scenario {name:?}; see: chaos list"),
    }
}
