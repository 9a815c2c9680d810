//! The sequence: how many commands this store ever committed, written with every group.

use bytes::Bytes;

use crate::{
    batch::Op,
    engine::{Engine, Snapshot, StoreError},
    key::{Key, Keyspace},
};

/// The key's octets.
pub(crate) const KEY: &[u8] = b"sequence";
/// Octets of the record: version, number, checksum.
pub(crate) const VALUE_OCTETS: usize = 13;

const VERSION: u8 = 1;

/// Makes the sequence durable with its group.
pub(crate) fn put(sequence: u64) -> Op {
    let mut value = Vec::with_capacity(VALUE_OCTETS);
    value.push(VERSION);
    value.extend_from_slice(&sequence.to_be_bytes());
    value.extend_from_slice(&crc32fast::hash(&value).to_be_bytes());
    Op::Put(key(), Bytes::from(value))
}

/// The number of the newest command that the engine has; 0 in a new store.
pub(crate) fn get<E: Engine>(engine: &E) -> Result<u64, StoreError> {
    let Some(value) = engine.get(&key())? else {
        return Ok(0);
    };
    parse(&value).ok_or_else(|| StoreError::Unreadable("the sequence is not what was written".to_owned()))
}

/// The number of the newest command that a snapshot has; 0 in a new store.
pub(crate) fn of(snapshot: &impl Snapshot) -> Result<u64, StoreError> {
    let Some(value) = snapshot.get(&key())? else {
        return Ok(0);
    };
    parse(&value).ok_or_else(|| StoreError::Unreadable("the sequence is not what was written".to_owned()))
}

/// The number in a record; `None` when it is not one.
pub(crate) fn parse(value: &[u8]) -> Option<u64> {
    let (body, checksum) = value.split_last_chunk::<4>()?;
    let (&version, sequence) = body.split_first()?;
    let whole = version == VERSION && crc32fast::hash(body).to_be_bytes() == *checksum;
    whole.then_some(u64::from_be_bytes(sequence.try_into().ok()?))
}

fn key() -> Key {
    Key {
        space: Keyspace::Meta,
        bytes: KEY.to_vec(),
    }
}
