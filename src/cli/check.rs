//! `angarium check`: what an operator wants to know before trusting a configuration or a store.

use std::process::ExitCode;

use clap::Subcommand;
use store::verify::verify;

use crate::{boot::open_store, loader::Overrides};

/// Checks a configuration, or the store of a stopped server
#[derive(Subcommand)]
pub(super) enum Check {
    /// Reads the configuration and names every mistake in it
    Config(Overrides),
    /// Goes over every record and every message of the store
    Store(StoreCheck),
}

/// How the store is checked
#[derive(clap::Args)]
pub(super) struct StoreCheck {
    #[command(flatten)]
    overrides: Overrides,
    /// Opens a store whose newest commands are missing, and takes the loss as the truth from then on
    #[arg(long)]
    accept_truncation: bool,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Config(overrides) => {
                let config = overrides.load()?;
                println!(
                    "the configuration is good; the data directory is {}",
                    config.server.data.display()
                );
                Ok(ExitCode::SUCCESS)
            }
            Self::Store(check) => check.run(),
        }
    }
}

impl StoreCheck {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.overrides.load()?;
        anyhow::ensure!(
            config.server.data.is_dir(),
            "there is no data directory {}",
            config.server.data.display()
        );
        let (store, report) = open_store(&config, self.accept_truncation)?;
        if let Some(loss) = &report.accepted_loss {
            println!("accepted: {loss}");
        }
        let checked = verify(
            &store.snapshot(),
            |tenant, blob| {
                store
                    .blob_reader(tenant, blob)
                    .verify()
                    .map_err(|why| why.to_string())
            },
            |finding| println!("{finding}"),
        );
        store.close()?;
        let summary = checked?;
        println!(
            "{} records in {} commands, {} findings",
            summary.records, report.sequence, summary.findings,
        );
        Ok(if summary.findings == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
