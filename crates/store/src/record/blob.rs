//! The record that says how many others refer to a blob.

use serde::{Deserialize, Serialize};

use super::Record;

/// A blob that something refers to. At the last reference's end its chunks go too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobRow {
    /// How many records refer to it: one for a spooled message, one for each message in a mailbox.
    pub refs: u32,
    /// Octets of the message.
    pub octets: u64,
    /// BLAKE3 of the message.
    pub checksum: [u8; 32],
    /// How many chunks there are.
    pub chunks: u32,
}

impl Record for BlobRow {
    const NAME: &'static str = "blob";
    const VERSION: u8 = 1;
}
