//! `backup`, `restore`, `check store`, `space` and `migrate`, by the program itself, on a server that runs and on one that does not.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, fail, run, succeed};

const DATA: &str = "angarium-data";

async fn deliver(program: &Program, count: usize) {
    let mut line = program.smtp().await;
    for n in 0..count {
        let text = format!(
            "Subject: {n}\r\n\r\n{}",
            "A line that is worth its keep.\r\n".repeat(2000)
        );
        line.deliver("a@client.example", &["postmaster@localhost"], &text)
            .await;
    }
}

/// Runs the program on a thread that may wait for it, so that the test may go on speaking.
async fn ask(directory: &Path, arguments: &'static [&'static str]) -> String {
    let directory = directory.to_owned();
    tokio::task::spawn_blocking(move || succeed(&directory, arguments, ""))
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_is_restored() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let mut program = Program::serve(path, &[]);
    deliver(&program, 3).await;

    let said = ask(path, &["check", "store"]).await;
    assert!(
        said.contains(" 0 findings") && !said.contains("records: 0"),
        "{said}"
    );
    let said = ask(path, &["backup", "copies", "--reason", "before the storm"]).await;
    assert!(said.contains("segments"), "{said}");
    deliver(&program, 2).await;
    let taken = ask(path, &["backup", "copies"]).await;
    let said = ask(path, &["backup", "list", "copies"]).await;
    assert!(
        said.lines().filter(|line| line.contains('-')).count() >= 2,
        "{said}"
    );
    let said = ask(path, &["backup", "verify", "copies"]).await;
    assert!(said.contains(" 0 findings"), "{said}");
    assert_eq!(
        number_before(&said, " records"),
        number_before(&taken, " records"),
        "{said}{taken}"
    );
    let said = ask(path, &["space"]).await;
    assert!(said.contains("blob") && said.contains("journals"), "{said}");
    let said = ask(path, &["space", "reclaim", "--json"]).await;
    assert!(said.contains("\"receipt\""), "{said}");
    let said = ask(path, &["upkeep"]).await;
    assert!(said.contains("no long work is under way"), "{said}");

    // What needs the store for itself is refused while a server has it.
    fail(path, &["migrate"], 1);
    fail(path, &["check", "store", "--repair"], 1);
    fail(path, &["restore", "copies"], 1);
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());

    // Never over a store.
    fail(path, &["restore", "copies"], 1);
    succeed(path, &["restore", "copies", "--data", "new"], "");
    let old = succeed(path, &["check", "store"], "");
    let new = succeed(path, &["check", "store", "--data", "new"], "");
    assert!(
        old.contains(" 0 findings") && new.contains(" 0 findings"),
        "{old}{new}"
    );
    let mut program = Program::serve(path, &["--data", "new"]);
    deliver(&program, 1).await;
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    let said = succeed(path, &["backup", "copies", "--data", "new", "--keep", "1"], "");
    assert!(said.contains("backup"), "{said}");
    let said = succeed(path, &["migrate", "--data", "new", "--dry-run"], "");
    assert!(said.contains("the newest"), "{said}");
}

