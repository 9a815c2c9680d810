//! Reloads that meet each other, and long work on the store.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::node::{accepted, until};
use crate::program::{Program, run, succeed};

/// Octets a second of a slow work, and how long it takes at least.
const PACE: u64 = 64 << 10;
const SLOW: Duration = Duration::from_secs(60);

const CONFIG: [&str; 2] = ["--config", "angarium.toml"];

fn configure(here: &Path, text: &str) {
    let whole = format!("server.profile = \"development\"\nserver.data = \"mail\"\n{text}");
    // As an editor does: whoever reads meanwhile reads the old or the new.
    fs::write(here.join("angarium.new"), whole).unwrap();
    fs::rename(here.join("angarium.new"), here.join("angarium.toml")).unwrap();
}

fn ask(here: &Path, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').chain(CONFIG).collect();
    succeed(here, &words, "")
}

fn json(here: &Path, line: &str) -> Value {
    serde_json::from_str(&ask(here, &format!("{line} --json"))).expect("an object")
}

/// The rows of the first table of an answer.
fn rows(answer: &Value) -> Vec<Value> {
    let blocks = answer["blocks"].as_array().expect("blocks");
    let tables = blocks.iter().filter_map(|block| block["table"].as_array());
    tables.flatten().cloned().collect()
}

/// The fields of a reload's answer.
fn fields(answer: &Value) -> Value {
    let blocks = answer["blocks"].as_array().expect("blocks");
    let fields = blocks.iter().find_map(|block| block.get("fields"));
    fields.cloned().unwrap_or_default()
}

