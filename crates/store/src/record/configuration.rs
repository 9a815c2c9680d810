//! Records of configurations that were in force: to return to one of them.

use message::{id::ReceiptId, time::Timestamp};
use serde::{Deserialize, Serialize};

use super::Record;

/// A configuration that was in force. It is kept by the receipt of the reload that brought it, or of the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptConfiguration {
    /// The receipt; its time is when it came into force.
    pub id: ReceiptId,
    /// When it came into force.
    pub at: Timestamp,
    /// The files that it was read from; none where there was no file.
    pub documents: Vec<KeptDocument>,
}

/// A file of a configuration. It holds no secret: keys and passwords are elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDocument {
    /// What mistakes call it by.
    pub name: String,
    /// Its text.
    pub content: String,
}

/// Configurations that are kept; the oldest goes when there is another.
pub const MAX_KEPT_CONFIGURATIONS: usize = 32;
/// Files of one configuration.
pub const MAX_KEPT_DOCUMENTS: usize = 8;
/// Octets of the names and texts of all files of one configuration.
pub const MAX_KEPT_OCTETS: usize = 2 << 20;

impl KeptConfiguration {
    /// Octets of its names and texts.
    #[must_use]
    pub fn octets(&self) -> usize {
        let documents = self.documents.iter();
        documents.map(|it| it.name.len() + it.content.len()).sum()
    }
}

impl Record for KeptConfiguration {
    const NAME: &'static str = "configuration";
    const VERSION: u8 = 1;
}
