//! Plays the stories of `tests/transcripts` against the machine, with a scripted actor in the place of the server's.

use std::path::Path;
use std::sync::Arc;

use smtp::Settings;
use smtp::transcript::{Step, Story, matches};

use crate::actor::Actor;

/// What has been read of the server and not yet been expected.
struct Reader {
    unread: Vec<u8>,
}

impl Reader {
    fn line(&mut self) -> Option<String> {
        let line = self.next()?;
        self.unread.drain(..line.len() + 2);
        Some(line)
    }

    fn next(&self) -> Option<String> {
        let end = self.unread.windows(2).position(|pair| pair == b"\r\n")?;
        Some(String::from_utf8(self.unread[..end].to_vec()).expect("replies are ASCII"))
    }
}

fn play(story: &Story, chunk: usize) {
    let settings = story.settings(Settings::new("mx.example.org")).unwrap();
    let mut actor = Actor::new(Arc::new(settings));
    let mut reader = Reader {
        unread: actor.written(),
    };
    let mut accepted = 0;
    for (index, (line, step)) in story.steps.iter().enumerate() {
        let at = format!("line {line}, in chunks of {chunk}");
        match step {
            Step::Send(octets) => {
                actor.send(octets);
                // Octets that follow each other in the story go out together.
                if !matches!(story.steps.get(index + 1), Some((_, Step::Send(_)))) {
                    assert_eq!(
                        reader.unread,
                        b"",
                        "{at}: unexpected {}",
                        reader.unread.escape_ascii()
                    );
                    actor.work(chunk);
                    reader.unread.extend(actor.written());
                }
            }
            Step::Expect(pattern) => {
                let said = reader
                    .line()
                    .unwrap_or_else(|| panic!("{at}: nothing said, expected {pattern}"));
                assert!(
                    matches(pattern, &said),
                    "{at}: said {said:?}, expected {pattern:?}"
                );
            }
            Step::ExpectAll(pattern) => {
                while reader.next().is_some_and(|line| matches(pattern, &line)) {
                    reader.line();
                }
            }
            Step::Close => assert!(actor.has_ended(), "{at}: still open"),
            Step::Tls => actor.secure(),
            Step::Wait(time) => {
                actor.wait(*time);
                reader.unread.extend(actor.written());
            }
            Step::Crash { after_accept } => actor.crash_next(*after_accept),
            Step::Accepted(expected) => {
                let message = actor
                    .accepted
                    .get(accepted)
                    .unwrap_or_else(|| panic!("{at}: nothing was accepted"));
                assert_eq!(message, expected, "{at}: text {}", message.text.escape_ascii());
                accepted += 1;
            }
        }
    }
    assert_eq!(
        reader.unread,
        b"",
        "at the end: unexpected {}",
        reader.unread.escape_ascii()
    );
    assert_eq!(
        actor.accepted.len(),
        accepted,
        "messages were accepted that the story does not tell of"
    );
}

#[test]
fn every_story_comes_true() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    names.retain(|name| name.extension().is_some_and(|extension| extension == "txt"));
    names.sort();
    assert!(!names.is_empty());
    let mut failed = Vec::new();
    for name in &names {
        let story = match Story::parse(&std::fs::read_to_string(name).unwrap()) {
            Ok(story) => story,
            Err(why) => panic!("{}: {why}", name.display()),
        };
        // At once, and octet by octet.
        let chunks: &[usize] = if story.together {
            &[usize::MAX]
        } else {
            &[usize::MAX, 1]
        };
        for &chunk in chunks {
            if std::panic::catch_unwind(|| play(&story, chunk)).is_err() {
                failed.push(name.file_name().unwrap());
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}
