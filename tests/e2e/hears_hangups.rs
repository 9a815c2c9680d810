//! SIGHUP: the program reads its file anew.

use std::fs;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::line::Line;
use crate::node::until;
use crate::program::Program;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_edited_is_taken_up_and_one_with_mistakes_is_not() {
    let directory = TempDir::new().unwrap();
    let path = |name: &str| directory.path().join(name).display().to_string();
    let text = |rest: &str| {
        format!(
            "server.profile = \"development\"\nserver.data = {:?}\nlog.file = {:?}\nlog.stderr = false\n\
             listeners.mx.bind = \"127.0.0.1:0\"\nlisteners.pop3.bind = \"127.0.0.1:0\"\n\
             listeners.submission.enabled = false\nlisteners.submissions.enabled = false\n\
             auth.argon2_memory = \"64KiB\"\nauth.argon2_iterations = 1\n{rest}",
            path("data"),
            path("log")
        )
    };
    let write = |rest: &str| fs::write(path("angarium.toml"), text(rest)).unwrap();
    let log = || fs::read_to_string(path("log")).unwrap_or_default();
    write("");
    let mut program = Program::serve_among(directory.path(), &[], &["--config", &path("angarium.toml")]);
    let old = program.address("mx");
    let mut standing = Line::to(old).await;
    standing.expect("220 ").await;
    // A mistake: nothing happens, and the log says which.
    write("smtp.max_error = 5\n");
    program.signal(Signal::HUP);
    until("the mistake is named", async || {
        log().contains("smtp.max_error: unknown key")
    })
    .await;
    Line::to(old).await.expect("220 ").await;
    // Another listener, and the log file put aside, as logrotate does.
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    write(&format!(
        "listeners.extra.protocol = \"smtp\"\nlisteners.extra.bind = \"{free}\"\n"
    ));
    fs::rename(path("log"), path("log.1")).unwrap();
    program.signal(Signal::HUP);
    until("it is taken up", async || {
        log().contains("the configuration was read anew")
    })
    .await;
    Line::to(free).await.expect("220 ").await;
    Line::to(old).await.expect("220 ").await;
    standing.ask("NOOP", "250").await;
    assert!(log().contains("listeners.extra.bind"), "{}", log());
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
}
