//! What is logged, where to, and what never is.

use std::fs;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::program::{Program, fail};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_name_stays_inside_its_line() {
    let directory = TempDir::new().unwrap();
    let arguments = ["--log-level", "trace", "--log-file", "a.log"];
    let mut program = Program::serve(directory.path(), &arguments);
    let mut line = crate::line::Line::to(program.address("mx")).await;
    line.expect("220 ").await;
    // What may stand in the name of a client is the machine's to say; what comes through is one line of the log.
    line.send(b"EHLO \x1b[2Jevil\x07\r\n".as_slice()).await;
    line.reply().await;
    line.ask(
        "EHLO client.example\u{85}2026-01-01T00:00:00.000Z ERROR forged",
        "5",
    )
    .await;
    line.ask("HELO client.example", "250").await;
    line.say("MAIL FROM:<\"a\\\u{1b}[31m\"@client.example>").await;
    line.say("MAIL FROM:<a\u{202e}b@client.example>").await;
    program.signal(Signal::TERM);
    let (_, said) = program.ended();
    let logged = fs::read_to_string(directory.path().join("a.log")).unwrap();
    for text in [&said, &logged] {
        // The account of a first start stands above the log, on standard error alone.
        for line in text.lines().filter(|line| line.contains(" angarium")) {
            assert!(
                !line.contains(char::is_control) && !line.contains('\u{202e}'),
                "{line:?}"
            );
        }
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("2026-01-01T00:00:00.000Z")),
            "{text}"
        );
    }
    assert!(logged.lines().all(|line| line.starts_with("20")), "{logged}");
}

#[test]
fn a_log_that_cannot_be_written_stops_the_start() {
    let directory = TempDir::new().unwrap();
    let said = fail(directory.path(), &["serve", "--log-file", "missing/a.log"], 1);
    assert!(
        said.contains("cannot log to missing/a.log (log.file): No such file"),
        "{said}"
    );
    if !std::path::Path::new("/run/systemd/journal/socket").exists() {
        let said = fail(directory.path(), &["serve", "--set", "log.journald=true"], 1);
        assert!(
            said.contains("/run/systemd/journal/socket (log.journald): No such file"),
            "{said}"
        );
    }
    assert!(
        fs::read_dir(directory.path()).unwrap().next().is_none(),
        "something was made"
    );
}
