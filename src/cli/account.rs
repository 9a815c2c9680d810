//! `angarium account`: the accounts of a stopped server.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::Context;
use clap::Subcommand;
use message::address::EmailAddress;

use super::{password, runtime};
use crate::{
    admin::{Admin, AdminError, Scram},
    boot::open_store,
    loader::Overrides,
};

mod app_password;
mod identity;

/// The accounts of a stopped server
#[derive(Subcommand)]
pub(super) enum Account {
    /// Adds an account, and its domain if that is new; reads the password from standard input or asks for it
    Add(One),
    /// Lists the accounts with what they hold
    List(All),
    /// Deletes an account with all its mail
    Delete(One),
    /// Sets the password, read from standard input or asked for
    Password(One),
    /// Passwords of single programs, made here
    #[command(subcommand)]
    AppPassword(app_password::AppPassword),
    /// What an account may send as, besides its own address
    #[command(subcommand)]
    Identity(identity::Identity),
}

/// One account
#[derive(clap::Args)]
pub(super) struct One {
    /// Its address, as alice@example.org
    address: String,
    #[command(flatten)]
    overrides: Overrides,
}

/// All accounts
#[derive(clap::Args)]
pub(super) struct All {
    #[command(flatten)]
    overrides: Overrides,
}

impl Account {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Add(one) => {
                let (address, password) = (one.address()?, password::read()?);
                let scram = change(&one.overrides, async |admin| {
                    admin.add(address.clone(), &password).await
                })?;
                println!("added {address}");
                tell(scram);
            }
            Self::Delete(one) => {
                let address = one.address()?;
                change(&one.overrides, async |admin| admin.delete(&address).await)?;
                println!("deleted {address}");
            }
            Self::Password(one) => {
                let (address, password) = (one.address()?, password::read()?);
                let scram = change(&one.overrides, async |admin| {
                    admin.set_password(&address, &password).await
                })?;
                println!("the password of {} is set", address.shown());
                tell(scram);
            }
            Self::List(all) => {
                let accounts = change(&all.overrides, async |admin| admin.list().await)?;
                let mut out = io::stdout().lock();
                for account in accounts {
                    let usage = account.state.usage;
                    writeln!(
                        out,
                        "{}\t{} messages\t{} bytes",
                        account.record.address.shown(),
                        usage.messages,
                        usage.octets
                    )?;
                }
            }
            Self::AppPassword(command) => command.run()?,
            Self::Identity(command) => command.run()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl One {
    fn address(&self) -> anyhow::Result<EmailAddress> {
        EmailAddress::parse_utf8(&self.address)
            .with_context(|| format!("{:?} is not an address", self.address))
    }
}

/// Says what an operator might miss later.
fn tell(scram: Scram) {
    if scram == Scram::Impossible {
        println!(
            "it has characters that SASLprep forbids (RFC 4013): clients can send it, but not prove it by SCRAM"
        );
    }
}

/// Opens the store, changes it, and closes it.
fn change<T>(
    overrides: &Overrides,
    change: impl AsyncFnOnce(Admin) -> Result<T, AdminError>,
) -> anyhow::Result<T> {
    let config = overrides.load()?;
    let (store, _) = open_store(&config, false)?;
    let changed = runtime()?.block_on(async { change(Admin::new(&store, &config)?).await });
    store.close()?;
    Ok(changed?)
}
