//! Repair and migration of a store on the disk, and checks that pause.

use std::{fs, ops::ControlFlow, path::Path};

use store::{
    batch::Op,
    engine::{Engine as _, Snapshot as _, fjall::FjallEngine, memory::MemoryEngine},
    key::{self, Key, Keyspace},
    migrate::{self, MigrateError, Step},
    options::Options,
    record::{RecordError, encode, spool::SpoolRecipient},
    repair::repair,
    store::Store,
    verify::{Verifier, blobs, verify},
};
use tempfile::TempDir;

use crate::fixture::{TENANT, accept, blob, furnish, message, noise, small, spooled, wait, write_blob};

fn options() -> Options {
    Options {
        reserve_file_octets: 0,
        ..Options::default()
    }
}

fn filled(dir: &Path) {
    let (store, _) = Store::open(dir, options()).unwrap();
    furnish(&store);
    for n in 0..20 {
        wait(store.propose(small(&store, n))).unwrap();
    }
    wait(store.propose(accept(20, wait(write_blob(&store, 20, &noise(20, 400_000)))))).unwrap();
    store.close().unwrap();
}

/// Writes into the engine what no command would.
fn plant(dir: &Path, ops: Vec<Op>) {
    let engine = FjallEngine::open(&dir.join("store"), 1 << 20).unwrap();
    engine.write(ops, true).unwrap();
}

#[test]
fn a_repair_says_first_what_it_would_do_and_keeps_what_it_takes() {
    let dir = TempDir::new().unwrap();
    filled(dir.path());
    let garbage = key::spool::message(TENANT, message(3));
    let chunk = store::blob::key::chunk_key(TENANT, blob(20), 1);
    plant(
        dir.path(),
        vec![
            Op::Put(garbage.clone(), "garbage".into()),
            Op::Delete(chunk),
            Op::Delete(key::blob::blob(TENANT, blob(7))),
        ],
    );
    let would = repair(dir.path(), &options(), false, "dry", |_, _| {}).unwrap();
    assert!(
        would.found > 2 && would.left.is_empty() && would.files.is_none(),
        "{would:?}"
    );
    assert!(!dir.path().join("quarantine").exists());
    let again = repair(dir.path(), &options(), false, "dry", |_, _| {}).unwrap();
    assert_eq!(again.actions, would.actions);

    let done = repair(dir.path(), &options(), true, "repair-1", |_, _| {}).unwrap();
    assert_eq!(done.actions, would.actions);
    let files = done.files.unwrap();
    let report = fs::read_to_string(files.join("report.jsonl")).unwrap();
    assert_eq!(report.lines().count(), done.actions.len());
    let line = report
        .lines()
        .find(|line| line.contains(&format!("\"{garbage}\"")))
        .unwrap();
    assert!(
        line.contains("set aside") && line.contains("67617262616765"),
        "{line}"
    );
    // The message of the damaged record is whole: it is there to be read.
    let exported = fs::read(files.join(format!("{}.eml", blob(3)))).unwrap();
    assert_eq!(exported, crate::fixture::octets(3, 700));

    let (store, _) = Store::open(dir.path(), options()).unwrap();
    let view = store.snapshot();
    let bytes = |tenant, blob: &_| blobs::check(&view, tenant, blob).map_err(|why| why.to_string());
    let mut found = Vec::new();
    verify(&view, bytes, |finding| found.push(finding)).unwrap();
    assert_eq!(found, Vec::new());
    for n in (0..20).filter(|n| *n != 3) {
        let message = spooled(&store, n).unwrap();
        assert_eq!(
            store.blob_reader(TENANT, &message.blob).whole(1000).unwrap(),
            crate::fixture::octets(n, 700)
        );
    }
    assert!(spooled(&store, 20).is_none(), "a message without its octets");
}

