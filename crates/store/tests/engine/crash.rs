//! A process is killed under load; what it answered is there afterwards, whole and once.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering::SeqCst},
};

use store::{options::Options, store::Store};

use crate::fixture::{TENANT, accept, blob, furnish, noise, octets, spooled, wait, write_blob};

const DIR: &str = "ANGARIUM_TEST_CRASH_DIR";
const FIRST: &str = "ANGARIUM_TEST_CRASH_FIRST";
const WRITERS: u64 = 16;
const ROUNDS: u64 = 3;
/// Messages that a round answers before it is killed.
const ANSWERS: usize = 200;

#[test]
fn a_killed_process_keeps_what_it_answered() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (store, _) = Store::open(dir.path(), Options::default()).unwrap();
        furnish(&store);
    }
    let mut answered = BTreeSet::new();
    for round in 0..ROUNDS {
        answered.extend(killed_under_load(dir.path(), round * 1_000_000));
        let (store, report) = Store::open(dir.path(), Options::default()).unwrap();
        assert!(report.sequence >= answered.len() as u64);
        for &n in &answered {
            let message =
                spooled(&store, n).unwrap_or_else(|| panic!("message {n} was answered and is lost"));
            let read = store.blob_reader(TENANT, &message.blob).whole(1 << 20).unwrap();
            assert_eq!(read, body(n), "message {n}");
            assert_eq!(message.blob.id, blob(n));
        }
    }
    assert!(answered.len() >= ROUNDS as usize * ANSWERS);
}

/// Runs writers in another process, kills it when it has answered enough, and says which messages it answered.
fn killed_under_load(dir: &Path, first: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::writes_until_it_is_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let number = |line: String| line.strip_prefix("answered ").and_then(|n| n.parse::<u64>().ok());
    let mut answered: Vec<u64> = lines.by_ref().filter_map(number).take(ANSWERS).collect();
    child.kill().unwrap();
    // What it had said before it died counts too; a line that the kill cut in two has no line end but parses.
    answered.extend(lines.filter_map(number));
    child.wait().unwrap();
    answered
}

#[test]
#[ignore = "the other process of a_killed_process_keeps_what_it_answered"]
fn writes_until_it_is_killed() {
    let (Ok(dir), Ok(first)) = (std::env::var(DIR), std::env::var(FIRST)) else {
        return;
    };
    let (store, _) = Store::open(Path::new(&dir), Options::default()).unwrap();
    let next = AtomicU64::new(first.parse().unwrap());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, SeqCst);
                    let sealed = wait(write_blob(&store, n, &body(n)));
                    wait(store.propose(accept(n, sealed))).unwrap();
                    // One write for a line, so that a kill does not cut a number short and make it another.
                    let line = format!("answered {n}\n");
                    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

/// Small and large, compressible and not.
fn body(n: u64) -> Vec<u8> {
    match n % 10 {
        0 => noise(n, 300_000),
        1 => octets(n, 300_000),
        2..=5 => noise(n, 4096),
        _ => octets(n, 4096),
    }
}
