//! Records: what stands behind a key. A version octet first, the fields in postcard, a CRC-32 (big-endian) last.
//!
//! A record that cannot be read is a value, [`Damaged`], never a stop: whoever meets it reports its key and goes on
//! without it. A record of an older version is read through [`Record::older`]; one of a newer version is damage, as
//! the format number of the store has already kept newer stores away.

pub mod audit;
pub mod ban;
pub mod blob;
pub mod configuration;
pub mod directory;
pub mod job;
pub mod mailbox;
pub mod once;
pub mod spool;
pub mod state;
pub mod trail;
pub mod upkeep;

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::key::Key;

/// Something that is stored under a key.
pub trait Record: Serialize + DeserializeOwned {
    /// What it is called in reports.
    const NAME: &'static str;
    /// The version that is written. Fields are never added to a version: the next one gets them, and
    /// [`Record::older`] knows the last.
    const VERSION: u8;

    /// Reads the fields of an older version.
    #[must_use]
    fn older(_version: u8, _fields: &[u8]) -> Option<Self> {
        None
    }
}

/// Octets of the checksum.
const CHECKSUM_OCTETS: usize = 4;
/// What most records need, so that writing one allocates once.
const USUAL_OCTETS: usize = 160;

/// The octets of a record.
///
/// # Errors
/// [`RecordError::Unwritable`] when a field cannot be said in postcard: our bug.
pub fn encode<R: Record>(record: &R) -> Result<Bytes, RecordError> {
    let mut octets = Vec::with_capacity(USUAL_OCTETS);
    octets.push(R::VERSION);
    let mut octets = postcard::to_extend(record, octets).map_err(|_| RecordError::Unwritable(R::NAME))?;
    let checksum = crc32fast::hash(&octets);
    octets.extend_from_slice(&checksum.to_be_bytes());
    Ok(octets.into())
}

/// The record in these octets.
///
/// # Errors
/// [`RecordError`] when they are not a record of this kind, whole and of a known version.
pub fn decode<R: Record>(octets: &[u8]) -> Result<R, RecordError> {
    let Some((summed, checksum)) = octets.split_last_chunk::<CHECKSUM_OCTETS>() else {
        return Err(RecordError::Short(R::NAME));
    };
    let Some((&version, fields)) = summed.split_first() else {
        return Err(RecordError::Short(R::NAME));
    };
    if crc32fast::hash(summed) != u32::from_be_bytes(*checksum) {
        return Err(RecordError::Checksum(R::NAME));
    }
    if version != R::VERSION {
        return R::older(version, fields).ok_or(RecordError::Version(R::NAME, version));
    }
    fields_of(fields).ok_or(RecordError::Fields(R::NAME))
}

/// The fields of one version, all of them and nothing behind them: what [`Record::older`] reads with.
#[must_use]
pub fn fields_of<T: DeserializeOwned>(fields: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(fields) {
        Ok((fields, [])) => Some(fields),
        Ok(_) | Err(_) => None,
    }
}

/// Why octets are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Fewer octets than any record has.
    #[error("{0}: too short")]
    Short(&'static str),
    /// The octets are not those that were written.
    #[error("{0}: the checksum is wrong")]
    Checksum(&'static str),
    /// A version that this program does not know.
    #[error("{0}: unknown version {1}")]
    Version(&'static str, u8),
    /// The fields do not follow the format of their version.
    #[error("{0}: malformed fields")]
    Fields(&'static str),
    /// The key is not one that a record of this kind can have.
    #[error("{0}: malformed key")]
    Key(&'static str),
    /// A record cannot be written.
    #[error("{0}: cannot be written")]
    Unwritable(&'static str),
}

/// A record that cannot be read, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged record at {key}: {why}")]
pub struct Damaged {
    /// Where it is.
    pub key: Key,
    /// What is wrong.
    pub why: RecordError,
}

impl Damaged {
    /// The record at this key, or what is wrong with it.
    ///
    /// # Errors
    /// [`Damaged`] as [`decode`] says.
    pub fn check<R: Record>(key: &Key, octets: &[u8]) -> Result<R, Self> {
        decode(octets).map_err(|why| Self {
            key: key.clone(),
            why,
        })
    }
}

#[cfg(test)]
mod tests;
