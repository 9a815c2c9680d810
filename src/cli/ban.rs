//! `angarium ban`: who is sent away, on a stopped server.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use actors::{clock::Clock, mint::Mint};
use anyhow::{Context, bail};
use clap::Subcommand;
use config::parse_duration;
use store::{
    apply::Rejected,
    command::{self, Command, Proposal, Term},
    propose::ProposeError,
    read,
    record::ban::{MAX_REASON_OCTETS, Network, Origin},
    store::Store,
};

use super::runtime;
use crate::{boot::open_store, loader::Overrides};

/// Who is sent away, on a stopped server
#[derive(Subcommand)]
pub(super) enum Ban {
    /// Bans an address or a network
    Add(Add),
    /// Lists the bans, also those that have ended and are remembered
    List(All),
    /// Takes a ban back, and forgets it
    Remove(Remove),
}

/// A new ban
#[derive(clap::Args)]
pub(super) struct Add {
    /// An address or a network, as 192.0.2.7 or 2001:db8::/64
    network: Network,
    /// How long, as 12h or 7d; without it until it is taken back
    #[arg(long = "for", value_parser = duration, value_name = "DURATION")]
    term: Option<Duration>,
    /// Why, for whoever reads the list
    #[arg(long, default_value = "by hand", value_parser = reason)]
    reason: String,
    #[command(flatten)]
    overrides: Overrides,
}

/// A ban that is there
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The network, as the list shows it
    network: Network,
    #[command(flatten)]
    overrides: Overrides,
}

/// All bans
#[derive(clap::Args)]
pub(super) struct All {
    #[command(flatten)]
    overrides: Overrides,
}

impl Ban {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(add) => add.run()?,
            Self::List(all) => with_store(&all.overrides, |store, _| list(store))?,
            Self::Remove(remove) => remove.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    fn run(&self) -> anyhow::Result<()> {
        with_store(&self.overrides, |store, propose| {
            let until = self.term.map(|term| Clock::system().timestamp() + term);
            let ban = command::Ban {
                network: self.network,
                reason: self.reason.clone(),
                term: Term::Operator(until),
            };
            propose(store, Command::Ban(ban))?;
            println!("banned {}", self.network);
            Ok(())
        })
    }
}

impl Remove {
    fn run(&self) -> anyhow::Result<()> {
        let network = self.network;
        with_store(&self.overrides, |store, propose| {
            match propose(store, Command::Unban(command::Unban { network })) {
                Err(ProposeError::Rejected(Rejected::NoSuchBan)) => bail!("{network} is not banned"),
                done => done?,
            }
            println!("{network} is not banned any more");
            Ok(())
        })
    }
}

fn list(store: &Store) -> anyhow::Result<()> {
    let now = Clock::system().timestamp();
    let mut lines = Vec::new();
    read::ban::bans(&store.snapshot(), |network, ban| {
        let until = match ban.until {
            None => "until it is taken back".to_owned(),
            Some(until) if until <= now => format!("ended {until}"),
            Some(until) => format!("until {until}"),
        };
        let origin = match ban.origin {
            Origin::Operator => "by hand".to_owned(),
            Origin::Automatic => format!("automatic, {} in a row", ban.count),
        };
        lines.push(format!("{network}\t{until}\t{origin}\t{}", ban.reason));
    })?;
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Proposes a command and waits until it is durable.
type Propose<'p> = &'p dyn Fn(&Store, Command) -> Result<(), ProposeError>;

/// Opens the store, works on it, and closes it.
fn with_store(
    overrides: &Overrides,
    work: impl FnOnce(&Store, Propose<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = overrides.load()?;
    let (store, _) = open_store(&config, false)?;
    let (runtime, clock) = (runtime()?, Clock::system());
    let mint = Mint::new(clock, config.server.node);
    let propose = |store: &Store, command| {
        let proposal = Proposal::new(mint.id(), clock.timestamp(), command);
        runtime.block_on(store.propose(proposal)).map(drop)
    };
    let worked = work(&store, &propose);
    store.close().context("the store did not close in order")?;
    worked
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text).ok_or("expected a duration such as 12h or 7d")
}

fn reason(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_REASON_OCTETS || text.contains(char::is_control) {
        return Err(format!("expected up to {MAX_REASON_OCTETS} octets in one line"));
    }
    Ok(text.to_owned())
}
