//! Migration and restoration in a process of their own that is killed (SIGKILL) at random marks, begun again, and killed again.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use store::{
    backup,
    batch::Op,
    engine::{Engine as _, Snapshot as _, fjall::FjallEngine},
    key::{Keyspace, PREFIX_OCTETS, trail},
    migrate,
    options::Options,
    store::Store,
    verify::{blobs, verify},
};
use tempfile::TempDir;

use crate::{
    backups::{Rows, rows},
    care::copy,
    fixture::{NOW, furnish, message, noise, small, wait},
};

const DIR: &str = "ANGARIUM_TEST_KILLED_DIR";
const TASK: &str = "ANGARIUM_TEST_KILLED_TASK";
const MARK: &str = "ANGARIUM_TEST_KILLED_MARK";
const PARKS: &str = "ANGARIUM_TEST_KILLED_PARKS";
/// Another seed than the usual one.
const SEED: &str = "ANGARIUM_TEST_SEED";

fn options() -> Options {
    Options {
        reserve_file_octets: 0,
        ..Options::default()
    }
}

/// Kills that are enough.
const ENOUGH: u32 = 6;

/// How a run in a process of its own ended.
#[derive(PartialEq, Eq)]
enum Run {
    Killed,
    Done,
}

/// Has a task done in a process of its own, and kills that when it says that it has come to this mark: there it waits to be
/// killed, or it goes on, and dies wherever it is by then.
fn kill_at(dir: &Path, task: &str, mark: u32, parks: bool) -> Run {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "kills::works_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR, dir)
        .env(TASK, task)
        .env(MARK, mark.to_string())
        .env(PARKS, parks.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    // It may have less to do than so many marks.
    drop(lines.find(|line| line == "here" || line == "done"));
    // On one that has ended this does nothing.
    child.kill().unwrap();
    match child.wait().unwrap().success() {
        true => Run::Done,
        false => Run::Killed,
    }
}

/// Numbers that look random: marks, and whether it waits there.
fn chances(most: u32) -> impl Iterator<Item = (u32, bool)> {
    let seed = std::env::var(SEED).map_or(4, |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let octets = noise(seed, 4096);
    octets
        .into_iter()
        .map(move |octet| (1 + u32::from(octet >> 1) % most, octet & 1 == 1))
}

#[test]
#[ignore = "the other process of those that are killed here"]
fn works_until_it_is_killed() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = Path::new(&dir);
    let last: u32 = std::env::var(MARK).unwrap().parse().unwrap();
    let parks: bool = std::env::var(PARKS).unwrap().parse().unwrap();
    let mut marks = 0;
    let mut watch = || {
        marks += 1;
        if marks == last {
            println!("here");
            if parks {
                loop {
                    std::thread::park();
                }
            }
        }
        ControlFlow::Continue(())
    };
    match std::env::var(TASK).unwrap().as_str() {
        "migrate" => drop(migrate::migrate(&dir.join("data"), &options(), true, |_| watch()).unwrap()),
        _ => drop(backup::restore(&dir.join("backup"), None, &dir.join("new"), |_| watch()).unwrap()),
    }
    println!("done");
}

/// A store of format 1 whose migration has many pages.
fn old_store(data: &Path) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden-store/format-1");
    fs::create_dir(data).unwrap();
    copy(&golden, data);
    let engine = FjallEngine::open(&data.join("store"), 1 << 20).unwrap();
    let steps = engine
        .snapshot()
        .scan(
            Keyspace::Trail,
            std::ops::Bound::Unbounded,
            std::ops::Bound::Unbounded,
            100,
        )
        .unwrap();
    let (_, old) = steps
        .into_iter()
        .find(|(key, value)| key.get(PREFIX_OCTETS - 1) == Some(&trail::STEP) && value.first() == Some(&1))
        .unwrap();
    let ops = (0..4000).map(|n| {
        let key = trail::TrailKey {
            tenant: crate::fixture::TENANT,
            message: message(1000 + n),
            recipient: None,
            step: 0,
        };
        Op::Put(key.key(), old.clone())
    });
    engine.write(ops.collect(), true).unwrap();
}

