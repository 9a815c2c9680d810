//! The sequence: how many commands this store ever committed, written with every group.

use bytes::Bytes;

use crate::{
    batch::Op,
    engine::{Engine, StoreError},
    key::{Key, Keyspace},
};

/// Version of this record.
const VERSION: u8 = 1;

/// Makes the sequence durable with its group.
pub(crate) fn put(sequence: u64) -> Op {
    let mut value = Vec::with_capacity(13);
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
    let unreadable = || StoreError::Unreadable("the sequence is not what was written".to_owned());
    let (body, checksum) = value.split_last_chunk::<4>().ok_or_else(unreadable)?;
    let (version, sequence) = body.split_first().ok_or_else(unreadable)?;
    let sequence = <[u8; 8]>::try_from(sequence).map_err(|_| unreadable())?;
    if *version != VERSION || crc32fast::hash(body).to_be_bytes() != *checksum {
        return Err(unreadable());
    }
    Ok(u64::from_be_bytes(sequence))
}

fn key() -> Key {
    Key {
        space: Keyspace::Meta,
        bytes: b"sequence".to_vec(),
    }
}
