//! Words: what must not be said in the code, because it means unfinished or waits by the clock.

use anyhow::Result;

use super::{File, ROOMS, files, is_tests, settle};

/// Words that mean unfinished, spelled so that this file does not hold them.
const UNFINISHED: [&str; 7] = [
    concat!("to", "do!"),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimple", "mented!"),
    concat!("for ", "now"),
    concat!("in ", "production"),
    concat!("simpli", "fied"),
];

/// Waiting by the clock, spelled in the same way.
const SLEEPS: [&str; 2] = [concat!("thread::", "sleep"), concat!("time::", "sleep")];

/// Rooms that wait by no clock at all: pure ones, and those that are there to try others.
const TIMELESS: [&str; 4] = ["chaos/", "config/", "crates/", "tests/"];

/// Where it sleeps all the same, each with its reason. An entry that is no longer needed fails, too.
const SLEEPERS: [(&str, &str); 2] = [
    (
        "supervision/tests/",
        "the clock of its tests is paused: to sleep there lets time pass, and nobody waits",
    ),
    (
        "crates/store/src/engine/fjall/room.rs",
        "the engine tells nobody when its worker has room",
    ),
];

#[test]
fn nothing_is_unfinished() -> Result<()> {
    settle(&lines_with(&files(&ROOMS, "rs")?, &UNFINISHED))
}

#[test]
fn no_test_waits_by_the_clock() -> Result<()> {
    let tests = files(&ROOMS, "rs")?.iter().map(tests_of).collect::<Vec<_>>();
    let mut complaints = lines_with(&tests, &SLEEPS);
    for (sleeper, _reason) in SLEEPERS {
        let before = complaints.len();
        complaints.retain(|complaint| !complaint.starts_with(sleeper));
        if complaints.len() == before {
            complaints.push(format!("{sleeper}: sleeps no more; take it out of SLEEPERS"));
        }
    }
    settle(&complaints)
}

/// What of a file is tests, in the lines where it stands there.
fn tests_of(file: &File) -> File {
    let is_whole = is_tests(&file.path) || TIMELESS.iter().any(|room| file.path.starts_with(room));
    let begin = match file.text.find("#[cfg(test)]") {
        _ if is_whole => 0,
        Some(begin) => begin,
        None => file.text.len(),
    };
    let (before, tests) = file.text.split_at(begin);
    File {
        path: file.path.clone(),
        text: "\n".repeat(before.matches('\n').count()) + tests,
    }
}

/// Every line with one of these phrases as a word of its own, in any case where the phrase is lower case.
fn lines_with(files: &[File], phrases: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let lower = line.to_lowercase();
            for phrase in phrases {
                let is_any_case = phrase.chars().all(|c| c.is_lowercase() || c == ' ');
                if has_phrase(if is_any_case { &lower } else { line }, phrase) {
                    complaints.push(format!("{}:{}: `{phrase}`", file.path, index + 1));
                }
            }
        }
    }
    complaints
}

fn has_phrase(line: &str, phrase: &str) -> bool {
    line.match_indices(phrase).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + phrase.len()..).and_then(|text| text.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// The rule can be broken: the check sees what it is there for.
mod the_check_sees {
    use super::*;

    #[test]
    fn words() {
        let file = |text: &str| {
            [File {
                path: "a.rs".to_owned(),
                text: text.to_owned(),
            }]
        };
        for word in UNFINISHED {
            assert_eq!(
                lines_with(&file(&format!("ok\n// {word}.")), &UNFINISHED).len(),
                1,
                "{word}"
            );
        }
        for wait in SLEEPS {
            assert_eq!(
                lines_with(&file(&format!("std::{wait}(d)")), &SLEEPS).len(),
                1,
                "{wait}"
            );
        }
        let text = format!(
            "std::{0}(d);\n#[cfg(test)]\nmod tests {{\nstd::{0}(d);\n}}",
            SLEEPS[0]
        );
        for (path, lines) in [
            ("actors/src/queue.rs", 1),
            ("actors/src/queue/tests.rs", 2),
            ("tests/e2e/drains.rs", 2),
        ] {
            let file = File {
                path: path.to_owned(),
                text: text.clone(),
            };
            let complaints = lines_with(&[tests_of(&file)], &SLEEPS);
            assert_eq!(complaints.len(), lines, "{complaints:?}");
            assert!(
                complaints
                    .last()
                    .is_some_and(|last| last.starts_with(&format!("{path}:4:")))
            );
        }
        let harmless = format!(
            "// before {}, {}er, mas{}",
            "nowhere", UNFINISHED[6], UNFINISHED[2]
        );
        assert!(lines_with(&file(&harmless), &UNFINISHED).is_empty());
    }
}