fn findings(store: &Store) -> Vec<String> {
    let view = store.snapshot();
    let whole = |tenant, blob: &_| blobs::check(&view, tenant, blob).map_err(|why| why.to_string());
    let mut findings = Vec::new();
    verify(&view, whole, |finding| findings.push(finding.to_string())).unwrap();
    findings
}

#[test]
fn a_migration_that_is_killed_goes_on_until_it_is_whole() {
    let dir = TempDir::new().unwrap();
    let (data, other) = (dir.path().join("data"), dir.path().join("other"));
    old_store(&data);
    old_store(&other);
    let at_once = migrate::migrate(&other, &options(), true, |_| ControlFlow::Continue(())).unwrap();
    assert!(at_once.changed >= 4000 && !at_once.resumed, "{at_once:?}");
    let expected = migrated_rows(&other);
    let mut kills = 0;
    for (mark, parks) in chances(4).take(100) {
        let run = kill_at(dir.path(), "migrate", mark, parks);
        // A server may run on it wherever it is.
        let (store, _) = Store::open(&data, options()).unwrap();
        assert_eq!(findings(&store), Vec::<String>::new());
        drop(store);
        if run == Run::Killed {
            kills += 1;
            continue;
        }
        assert_eq!(
            fs::read_to_string(data.join("format")).unwrap(),
            "angarium store format 2\n"
        );
        assert_eq!(migrated_rows(&data), expected);
        let again = migrate::migrate(&data, &options(), true, |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((again.from, again.to, again.records), (2, 2, 0));
        if kills >= ENOUGH {
            break;
        }
        fs::remove_dir_all(&data).unwrap();
        old_store(&data);
    }
    println!("{kills} kills");
    assert!(kills >= ENOUGH, "{kills} kills");
}

/// What a migrated store holds. Killed between the number and the end of its mark, a migration leaves a mark that nobody looks
/// at any more.
fn migrated_rows(data: &Path) -> Rows {
    let (store, _) = Store::open(data, options()).unwrap();
    let mut rows = rows(&store);
    rows.remove(&(Keyspace::Meta, b"migration".to_vec()));
    rows
}

#[test]
fn a_restoration_that_is_killed_is_no_store_and_its_repeat_is_whole() {
    let dir = TempDir::new().unwrap();
    let [data, backup, new] = ["data", "backup", "new"].map(|name| dir.path().join(name));
    let (store, _) = Store::open(&data, options()).unwrap();
    furnish(&store);
    for group in (0..1500).collect::<Vec<_>>().chunks(50) {
        let answers: Vec<_> = group.iter().map(|&n| store.propose(small(&store, n))).collect();
        answers.into_iter().for_each(|answer| drop(wait(answer).unwrap()));
    }
    let taken = store.backup(&backup, NOW, |_| ControlFlow::Continue(())).unwrap();
    let parts = taken.manifest.parts.len() as u32;
    assert!(parts > 5, "{parts} segments");
    let beside = PathBuf::from(format!("{}.restoring", new.display()));
    let (mut kills, mut left) = (0, 0);
    for (mark, parks) in chances(parts).take(100) {
        let run = kill_at(dir.path(), "restore", mark, parks);
        if run == Run::Killed {
            kills += 1;
            left += u32::from(beside.exists());
        }
        // It has its name when it is whole, and not before.
        if run == Run::Done || new.exists() {
            let (restored, _) = Store::open(&new, options()).unwrap();
            assert_eq!(findings(&restored), Vec::<String>::new());
            assert_eq!(rows(&restored), rows(&store));
            drop(restored);
            fs::remove_dir_all(&new).unwrap();
        }
        if kills >= ENOUGH && left > 1 {
            break;
        }
    }
    println!("{kills} kills, {left} of them left something");
    assert!(
        kills >= ENOUGH && left > 1,
        "{kills} kills, {left} left something"
    );
    let restored = backup::restore(&backup, None, &new, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(restored.manifest, taken.manifest);
    assert!(!beside.exists());
    let (restored, _) = Store::open(&new, options()).unwrap();
    assert_eq!(findings(&restored), Vec::<String>::new());
    assert_eq!(rows(&restored), rows(&store));
}
