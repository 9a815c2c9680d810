//! `trace` tells from a stopped store what happened to a message.

use rustix::process::Signal;
use tempfile::TempDir;

use crate::node::accepted;
use crate::program::{Program, fail, succeed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_from_its_acceptance_to_its_mailbox() {
    let directory = TempDir::new().unwrap();
    let mut program = Program::serve(directory.path(), &[]);
    let mut line = program.smtp().await;
    let reply = line
        .deliver(
            "a@client.example",
            &["postmaster@localhost"],
            "Subject: x\r\n\r\n",
        )
        .await;
    let id = accepted(&reply).to_string();
    program.signal(Signal::TERM);
    assert!(program.ended().0.success());
    let said = succeed(directory.path(), &["trace", &id], "");
    let steps: Vec<&str> = said.lines().collect();
    assert_eq!(steps.len(), 2, "{said}");
    for word in [
        "from <a@client.example> to <postmaster@localhost>",
        "client.example",
        "127.0.0.1",
        "ESMTP",
        &reply,
        "/listeners/mx/connections/",
    ] {
        assert!(steps[0].contains(word), "no {word:?} in {said}");
    }
    assert!(steps[1].contains("appended to mailbox"), "{said}");
    assert!(
        steps[1].contains("/tenants/default/queues/local/deliveries/"),
        "{said}"
    );

    let said = fail(directory.path(), &["trace", "nonsense"], 2);
    assert!(said.contains("not the id of a message"), "{said}");
    let other = if id.ends_with('0') { "1" } else { "0" };
    let unknown = format!("{}{other}", &id[..id.len() - 1]);
    let said = fail(directory.path(), &["trace", &unknown], 1);
    assert!(said.contains("nothing is known"), "{said}");
}