/// The largest message that mx takes.
async fn takes(program: &Program) -> String {
    let mut line = program.smtp().await;
    line.send("EHLO client.example\r\n").await;
    loop {
        let heard = line.hear().await.expect("a reply");
        if let Some(size) = heard.get(4..).and_then(|text| text.strip_prefix("SIZE ")) {
            return size.to_owned();
        }
        assert!(heard.starts_with("250-"), "no size: {heard}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_signals_in_a_row() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    configure(here, "");
    let mut program = Program::serve(here, &CONFIG);
    let mut standing = program.smtp().await;
    for number in 1..=50_u32 {
        configure(here, &format!("smtp.max_message_size = \"{number}MiB\"\n"));
        program.signal(Signal::HUP);
    }
    // Whichever of them were heard as one: the last came behind the last writing.
    until("the last is in force", async || {
        takes(&program).await == (50 << 20).to_string()
    })
    .await;
    let reloads = || {
        let listed = rows(&json(here, "audit list --limit 1000"));
        listed
            .into_iter()
            .filter(|row| row["who"] == "SIGHUP")
            .collect::<Vec<_>>()
    };
    until("all are over", async || {
        json(here, "actor /reloader state")
            .to_string()
            .contains("\"busy\":false")
            && reloads().iter().all(|row| row["outcome"] != "begun")
    })
    .await;
    let reloads = reloads();
    assert!((1..=50).contains(&reloads.len()), "{}", reloads.len());
    assert!(reloads.iter().all(|row| row["outcome"] == "done"), "{reloads:?}");
    let receipts: BTreeSet<String> = reloads.iter().map(|row| row["receipt"].to_string()).collect();
    assert_eq!(receipts.len(), reloads.len());
    // Each that changed something can be returned to, and says how.
    let kept = rows(&json(here, "reload list"));
    let changes = reloads.iter().filter(|row| row["what"] == "change 1 setting");
    for change in changes.take(31) {
        assert!(
            kept.iter().any(|row| row["receipt"] == change["receipt"]),
            "{change}: {kept:?}"
        );
    }
    let last = fields(&json(here, "reload"));
    assert_eq!(
        (&last["outcome"], &last["differences"]),
        (&"done".into(), &0.into()),
        "{last}"
    );
    standing.ask("NOOP", "250").await;
    assert_eq!(rows(&json(here, "tree /reloader"))[0]["restarts"], 0);
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(!said.contains("the configuration stays as it was"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_shells_and_one_change() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    configure(here, "");
    let program = Program::serve(here, &CONFIG);
    for number in 2..6_u32 {
        configure(here, &format!("smtp.max_message_size = \"{number}MiB\"\n"));
        let shell = || {
            let here = here.to_owned();
            tokio::task::spawn_blocking(move || json(&here, "reload --reason both"))
        };
        let (one, two) = (shell(), shell());
        let answers = [one.await.unwrap(), two.await.unwrap()];
        let mut differences = Vec::new();
        for answer in &answers {
            let fields = fields(answer);
            assert_eq!(fields["outcome"], "done", "{answer}");
            assert_eq!(fields["told"], fields["acknowledged"], "{answer}");
            differences.push(fields["differences"].as_u64().unwrap());
            // Who changed nothing has nothing to be undone.
            let undo = &answer["receipt"]["inverse"];
            assert_eq!(undo.is_string(), fields["differences"] == 1, "{answer}");
        }
        differences.sort_unstable();
        assert_eq!(differences, [0, 1]);
        assert_ne!(answers[0]["receipt"]["id"], answers[1]["receipt"]["id"]);
        assert_eq!(takes(&program).await, (number << 20).to_string());
        for answer in &answers {
            let id = answer["receipt"]["id"].as_str().unwrap();
            let shown = fields(&json(here, &format!("audit show {id}")));
            assert_eq!(
                (&shown["outcome"], &shown["reason"]),
                (&"done".into(), &"both".into()),
                "{shown}"
            );
            assert_eq!(shown["undo"], answer["receipt"]["inverse"], "{shown}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_long_work_goes_on() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let slow = "store.maintenance_pace = \"64KiB\"\n";
    configure(here, slow);
    let program = Program::serve(here, &CONFIG);
    let words: Vec<&str> = "account add alice@example.org".split(' ').chain(CONFIG).collect();
    succeed(here, &words, "x\n");
    let mut line = program.smtp().await;
    // What does not compress, so that reading it takes its time: more than so long at that pace.
    let mut rng = SmallRng::seed_from_u64(3053);
    let noise: Vec<u8> = (0..PACE * SLOW.as_secs())
        .map(|_| rng.random_range(b'/'..=b'~'))
        .collect();
    let lines: Vec<&str> = noise
        .chunks(76)
        .map(|row| std::str::from_utf8(row).unwrap())
        .collect();
    let text = format!("Subject: x\r\n\r\n{}\r\n", lines.join("\r\n"));
    accepted(
        &line
            .deliver("a@client.example", &["alice@example.org"], &text)
            .await,
    );
    let under_way = |what: &str| ask(here, "upkeep").contains(what);
    for (verb, what) in [("backup copy", "backup"), ("check store", "check")] {
        let place = here.to_owned();
        let work = tokio::task::spawn_blocking(move || {
            let words: Vec<&str> = verb.split(' ').chain(CONFIG).collect();
            run(&place, &words, "")
        });
        until("it is under way", async || under_way(what)).await;
        for number in 2..5_u32 {
            configure(here, &format!("{slow}smtp.max_message_size = \"{number}MiB\"\n"));
            let answer = json(here, "reload");
            let fields = fields(&answer);
            assert_eq!(fields["outcome"], "done", "{answer}");
            assert_eq!(fields["told"], fields["acknowledged"], "{answer}");
            assert_eq!(takes(&program).await, (number << 20).to_string());
        }
        // It did not end, nor begin again, and can be ended.
        assert!(under_way(what) && !work.is_finished());
        ask(here, "upkeep end");
        let ended = work.await.unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        assert!(
            String::from_utf8_lossy(&ended.stderr).contains("told to end"),
            "{ended:?}"
        );
        let listed = rows(&json(here, "audit list"));
        assert!(listed.iter().all(|row| row["outcome"] != "begun"), "{listed:?}");
        let word = verb.split(' ').next().unwrap();
        let shown = listed.iter().map(|row| row["receipt"].as_str().unwrap());
        let of_it = shown.filter(|id| {
            fields(&json(here, &format!("audit show {id}")))["line"]
                .as_str()
                .unwrap()
                .starts_with(word)
        });
        assert_eq!(of_it.count(), 1);
        configure(here, slow);
        ask(here, "reload");
    }
    // The next one has the pace that is in force then.
    configure(here, "");
    ask(here, "reload");
    let started = Instant::now();
    ask(here, "check store");
    assert!(started.elapsed() < SLOW, "{:?}", started.elapsed());
}
