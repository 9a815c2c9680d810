//! Bans are made, listed and taken back while the server is stopped, and hold while it runs.

use tempfile::TempDir;

use crate::program::{fail, succeed};

#[test]
fn from_the_first_to_the_last() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let with = |arguments: &[&'static str]| [arguments, &["--data", "mail"][..]].concat();
    // Who only looks makes no store by it.
    assert!(fail(here, &with(&["ban", "list"]), 1).contains("there is no store in"));
    assert!(!here.join("mail").exists());
    succeed(
        here,
        &with(&[
            "ban",
            "add",
            "192.0.2.0/24",
            "--for",
            "7d",
            "--reason",
            "spam run",
        ]),
        "",
    );
    succeed(here, &with(&["ban", "add", "2001:db8::1"]), "");
    let listed = succeed(here, &with(&["ban", "list"]), "");
    let lines: Vec<_> = listed.lines().collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert!(lines[0].starts_with("192.0.2.0/24\tyes\t2"), "{listed}");
    assert!(lines[0].ends_with("Z\toperator\t0\tspam run"), "{listed}");
    assert!(lines[1].starts_with("2001:db8::1\tyes\t2"), "{listed}");
    assert!(lines[1].ends_with("Z\t-\toperator\t0\tby hand"), "{listed}");
    for wrong in ["192.0.2.7/24", "example.org", ""] {
        fail(here, &["ban", "add", wrong, "--data", "mail"], 2);
    }
    succeed(here, &with(&["ban", "remove", "192.0.2.0/24"]), "");
    let said = fail(here, &with(&["ban", "remove", "192.0.2.0/24"]), 1);
    assert!(said.contains("192.0.2.0/24 is not banned"), "{said}");
    assert_eq!(succeed(here, &with(&["ban", "list"]), "").lines().count(), 1);
}
