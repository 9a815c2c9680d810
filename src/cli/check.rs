//! `angarium check config`: what an operator wants to know before trusting a configuration. `check store` is a verb.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Subcommand, ValueEnum};
use config::{Config, Explained, Origin};
use serde_json::json;

use crate::{
    certificate,
    loader::{Overrides, Shortcuts},
};

/// Checks a configuration, or the store
#[derive(Subcommand)]
pub(super) enum Check {
    /// Reads the configuration and names every mistake in it
    Config(ConfigCheck),
}

/// How the configuration is checked
#[derive(clap::Args)]
pub(super) struct ConfigCheck {
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    shortcuts: Shortcuts,
    /// Prints every value with its source, as TOML or as one JSON object a line
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "toml")]
    explain: Option<Explain>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Explain {
    Toml,
    Json,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Config(check) => check.run(),
        }
    }
}

impl ConfigCheck {
    fn run(&self) -> anyhow::Result<ExitCode> {
        let Some(format) = self.explain else {
            return say_good(&self.overrides.load_with(&self.shortcuts)?);
        };
        let mut out = io::stdout().lock();
        for explained in self.overrides.explain(&self.shortcuts)? {
            let line = match format {
                Explain::Toml => as_toml(&explained),
                Explain::Json => as_json(&explained)?,
            };
            writeln!(out, "{line}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Says that there is no mistake, in the files of TLS neither, and what is odd.
pub(super) fn say_good(config: &Config) -> anyhow::Result<ExitCode> {
    let mut out = io::stdout();
    for warning in certificate::check(config)? {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(
        out,
        "the configuration is good; the data directory is {}",
        config.server.data.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A line that a configuration file could hold, with the source behind it.
fn as_toml(Explained { key, value, origin }: &Explained) -> String {
    match value {
        Some(value) => format!("{:<56} # {origin}", format!("{key} = {value}")),
        None => format!("{:<56} # not set", format!("#{key} =")),
    }
}

/// The same for a program.
fn as_json(Explained { key, value, origin }: &Explained) -> anyhow::Result<String> {
    // What the settings print as TOML is JSON as well.
    let value: Option<serde_json::Value> = value.as_deref().map(serde_json::from_str).transpose()?;
    let mut line = json!({"key": key, "value": value, "source": origin.word()});
    if let (Some(line), false) = (line.as_object_mut(), *origin == Origin::Default) {
        line.insert("place".to_owned(), origin.to_string().into());
    }
    Ok(line.to_string())
}
