//! Loader: where configurations come from. Files, environment and command line are the program's, which hands one in.

use std::collections::BTreeMap;

use config::Sourced;
use store::record::configuration::KeptDocument;

/// Where configurations come from.
pub trait Loader: Send + Sync + 'static {
    /// Reads and validates all sources anew. Blocks.
    ///
    /// # Errors
    /// Every mistake, also those in files that the configuration names.
    fn load(&self) -> Result<Loaded, Vec<String>>;

    /// The same with these texts in the place of the files of today.
    ///
    /// # Errors
    /// As [`Loader::load`].
    fn reread(&self, documents: &[KeptDocument]) -> Result<Loaded, Vec<String>>;
}

/// A configuration that was read.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings, and where each comes from.
    pub sourced: Sourced,
    /// The files that they were read from.
    pub documents: Vec<KeptDocument>,
    /// The hash of what is in each file that a key names: a renewed certificate has the same name.
    pub contents: BTreeMap<String, [u8; 32]>,
    /// What works and is probably not meant.
    pub warnings: Vec<String>,
}
