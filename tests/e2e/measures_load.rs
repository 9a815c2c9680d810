//! The load generator against a server of ours: everything it counts is there, and what it cannot do it says.

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::node::until;
use crate::program::{Program, fail, run, succeed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_and_reads_and_tells_the_truth() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    succeed(
        here,
        &["account", "add", "a@localhost", "--data", "mail"],
        "secret\n",
    );
    let mut program = Program::serve(here, &["--data", "mail"]);
    let (mx, pop3) = (
        program.address("mx").to_string(),
        program.address("pop3").to_string(),
    );
    let certificate = here.join("mail/development-certificate.pem");
    let certificate = certificate.to_str().unwrap();
    let port = |address: &str| format!("localhost:{}", address.rsplit_once(':').unwrap().1);

    let common = ["--json", "--sessions", "4", "--for", "500ms"];
    let smtp = |extra: &[&str]| {
        let server = port(&mx);
        let arguments = [
            &["bench", "smtp", &server, "--to", "a@localhost"],
            &common[..],
            extra,
        ]
        .concat();
        json(&succeed(here, &arguments, ""))
    };
    let plain = smtp(&["--size", "2KiB"]);
    assert_eq!(plain["version"], 1);
    assert!(plain["message_octets"].as_u64().unwrap() >= 2048);
    assert_eq!(plain["errors"], serde_json::json!({}));
    assert!(plain["ceiling_per_second"].as_f64().unwrap() > 0.0);
    let secured = smtp(&[
        "--tls",
        "starttls",
        "--trust",
        certificate,
        "--per-connection",
        "2",
        "--no-ceiling",
    ]);
    assert_eq!(
        (&secured["tls"], &secured["ceiling_per_second"]),
        (&Value::from("starttls"), &Value::Null)
    );
    let (messages, connections) = (count(&secured, "messages"), count(&secured, "connections"));
    assert!(connections >= messages.div_ceil(2), "{secured}");
    let sent = count(&plain, "messages") + messages;

    // What was counted as accepted is in the mailbox when the queue has come to it, and can be read under the same load.
    let status = || {
        let report = run(
            here,
            &[
                &["bench", "pop3", &pop3, "--user", "a@localhost"],
                &common[..],
                &["--no-ceiling"],
            ]
            .concat(),
            "secret\n",
        );
        json(&String::from_utf8(report.stdout).unwrap())
    };
    // One mailbox has one session at a time (RFC 1939 §8): the others are told so, and that is counted.
    let read = status();
    assert!(count(&read, "messages") > 0, "{read}");
    let refused = read["errors"].as_object().unwrap();
    assert!(refused.keys().all(|why| why.contains("[IN-USE]")), "{read}");

    // Delivery may lag behind acceptance; what was counted is what is there in the end.
    until("every message that was counted is there", async || {
        let mut line = program.maildrop("a@localhost", "secret").await;
        let status = line.say("STAT").await;
        line.ask("QUIT", "+OK").await;
        status.starts_with(&format!("+OK {sent} "))
    })
    .await;
    program.signal(Signal::TERM);
    program.ended();
}

#[test]
fn says_what_it_cannot_do() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let smtp =
        |arguments: &[&'static str]| [&["bench", "smtp"], arguments, &["--to", "a@b.example"]].concat();
    for wrong in [
        &["localhost", "--sessions", "0"][..],
        &["127.0.0.1:1", "--sessions", "20001"],
        &["127.0.0.1:1", "--for", "0s"],
        &["127.0.0.1:1", "--size", "1GiB"],
        &["127.0.0.1:1", "--tls", "perhaps"],
        &["127.0.0.1:1", "--trust", "file"],
    ] {
        fail(here, &smtp(wrong), 2);
    }
    let said = fail(here, &smtp(&["localhost"]), 1);
    assert!(said.contains("with its port"), "{said}");
    // Nobody listens there.
    let said = fail(here, &smtp(&["127.0.0.1:1", "--for", "100ms", "--no-ceiling"]), 1);
    assert!(said.contains("no message went through"), "{said}");
    let said = fail(here, &["bench", "pop3", "127.0.0.1:1", "--user", "a"], 1);
    assert!(said.contains("no password"), "{said}");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("one JSON object")
}

fn count(report: &Value, field: &str) -> u64 {
    report[field].as_u64().expect("a count")
}
