//! The command line: one file per subcommand.

mod bench;
mod care;
mod check;
mod client;
mod offline;
mod password;
mod serve;
mod shell;
mod top;
mod verb;

use std::{ffi::OsString, process::ExitCode};

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Exit code for what the operator must mend before another start can help: arguments, configuration.
const EXIT_USAGE: u8 = 2;

/// A self-hosted mail server
#[derive(Parser)]
#[command(name = "angarium", version, disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until SIGTERM or SIGINT
    Serve(serve::Serve),
    /// Checks a configuration, or the store
    #[command(subcommand)]
    Check(check::Check),
    /// The shell of a server that runs: lines that are typed, or one line
    Shell(shell::Shell),
    /// Puts a load on a server and says what came of it
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Prints the version
    Version,
}

/// Does what the arguments of this process say.
#[must_use]
pub fn run() -> ExitCode {
    run_with(std::env::args_os())
}

/// Does what these arguments say; the first is the name of the program.
#[must_use]
pub fn run_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = verb::add_to(Arguments::command()).get_matches_from(arguments);
    let done = match verb::of_matches(&matches) {
        Some((verb, matches)) => verb::run(verb, matches),
        None => run_command(&matches),
    };
    done.unwrap_or_else(|why| {
        eprintln!("angarium: {}", explain(&why));
        match why.downcast_ref::<crate::loader::Mistakes>() {
            Some(_) => ExitCode::from(EXIT_USAGE),
            None => ExitCode::FAILURE,
        }
    })
}

/// Does a command that is no verb.
fn run_command(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    match Arguments::from_arg_matches(matches)?.command {
        Command::Serve(serve) => serve.run(),
        Command::Check(check) => check.run(),
        Command::Shell(shell) => shell.run(),
        Command::Bench(bench) => bench.run(),
        Command::Version => {
            println!("angarium {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// An error with its causes, in one line unless it lists mistakes.
fn explain(why: &anyhow::Error) -> String {
    match why.downcast_ref::<crate::loader::Mistakes>() {
        Some(mistakes) => format!("the configuration has mistakes\n{mistakes}"),
        None => format!("{why:#}"),
    }
}

/// A runtime for a command that is done at once.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}
