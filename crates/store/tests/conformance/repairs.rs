//! Whether `repair` mends: every record of a store that has lived is taken away once, and changed once; some of them
//! together. Afterwards nothing is found, and mail that was whole is where it was.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use message::id::{BlobId, TenantId};
use rand::{Rng as _, SeedableRng as _};
use store::{
    batch::Op,
    blob::BlobRef,
    engine::{Engine as _, Snapshot as _, memory::MemoryEngine},
    key::{self, Key, Keyspace, PREFIX_OCTETS},
    record::{self, mailbox::MailboxMessage, spool::SpoolMessage},
    repair::{Deed, plan},
    verify::{blobs, verify},
};

use crate::{
    notices::{changed, rows},
    run::Row,
};

#[test]
fn a_record_that_is_lost_or_changed_is_mended() {
    let rows = rows();
    let mut seen = BTreeMap::new();
    for (at, (space, key, value)) in rows.iter().enumerate() {
        // Some of each kind: a repair goes over everything several times.
        let count: &mut u32 = seen.entry((*space, key[PREFIX_OCTETS - 1])).or_default();
        *count += 1;
        if *count > 6 {
            continue;
        }
        mended(&rows, &[(at, None)]);
        if let Some(changed) = changed(value) {
            mended(&rows, &[(at, Some(changed))]);
        }
    }
}

#[test]
fn several_records_at_once_are_mended() {
    let rows = rows();
    let mut rng = rand::rngs::SmallRng::seed_from_u64(3053);
    for round in 0..48 {
        let places: BTreeSet<usize> = (0..2 + round % 12)
            .map(|_| rng.random_range(0..rows.len()))
            .collect();
        let damage: Vec<_> = places
            .into_iter()
            .map(|at| {
                let is_lost: bool = rng.random();
                (at, if is_lost { None } else { changed(&rows[at].2) })
            })
            .collect();
        mended(&rows, &damage);
    }
}

#[test]
fn a_whole_store_is_left_alone() {
    let engine = engine(&rows(), &[]);
    let plan = plan(engine.snapshot(), |_, _| {}).unwrap();
    assert_eq!((plan.found, plan.actions.len(), plan.left.len()), (0, 0, 0));
}

type Damage = (usize, Option<Vec<u8>>);

/// Repairs a store with some damage and looks at what is left of it.
fn mended(rows: &[Row], damage: &[Damage]) {
    let engine = engine(rows, damage);
    let before = engine.snapshot();
    let plan = plan(engine.snapshot(), |_, _| {}).unwrap();
    let about: Vec<_> = damage
        .iter()
        .map(|(at, other)| (key(&rows[*at]), other.is_some()))
        .collect();
    assert!(
        plan.left.is_empty(),
        "{about:?} left {:?} after {:#?}",
        plan.left,
        plan.actions
    );
    engine.write(plan.operations().collect(), false).unwrap();
    let after = engine.snapshot();
    let mut found = Vec::new();
    let bytes = |tenant, blob: &BlobRef| blobs::check(&after, tenant, blob).map_err(|why| why.to_string());
    verify(&after, bytes, |finding| found.push(finding)).unwrap();
    assert!(found.is_empty(), "{about:?}: {found:?} after {:#?}", plan.actions);

    let hit: BTreeSet<_> = about.iter().map(|(key, _)| key.clone()).collect();
    let exported: BTreeSet<_> = plan
        .actions
        .iter()
        .filter_map(|action| match action.deed {
            Deed::Exported(tenant, blob) => Some((tenant, blob)),
            Deed::SetAside | Deed::Rewritten | Deed::Made => None,
        })
        .collect();
    for (space, bytes, value) in rows {
        let key = Key {
            space: *space,
            bytes: bytes.clone(),
        };
        let Some((tenant, blob)) = mail(&key, value) else {
            continue;
        };
        if hit.contains(&key) || blobs::check(&before, tenant, &blob).is_err() {
            continue;
        }
        if after.get(&key).unwrap().is_some() {
            assert!(
                blobs::check(&after, tenant, &blob).is_ok(),
                "{about:?}: {key} lost its octets"
            );
        } else {
            // Only when nothing is left that says whose it is may it go, and then it is exported.
            assert!(
                is_homeless(rows, damage, &key),
                "{about:?}: {key} is whole and was moved: {:#?}",
                plan.actions
            );
            assert!(
                exported.contains(&(tenant, blob.id)) || is_referred_to(rows, &after, tenant, blob.id),
                "{about:?}: {key} is whole and gone"
            );
        }
    }
}

/// Whether the records that say where a message belongs are all damaged: the three of its mailbox, the tombstone of a mailbox
/// that is being deleted, or in the spool all its recipients.
fn is_homeless(rows: &[Row], damage: &[Damage], message: &Key) -> bool {
    let id = &message.bytes[PREFIX_OCTETS..PREFIX_OCTETS + 16];
    let says = |row: &Row| {
        let kind = row.1[PREFIX_OCTETS - 1];
        let holds = |octets: &[u8]| octets.windows(id.len()).any(|part| part == id);
        match (message.space, row.0) {
            (Keyspace::Mailbox, Keyspace::Mailbox) => match kind {
                b'x' | b's' | b'z' => holds(&row.1),
                b'n' => holds(&row.2),
                _ => false,
            },
            (Keyspace::Spool, Keyspace::Spool) => kind == b'r' && holds(&row.1),
            _ => false,
        }
    };
    let whole = rows
        .iter()
        .enumerate()
        .filter(|(at, row)| says(row) && damage.iter().all(|(hit, _)| hit != at));
    whole.count() == 0
}

fn is_referred_to(
    rows: &[Row],
    after: &impl store::engine::Snapshot,
    tenant: TenantId,
    blob: BlobId,
) -> bool {
    rows.iter().any(|row| {
        mail(&key(row), &row.2).is_some_and(|(of, other)| (of, other.id) == (tenant, blob))
            && after.get(&key(row)).unwrap().is_some()
    })
}

/// The octets of a message, in a mailbox or in the spool.
fn mail(key: &Key, value: &Bytes) -> Option<(TenantId, BlobRef)> {
    match key.space {
        Keyspace::Mailbox => {
            let (tenant, ..) = key::mailbox::parse_message(&key.bytes)?;
            Some((tenant, record::decode::<MailboxMessage>(value).ok()?.blob))
        }
        Keyspace::Spool => {
            let (tenant, _) = key::spool::parse_message(&key.bytes)?;
            Some((tenant, record::decode::<SpoolMessage>(value).ok()?.blob))
        }
        _ => None,
    }
}

fn key(row: &Row) -> Key {
    Key {
        space: row.0,
        bytes: row.1.clone(),
    }
}

fn engine(rows: &[Row], damage: &[Damage]) -> MemoryEngine {
    let engine = MemoryEngine::default();
    let kept = rows.iter().enumerate().filter_map(|(at, row)| {
        let value = match damage.iter().find(|(hit, _)| *hit == at) {
            Some((_, other)) => other.clone()?.into(),
            None => row.2.clone(),
        };
        Some(Op::Put(key(row), value))
    });
    engine.write(kept.collect(), false).unwrap();
    engine
}
