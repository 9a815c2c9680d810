//! Reload: reads the sources of the configuration anew, for the reloader.

use actors::reload::loader::{Loaded, Loader};
use config::{ConfigError, Sourced};
use store::record::configuration::KeptDocument;

use crate::{
    certificate,
    loader::{Mistakes, Overrides, Shortcuts},
};

/// The sources that this process was started with: its arguments, its environment, and the file that they name.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// What every command may be told.
    pub overrides: Overrides,
    /// What serving may be told besides.
    pub shortcuts: Shortcuts,
}

impl Sources {
    /// Reads everything for the first time.
    ///
    /// # Errors
    /// Every mistake. What is in the files that the configuration names is not looked at.
    pub fn first(&self) -> Result<Loaded, Mistakes> {
        let (sourced, documents) = self.overrides.read(&self.shortcuts).map_err(Mistakes)?;
        Ok(Loaded {
            contents: certificate::contents(&sourced.config),
            sourced,
            documents,
            warnings: Vec::new(),
        })
    }
}

impl Loader for Sources {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        let (sourced, documents) = self.overrides.read(&self.shortcuts).map_err(printed)?;
        loaded(sourced, documents)
    }

    fn reread(&self, documents: &[KeptDocument]) -> Result<Loaded, Vec<String>> {
        let sourced = self
            .overrides
            .reread(&self.shortcuts, documents)
            .map_err(printed)?;
        loaded(sourced, documents.to_vec())
    }
}

fn printed(mistakes: Vec<ConfigError>) -> Vec<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

fn loaded(sourced: Sourced, documents: Vec<KeptDocument>) -> Result<Loaded, Vec<String>> {
    let checked = certificate::check(&sourced.config);
    let warnings =
        checked.map_err(|why| format!("{why:#}").lines().map(str::to_owned).collect::<Vec<_>>())?;
    Ok(Loaded {
        contents: certificate::contents(&sourced.config),
        sourced,
        documents,
        warnings,
    })
}

/// Nothing is read again: a server in a process that has no sources.
#[derive(Clone, Copy, Debug)]
pub struct Unchanging;

impl Loader for Unchanging {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        Err(vec!["this server has no sources to read again".to_owned()])
    }

    fn reread(&self, _: &[KeptDocument]) -> Result<Loaded, Vec<String>> {
        self.load()
    }
}