/// An octet of message bytes is another on the disk: the engine itself refuses to read it.
#[test]
fn a_flipped_octet_of_a_message_is_found_and_set_aside_with_its_message_alone() {
    let dir = TempDir::new().unwrap();
    let (data, backup) = (dir.path().join("data"), dir.path().join("backup"));
    filled(&data);
    {
        let (store, _) = Store::open(&data, options()).unwrap();
        for n in 21..24 {
            wait(store.propose(accept(n, wait(write_blob(&store, n, &noise(n, 90_000)))))).unwrap();
        }
        // Into the engine's files of values.
        store.compact(Keyspace::Blob).unwrap();
        store.close().unwrap();
    }
    flip_in_values(&data.join("store"), &noise(22, 90_000)[40_000..40_100]);

    let (store, _) = Store::open(&data, options()).unwrap();
    let mut found = Vec::new();
    let mut verifier = Verifier::default();
    let mut keep = |finding: store::verify::Finding| found.push(finding.to_string());
    while !verifier
        .step(&store.snapshot(), 7, &mut |_, _| Ok(()), &mut keep)
        .unwrap()
    {}
    let mut after = None;
    loop {
        after = blobs::step(&store.snapshot(), after.as_deref(), 1, &mut keep)
            .unwrap()
            .next;
        if after.is_none() {
            break;
        }
    }
    assert!(
        found.len() == 1 && found[0].contains("message bytes"),
        "{found:?}"
    );
    // A backup does not pass over it.
    let refused = store
        .backup(&backup, crate::fixture::NOW, |_| ControlFlow::Continue(()))
        .unwrap_err();
    assert!(refused.to_string().contains("--repair"), "{refused}");
    drop(store);

    let done = repair(&data, &options(), true, "repair-1", |_, _| {}).unwrap();
    assert!(done.found == 1 && done.left.is_empty(), "{done:?}");
    let report = fs::read_to_string(done.files.unwrap().join("report.jsonl")).unwrap();
    let lost: Vec<_> = report
        .lines()
        .filter(|line| line.contains("\"unread\""))
        .collect();
    assert!(lost.len() == 1 && lost[0].contains("\"value\":null"), "{report}");

    let (store, _) = Store::open(&data, options()).unwrap();
    assert!(spooled(&store, 22).is_none(), "a message without its octets");
    for n in [20, 21, 23] {
        let message = spooled(&store, n).unwrap();
        store.blob_reader(TENANT, &message.blob).verify().unwrap();
    }
    store
        .backup(&backup, crate::fixture::NOW, |_| ControlFlow::Continue(()))
        .unwrap();
}

/// Changes one octet of what stands once in the engine's files of values.
fn flip_in_values(engine: &Path, octets: &[u8]) {
    let mut flipped = 0;
    for space in fs::read_dir(engine.join("keyspaces")).unwrap() {
        let Ok(files) = fs::read_dir(space.unwrap().path().join("blobs")) else {
            continue;
        };
        for file in files {
            let path = file.unwrap().path();
            let mut content = fs::read(&path).unwrap();
            let place = content.windows(octets.len()).position(|window| window == octets);
            if let Some(octet) = place.and_then(|place| content.get_mut(place)) {
                *octet ^= 1;
                flipped += 1;
                fs::write(&path, &content).unwrap();
            }
        }
    }
    assert_eq!(flipped, 1, "it does not stand there once");
}

#[test]
fn a_repair_of_a_whole_store_changes_nothing() {
    let dir = TempDir::new().unwrap();
    filled(dir.path());
    let done = repair(dir.path(), &options(), true, "repair-1", |_, _| {}).unwrap();
    assert_eq!((done.found, done.actions.len(), done.files), (0, 0, None));
    assert!(!dir.path().join("quarantine").exists());
}

