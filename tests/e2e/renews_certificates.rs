//! A certificate that is renewed in its file is presented from the next reload on, and one that is broken is not.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::line::{Line, trusting};
use crate::node::until;
use crate::program::{Program, fail_saying, succeed};

const NAME: &str = "mail.example.org";

/// A certificate that signs itself, and its key.
fn issue() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new([NAME.to_owned()]).unwrap();
    (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// The files that the configuration names, and that configuration.
struct Files<'a>(&'a Path);

impl Files<'_> {
    fn configure(&self, text: &str) {
        let whole = format!(
            "server.hostname = \"{NAME}\"\nserver.profile = \"development\"\nserver.data = \"mail\"\n\
             tls.certificate = \"tls.pem\"\ntls.key = \"tls.key\"\n{text}"
        );
        fs::write(self.0.join("angarium.toml"), whole).unwrap();
    }

    fn write(&self, certificate: &str, key: &str) {
        fs::write(self.0.join("tls.pem"), certificate).unwrap();
        fs::write(self.0.join("tls.key"), key).unwrap();
    }

    /// What clients trust: never a file that the server reads.
    fn trusted(&self, name: &str, certificate: &str) -> std::path::PathBuf {
        let path = self.0.join(name);
        fs::write(&path, certificate).unwrap();
        path
    }
}

/// Whether an answer names the certificate, and the key, as files with another content.
fn renewed(answer: &str) -> [bool; 2] {
    ["tls.certificate", "tls.key"].map(|key| answer.lines().any(|line| line == key))
}

/// Whether who trusts this certificate and no other gets through to a listener.
async fn presents(program: &Program, listener: &str, trusted: &Path) -> bool {
    let mut line = Line::to(program.address(listener)).await;
    if listener == "mx" {
        line.expect("220 ").await;
        line.ask("EHLO client.example", "250 ").await;
        line.ask("STARTTLS", "220").await;
    }
    line.secure_with(Arc::new(trusting(trusted)), NAME).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_the_name_of_the_old_one() {
    const CONFIG: [&str; 2] = ["--config", "angarium.toml"];
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let files = Files(here);
    let with = |arguments: &[&'static str]| [arguments, &CONFIG[..]].concat();
    let (old, old_key) = issue();
    let (new, new_key) = issue();
    let (old_trusted, new_trusted) = (files.trusted("old", &old), files.trusted("new", &new));
    files.configure("");
    files.write(&old, &old_key);
    let mut program = Program::serve(here, &CONFIG);
    for listener in ["mx", "submissions"] {
        assert!(presents(&program, listener, &old_trusted).await, "{listener}");
        assert!(!presents(&program, listener, &new_trusted).await, "{listener}");
    }
    let mut standing = program.smtp().await;
    standing.ask("STARTTLS", "220").await;
    let mut standing = standing.secure(&old_trusted, NAME).await;
    standing.ask("EHLO client.example", "250").await;
    let mut clear = program.smtp().await;

    // The plan names both files, and changes nothing.
    let plan = succeed(here, &with(&["reload", "--plan"]), "");
    assert_eq!(renewed(&plan), [false, false], "{plan}");
    files.write(&new, &new_key);
    let plan = succeed(here, &with(&["reload", "--plan"]), "");
    assert_eq!(renewed(&plan), [true, true], "{plan}");
    assert!(presents(&program, "mx", &old_trusted).await);

    program.signal(Signal::HUP);
    until("the new one is presented", async || {
        presents(&program, "mx", &new_trusted).await
    })
    .await;
    for listener in ["mx", "submissions"] {
        assert!(presents(&program, listener, &new_trusted).await, "{listener}");
        assert!(!presents(&program, listener, &old_trusted).await, "{listener}");
    }
    // Who stands goes on, with the one that was there when he came.
    standing.ask("NOOP", "250").await;
    clear.ask("STARTTLS", "220").await;
    clear
        .secure(&old_trusted, NAME)
        .await
        .ask("EHLO client.example", "250")
        .await;

    // What cannot be used cancels the whole, whoever asks.
    let (_, strange_key) = issue();
    let torn = &new[..new.len() / 2];
    for (certificate, key) in [
        ("no certificate\n", new_key.as_str()),
        (torn, &new_key),
        ("", &new_key),
        (&new, ""),
        (&new, &strange_key),
        (&old, &new_key),
    ] {
        files.write(certificate, key);
        files.configure("smtp.max_message_size = \"77KiB\"\n");
        let said = fail_saying(here, &with(&["reload"]), 2);
        assert!(said.contains("tls"), "{said}");
        fail_saying(here, &with(&["reload", "--plan"]), 2);
    }
    fs::remove_file(here.join("tls.pem")).unwrap();
    let said = fail_saying(here, &with(&["reload"]), 2);
    assert!(said.contains("tls.pem"), "{said}");
    let by_signal = || {
        let audit = succeed(here, &with(&["audit", "list"]), "");
        audit
            .lines()
            .filter(|line| line.contains("SIGHUP") && line.contains("failed"))
            .count()
    };
    assert_eq!(by_signal(), 0);
    program.signal(Signal::HUP);
    until("it is on record", async || by_signal() == 1).await;
    for listener in ["mx", "submissions"] {
        assert!(presents(&program, listener, &new_trusted).await, "{listener}");
    }
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example> SIZE=100000", "250").await;

    // Mended, it is taken up. Returning to settings brings no certificate back, so nothing is said to undo it.
    files.write(&old, &old_key);
    files.configure("");
    let said = succeed(here, &with(&["reload"]), "");
    assert_eq!(renewed(&said), [true, true], "{said}");
    assert!(!said.contains("undo:"), "{said}");
    assert!(presents(&program, "mx", &old_trusted).await);
    standing.ask("QUIT", "221").await;
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}
