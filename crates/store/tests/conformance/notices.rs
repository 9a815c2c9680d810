//! Whether `verify` notices: every record of a store that has lived is taken away once, and changed once.

use std::collections::BTreeSet;

use rand::{Rng as _, SeedableRng as _};
use store::{
    batch::Op,
    engine::{Engine as _, memory::MemoryEngine},
    key::{Key, Keyspace, PREFIX_OCTETS},
    verify::{Finding, Problem, verify},
};

use crate::{
    run::{Player, Row, dump},
    story::Seed,
};

#[test]
fn a_record_that_is_lost_or_changed_is_noticed() {
    let rows = rows();
    assert_eq!(findings(&rows, None), Vec::new());
    for (at, (space, key, value)) in rows.iter().enumerate() {
        let key = Key {
            space: *space,
            bytes: key.clone(),
        };
        if is_needed(&rows, &key) {
            assert!(
                !findings(&rows, Some((at, None))).is_empty(),
                "the loss of {key} is not noticed"
            );
        }
        let Some(changed) = changed(value) else { continue };
        // A chunk is checked by whoever reads the message.
        if !(*space == Keyspace::Blob && key.bytes[PREFIX_OCTETS - 1] == b'c') {
            let found = findings(&rows, Some((at, Some(changed))));
            let damaged =
                |finding: &Finding| finding.key == key && matches!(finding.problem, Problem::Damaged(_));
            assert!(found.iter().any(damaged), "the damage of {key} is not noticed");
        }
    }
}

/// Whether anything refers to a record. Nothing does to a step of a trail, to a result, to the record of an append, to
/// the key of decoys, to a ban, and to the chunks of a blob that is being reaped.
fn is_needed(rows: &[Row], key: &Key) -> bool {
    match key.space {
        Keyspace::Trail | Keyspace::Once => false,
        Keyspace::Directory => !b"bk".contains(&key.bytes[PREFIX_OCTETS - 1]),
        Keyspace::Blob => {
            let mut blob = key.bytes[..PREFIX_OCTETS + 16].to_vec();
            blob[PREFIX_OCTETS - 1] = b'b';
            rows.iter()
                .any(|(space, key, _)| *space == Keyspace::Blob && *key == blob)
        }
        _ => true,
    }
}

/// The records of a store in which every kind of record is.
pub(crate) fn rows() -> Vec<Row> {
    let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
    for _ in 0..200 {
        let seeds: Vec<Seed> = (0..250).map(|_| rng.random()).collect();
        let mut player = Player::new(crate::memory());
        player.play(&seeds);
        let rows = dump(&player.store);
        let kinds: BTreeSet<_> = rows
            .iter()
            .map(|(space, key, _)| (*space, key[PREFIX_OCTETS - 1]))
            .collect();
        if KINDS
            .iter()
            .all(|(space, kinds_of)| kinds_of.bytes().all(|kind| kinds.contains(&(*space, kind))))
        {
            return rows;
        }
    }
    panic!("no story has every kind of record");
}

const KINDS: [(Keyspace, &str); 6] = [
    (Keyspace::Directory, "tndeak@b"),
    (Keyspace::Spool, "mrq"),
    (Keyspace::Mailbox, "tanxsmcvzy"),
    (Keyspace::Blob, "bc"),
    (Keyspace::Trail, "h"),
    (Keyspace::Once, "ra"),
];

/// What is found when the row at one place has another value, or none.
fn findings(rows: &[Row], other: Option<(usize, Option<Vec<u8>>)>) -> Vec<Finding> {
    let engine = MemoryEngine::default();
    let kept = rows.iter().enumerate().filter_map(|(at, (space, key, value))| {
        let value = match &other {
            Some((place, other)) if *place == at => other.clone()?.into(),
            _ => value.clone(),
        };
        Some(Op::Put(
            Key {
                space: *space,
                bytes: key.clone(),
            },
            value,
        ))
    });
    engine.write(kept.collect(), false).unwrap();
    let mut found = Vec::new();
    verify(&engine.snapshot(), |_, _| Ok(()), |finding| found.push(finding)).unwrap();
    found
}

pub(crate) fn changed(value: &[u8]) -> Option<Vec<u8>> {
    let mut changed = value.to_vec();
    *changed.get_mut(value.len() / 2)? ^= 0x20;
    Some(changed)
}