#[test]
fn a_check_in_steps_finds_what_a_check_at_once_finds() {
    let dir = TempDir::new().unwrap();
    filled(dir.path());
    plant(
        dir.path(),
        vec![
            Op::Delete(key::spool::message(TENANT, message(3))),
            Op::Put(store::blob::key::chunk_key(TENANT, blob(20), 1), "garbage".into()),
        ],
    );
    let (store, _) = Store::open(dir.path(), options()).unwrap();
    let view = store.snapshot();
    let mut at_once = Vec::new();
    let bytes = |tenant, blob: &_| blobs::check(&view, tenant, blob).map_err(|why| why.to_string());
    verify(&view, bytes, |finding| at_once.push(finding)).unwrap();

    let (mut in_steps, mut verifier) = (Vec::new(), Verifier::default());
    while !verifier
        .step(&view, 3, &mut |_, _| Ok(()), &mut |finding| {
            in_steps.push(finding)
        })
        .unwrap()
    {}
    let (mut after, mut blobs_read) = (None, 0);
    loop {
        // Each time over another snapshot, as after a restart.
        let step = blobs::step(&store.snapshot(), after.as_deref(), 1, |finding| {
            in_steps.push(finding)
        })
        .unwrap();
        blobs_read += step.blobs;
        after = step.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(blobs_read, 21);
    let sorted = |mut found: Vec<store::verify::Finding>| {
        found.sort_by_key(ToString::to_string);
        found
    };
    assert_eq!(sorted(in_steps), sorted(at_once));
}

#[test]
fn the_golden_store_is_migrated_by_pages_however_often_it_is_interrupted() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden-store/format-1");
    let dir = TempDir::new().unwrap();
    copy(&golden, dir.path());
    let go_on = |_: &migrate::Migrated| ControlFlow::Continue(());
    let would = migrate::migrate(dir.path(), &options(), false, go_on).unwrap();
    assert_eq!((would.from, would.to, would.damaged), (1, 2, 0));
    assert!(would.records > 10, "{would:?}");
    assert_eq!(
        fs::read_to_string(dir.path().join("format")).unwrap(),
        "angarium store format 1\n"
    );
    // Stopped at every mark, with a server's start in between.
    for stop in 1.. {
        let mut marks = 0;
        let migrated = migrate::migrate(dir.path(), &options(), true, |_| {
            marks += 1;
            if marks == stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        Store::open(dir.path(), options()).unwrap();
        match migrated {
            Err(MigrateError::Stopped) => {}
            other => {
                let done = other.unwrap();
                assert!(done.resumed && stop > 2, "{done:?}");
                break;
            }
        }
    }
    assert_eq!(
        fs::read_to_string(dir.path().join("format")).unwrap(),
        "angarium store format 2\n"
    );
    let again = migrate::migrate(dir.path(), &options(), true, go_on).unwrap();
    assert_eq!((again.from, again.to, again.records), (2, 2, 0));
    let (store, report) = Store::open(dir.path(), options()).unwrap();
    assert_eq!((report.sequence, store.format()), (9, 2));
    let mut found = Vec::new();
    verify(&store.snapshot(), |_, _| Ok(()), |finding| found.push(finding)).unwrap();
    assert_eq!(found, Vec::new());
    assert!(
        store
            .snapshot()
            .get(&Key {
                space: Keyspace::Meta,
                bytes: b"migration".to_vec()
            })
            .unwrap()
            .is_none()
    );
}

/// A step that changes every recipient of the spool, and counts how often it was asked about each.
struct Marks;

impl Step for Marks {
    fn to(&self) -> u32 {
        7
    }

    fn what(&self) -> &'static str {
        "counts attempts"
    }

    fn record(&self, key: &Key, octets: &bytes::Bytes) -> Result<Vec<Op>, RecordError> {
        if key::spool::parse_recipient(&key.bytes).is_none() || key.space != Keyspace::Spool {
            return Ok(Vec::new());
        }
        let mut row: SpoolRecipient = store::record::decode(octets)?;
        row.attempts += 1;
        Ok(vec![Op::Put(key.clone(), encode(&row)?)])
    }
}

/// 3,000 recipients, and one that cannot be read.
fn recipients() -> MemoryEngine {
    let store = Store::memory().unwrap();
    furnish(&store);
    wait(store.propose(small(&store, 1))).unwrap();
    let row = store
        .snapshot()
        .get(&key::spool::recipient(TENANT, message(1), Default::default()))
        .unwrap()
        .unwrap();
    let engine = MemoryEngine::default();
    let mut ops: Vec<_> = (0..3000)
        .map(|n| {
            Op::Put(
                key::spool::recipient(TENANT, message(n), Default::default()),
                row.clone(),
            )
        })
        .collect();
    ops.push(Op::Put(
        key::spool::recipient(TENANT, message(9999), Default::default()),
        "?".into(),
    ));
    engine.write(ops, false).unwrap();
    engine
}

fn attempts(engine: &MemoryEngine) -> Vec<u32> {
    let each = |n| {
        let key = key::spool::recipient(TENANT, message(n), Default::default());
        let octets = engine.get(&key).unwrap().unwrap();
        store::record::decode::<SpoolRecipient>(&octets).unwrap().attempts
    };
    (0..3000).map(each).collect()
}

#[test]
fn a_step_is_done_once_for_each_record_wherever_it_is_interrupted() {
    let steps: [&dyn Step; 1] = [&Marks];
    for stop in 1.. {
        let engine = recipients();
        let before = attempts(&engine);
        let mut marks = 0;
        let first = migrate::run(&engine, 6, &steps, true, |_| {
            marks += 1;
            if marks == stop {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        let is_whole = first.is_ok();
        if !is_whole {
            let second = migrate::run(&engine, 6, &steps, true, |_| ControlFlow::Continue(())).unwrap();
            assert!(second.resumed && second.to == 7);
        }
        let after: Vec<_> = before.iter().map(|count| count + 1).collect();
        assert_eq!(attempts(&engine), after, "stopped after {stop} pages");
        if is_whole {
            assert!(stop > 8, "{stop} pages");
            break;
        }
    }
    let engine = recipients();
    let before = attempts(&engine);
    let would = migrate::run(&engine, 6, &steps, false, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((would.changed, would.damaged), (3000, 1));
    assert_eq!(attempts(&engine), before);
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
