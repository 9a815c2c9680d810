//! Loader: where the configuration comes from. What it means is the business of `config`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use config::{Config, ConfigError, Profile, Source, parse};

/// What the command line says about the configuration.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Overrides {
    /// The configuration file; without one the development profile serves on loopback
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The directory that holds everything durable
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Sets one key over the file, as smtp.max_errors=5; may be repeated
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
}

impl Overrides {
    /// Reads and checks the whole configuration.
    ///
    /// # Errors
    /// When the file cannot be read, or with every mistake in it.
    pub fn load(&self) -> anyhow::Result<Config> {
        let mut sources: Vec<Source> = self
            .set
            .iter()
            .map(|set| Source::command_line(set.as_str()))
            .collect();
        let mut fallback = Profile::Development;
        if let Some(path) = &self.config {
            fallback = Profile::Production;
            sources.push(file(path)?);
        }
        let mut config = parse(&sources, fallback).map_err(Mistakes)?;
        if let Some(data) = &self.data {
            config.server.data.clone_from(data);
        }
        Ok(config)
    }
}

fn file(path: &Path) -> anyhow::Result<Source> {
    let content =
        fs::read(path).with_context(|| format!("cannot read the configuration {}", path.display()))?;
    Ok(Source::file(path.display().to_string(), content))
}

/// Every mistake of a configuration.
#[derive(Debug)]
pub struct Mistakes(pub Vec<ConfigError>);

impl std::fmt::Display for Mistakes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