/// The number that stands before these words.
fn number_before(said: &str, words: &str) -> u64 {
    let (before, _) = said.split_once(words).unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

/// The outcome of the newest entry of the audit, and why.
fn newest_of_audit(directory: &Path, arguments: &[&str]) -> (String, String) {
    let list = [&["audit", "list", "--limit", "1", "--json"], arguments].concat();
    let said = succeed(directory, &list, "");
    let answer: serde_json::Value = serde_json::from_str(&said).unwrap();
    let row = &answer["blocks"][0]["table"][0];
    let receipt = row["receipt"].as_str().unwrap().to_owned();
    let shown = succeed(directory, &[&["audit", "show", &receipt], arguments].concat(), "");
    (row["outcome"].as_str().unwrap().to_owned(), shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_on_record_where_there_is_a_store() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let data = path.join(DATA);
    let mut program = Program::serve(path, &[]);
    deliver(&program, 3).await;
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    succeed(path, &["backup", "copies"], "");

    // Where the report goes there is something else.
    plant(&data);
    fs::write(data.join("quarantine"), "").unwrap();
    let repair = [
        "check",
        "store",
        "--repair",
        "--apply",
        "--reason",
        "it was damaged",
    ];
    let said = fail(path, &repair, 1);
    assert!(said.contains("on record as "), "{said}");
    let (outcome, shown) = newest_of_audit(path, &[]);
    assert!(
        outcome == "failed" && shown.contains("quarantine") && shown.contains("it was damaged"),
        "{shown}"
    );
    fs::remove_file(data.join("quarantine")).unwrap();
    succeed(path, &repair, "");
    assert_eq!(newest_of_audit(path, &[]).0, "done");

    // Over a store: that one is told.
    let said = fail(path, &["restore", "copies"], 1);
    assert!(
        said.contains("is not empty") && said.contains("on record as "),
        "{said}"
    );
    let (outcome, shown) = newest_of_audit(path, &[]);
    assert!(
        outcome == "failed" && shown.contains("restore") && shown.contains("is not empty"),
        "{shown}"
    );
    // Into nothing, from nothing: there is no store to tell.
    let said = fail(path, &["restore", "nowhere", "--data", "new"], 1);
    assert!(
        said.contains("on record nowhere") && !path.join("new").exists(),
        "{said}"
    );
    // Over what is no store: nothing is put there either.
    fs::create_dir(path.join("new")).unwrap();
    fs::write(path.join("new/mine"), "x").unwrap();
    let said = fail(path, &["restore", "copies", "--data", "new"], 1);
    assert!(said.contains("on record nowhere"), "{said}");
    assert_eq!(fs::read_dir(path.join("new")).unwrap().count(), 1);

    // The number of the format cannot be written, after everything else was.
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-store/format-1");
    copy(&golden, &path.join("old"));
    fs::create_dir(path.join("old/format.new")).unwrap();
    let said = fail(path, &["migrate", "--data", "old"], 1);
    assert!(said.contains("on record as "), "{said}");
    let (outcome, shown) = newest_of_audit(path, &["--data", "old"]);
    assert!(
        outcome == "failed" && shown.contains("migrate") && shown.contains("format"),
        "{shown}"
    );
    fs::remove_dir(path.join("old/format.new")).unwrap();
    succeed(path, &["migrate", "--data", "old"], "");
    assert_eq!(newest_of_audit(path, &["--data", "old"]).0, "done");

    // A store that cannot be opened has a file.
    fs::write(path.join("old/format"), "nonsense").unwrap();
    for arguments in [
        &["migrate", "--data", "old"][..],
        &["check", "store", "--repair", "--apply", "--data", "old"],
    ] {
        let said = fail(path, arguments, 1);
        assert!(said.contains("the audit cannot be written"), "{said}");
    }
    let reports: Vec<String> = fs::read_dir(path.join("old/quarantine"))
        .unwrap()
        .map(|dir| fs::read_to_string(dir.unwrap().path().join("report.jsonl")).unwrap())
        .collect();
    assert_eq!(reports.len(), 2);
    for report in reports {
        let line: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!(line["done"], "failed");
        assert!(line["why"].as_str().unwrap().contains("is damaged"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_of_format_1_is_migrated() {
    let directory = TempDir::new().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden-store/format-1");
    copy(&golden, &directory.path().join(DATA));
    let format = directory.path().join(DATA).join("format");
    let said = succeed(directory.path(), &["migrate", "--dry-run"], "");
    assert!(said.contains("would be"), "{said}");
    assert_eq!(fs::read_to_string(&format).unwrap(), "angarium store format 1\n");
    succeed(directory.path(), &["migrate"], "");
    assert_eq!(fs::read_to_string(&format).unwrap(), "angarium store format 2\n");
    let said = succeed(directory.path(), &["check", "store"], "");
    assert!(said.contains(" 0 findings"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_repaired_when_it_is_said_twice() {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    let mut program = Program::serve(path, &[]);
    deliver(&program, 3).await;
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    plant(&path.join(DATA));
    let output = run(path, &["check", "store"], "");
    assert_eq!(output.status.code(), Some(1));
    let output = run(path, &["check", "store", "--repair"], "");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("would be set aside") && output.status.code() == Some(1),
        "{said}"
    );
    assert!(!path.join(DATA).join("quarantine").exists());
    let said = succeed(path, &["check", "store", "--repair", "--apply"], "");
    assert!(said.contains("were set aside"), "{said}");
    let said = succeed(path, &["check", "store"], "");
    assert!(said.contains(" 0 findings"), "{said}");
    let repairs: Vec<_> = fs::read_dir(path.join(DATA).join("quarantine"))
        .unwrap()
        .collect();
    assert_eq!(repairs.len(), 1);
}

/// Takes the record of a blob away and puts nonsense where the result of a command stands.
fn plant(data: &Path) {
    use store::{
        batch::Op,
        engine::{Engine as _, Snapshot as _, fjall::FjallEngine},
        key::{Key, Keyspace, PREFIX_OCTETS},
    };
    let engine = FjallEngine::open(&data.join("store"), 1 << 20).unwrap();
    let all = |space| {
        engine
            .snapshot()
            .scan(
                space,
                std::ops::Bound::Unbounded,
                std::ops::Bound::Unbounded,
                10_000,
            )
            .unwrap()
    };
    let blob = all(Keyspace::Blob)
        .into_iter()
        .find(|(key, _)| key[PREFIX_OCTETS - 1] == b'b');
    let result = all(Keyspace::Once).into_iter().next();
    let ops = vec![
        Op::Delete(Key {
            space: Keyspace::Blob,
            bytes: blob.unwrap().0,
        }),
        Op::Put(
            Key {
                space: Keyspace::Once,
                bytes: result.unwrap().0,
            },
            "nonsense".into(),
        ),
    ];
    engine.write(ops, true).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
