//! Removing uploads that were never accepted, before the committer starts.

use std::ops::Bound;

use crate::{
    batch::Op,
    blob::key::{UPLOAD_KIND, parse_upload_key},
    engine::{Engine, Snapshot, StoreError},
    key::{Key, Keyspace, PREFIX_OCTETS},
};

use super::key::chunk_key;

/// Removes the chunks of all uploads whose mark still stands, and says how many there were.
///
/// Whatever the process was doing when it ended, nobody can accept these blobs any more.
pub(crate) fn uploads<E: Engine>(engine: &E) -> Result<u64, StoreError> {
    let snapshot = engine.snapshot();
    let mut swept = 0;
    let mut cursor = Vec::new();
    // Marks of one tenant and partition stand together; the rest of the keyspace is jumped over.
    while let Some((key, _)) = snapshot
        .scan(Keyspace::Blob, Bound::Included(&cursor), Bound::Unbounded, 1)?
        .into_iter()
        .next()
    {
        cursor = match parse_upload_key(&key) {
            Some(_) => {
                sweep(engine, &snapshot, &key)?;
                swept += 1;
                [key.as_slice(), &[0]].concat()
            }
            None => match next_place(&key) {
                Some(place) => place,
                None => break,
            },
        };
    }
    Ok(swept)
}

fn sweep<E: Engine>(engine: &E, snapshot: &E::Snapshot, mark: &[u8]) -> Result<(), StoreError> {
    let Some((tenant, blob)) = parse_upload_key(mark) else {
        return Ok(());
    };
    let mut ops = vec![Op::Delete(Key {
        space: Keyspace::Blob,
        bytes: mark.to_vec(),
    })];
    // Chunks were written in order and their journal was cut at its end only: the first gap is the end.
    for number in 0.. {
        let chunk = chunk_key(tenant, blob, number);
        if snapshot.get(&chunk)?.is_none() {
            break;
        }
        ops.push(Op::Delete(chunk));
    }
    engine.write(ops, false)
}

/// Where the next marks can stand, seen from a key that is not one.
fn next_place(key: &[u8]) -> Option<Vec<u8>> {
    let (owner, kind) = key.split_at_checked(PREFIX_OCTETS - 1)?;
    let mut place = owner.to_vec();
    if kind.first().is_some_and(|&kind| kind < UPLOAD_KIND) {
        place.push(UPLOAD_KIND);
        return Some(place);
    }
    // Behind the marks of this owner: the next owner, counted as one big-endian number.
    let carry = place.iter().rposition(|&octet| octet != u8::MAX)?;
    place.truncate(carry + 1);
    if let Some(last) = place.last_mut() {
        *last += 1;
    }
    Some(place)
}
