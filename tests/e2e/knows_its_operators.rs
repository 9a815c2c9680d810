//! Other users of the machine at the shell's socket: who may look, who may change, who may nothing, also after a reload.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Output;

use rustix::process::{Gid, Uid, geteuid};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use serde_json::json;
use supervision::Phase;
use tempfile::TempDir;
use tokio::net::UnixStream;

use crate::asks_the_shell::{Client, socket};
use crate::node::{Home, until};
use crate::program::{Program, run_as, succeed};
use crate::sheet::{LISTENERS, Sheet};

/// Numbers that no system gives to anybody.
const READERS: u32 = 4_000_001;
const READER: u32 = 4_000_002;
const STRANGER: u32 = 4_000_003;
const OPERATOR: u32 = 4_000_004;

/// Whether this test can be somebody else. Says so where it cannot.
fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        eprintln!("skipped: only root can be another user");
    }
    is_root
}

/// Lets the group of readers into a data directory.
fn let_in(data: &Path, mode: u32) {
    fs::set_permissions(data.parent().unwrap(), fs::Permissions::from_mode(0o711)).unwrap();
    chown(data, None, Some(READERS)).unwrap();
    fs::set_permissions(data, fs::Permissions::from_mode(mode)).unwrap();
}

/// A connection as another user. Identities belong to threads, and the kernel keeps that of the one that connects.
fn connect_as(uid: u32, gid: u32, path: &Path) -> std::io::Result<UnixStream> {
    let path = path.to_owned();
    let connecting = move || {
        set_thread_groups(&[]).unwrap();
        let gid = Some(Gid::from_raw(gid));
        set_thread_res_gid(gid, gid, gid).unwrap();
        let uid = Some(Uid::from_raw(uid));
        set_thread_res_uid(uid, uid, uid).unwrap();
        std::os::unix::net::UnixStream::connect(path)
    };
    let stream = std::thread::spawn(connecting).join().unwrap()?;
    stream.set_nonblocking(true).unwrap();
    UnixStream::from_std(stream)
}

#[test]
fn the_program_of_another_user_looks_and_does_not_change() {
    if !is_root() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let data = here.join("mail");
    let data = data.to_str().unwrap();
    let settings = [
        "--data",
        data,
        "--set",
        "shell.readers=4000001",
        "--set",
        "shell.administrators=4000004",
    ];
    let _server = Program::serve(here, &settings);
    let with = |line: &str| -> Vec<String> {
        let words = line.split(' ').chain(["--data", data]);
        words.map(str::to_owned).collect()
    };
    let ask = |uid: u32, gid: u32, line: &str| -> Output {
        let words = with(line);
        run_as(uid, gid, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let as_root = |line: &str| {
        let words = with(line);
        succeed(here, &words.iter().map(String::as_str).collect::<Vec<_>>(), "")
    };
    let refused = |output: &Output, code: i32, why: &str| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(why), "{said}");
        assert!(output.stdout.is_empty(), "{output:?}");
    };
    // The directory is the server's alone before anybody says otherwise.
    fs::set_permissions(here, fs::Permissions::from_mode(0o711)).unwrap();
    refused(
        &ask(READER, READERS, "status"),
        4,
        "you may not ask the server on",
    );
    let_in(Path::new(data), 0o710);
    let shell = fs::metadata(Path::new(data).join("shell.sock")).unwrap();
    assert_eq!((shell.mode() & 0o777, shell.gid()), (0o660, READERS));

    let before = as_root("audit list");
    for line in [
        "status",
        "tree /store",
        "who",
        "account list",
        "audit list",
        "reload list",
    ] {
        let output = ask(READER, READERS, line);
        assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    }
    for line in [
        "domain add example.net",
        "domain add example.net --dry-run",
        "actor /store/gate kill",
        "kick 127.0.0.1",
        "reload",
        "reload --plan",
        "ban add 192.0.2.7",
        "trace smtp",
        "log level debug",
        "space reclaim",
        "upkeep end",
    ] {
        refused(&ask(READER, READERS, line), 4, "for administrators");
    }
    assert_eq!(as_root("audit list"), before);
    assert!(!as_root("domain list").contains("example.net"));

    // Others do not come so far; where they do, they are told nothing.
    refused(
        &ask(STRANGER, STRANGER, "status"),
        4,
        "you may not ask the server on",
    );
    let_in(Path::new(data), 0o711);
    refused(
        &ask(STRANGER, STRANGER, "status"),
        4,
        "you may not ask the server on",
    );
    fs::set_permissions(
        Path::new(data).join("shell.sock"),
        fs::Permissions::from_mode(0o666),
    )
    .unwrap();
    refused(&ask(STRANGER, STRANGER, "status"), 3, "you may not ask it");

    // Who is named may everything, as himself.
    let output = ask(OPERATOR, READERS, "domain add example.net --reason new");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(as_root("domain list").contains("example.net"));
    assert!(as_root("audit list").contains("administrator uid 4000004 (4000004)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_what_they_may_in_sessions_that_stand() {
    if !is_root() {
        return;
    }
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    sheet.write(&format!("{LISTENERS}shell.readers = \"{READERS}\"\n"));
    let node = home.start_from(&sheet, Vec::new()).await;
    let path = socket(&home);
    let_in(&home.config.server.data, 0o711);
    let mut reader = Client::over(connect_as(READER, READERS, &path).unwrap());
    let mut operator = Client::over(connect_as(OPERATOR, READERS, &path).unwrap());
    assert!(connect_as(STRANGER, STRANGER, &path).is_err());
    for client in [&mut reader, &mut operator] {
        assert_eq!(client.ask("status").await.1["exit"], 0);
        assert_eq!(client.ask("domain add example.net").await.1["exit"], 4);
    }

    // One of them is named: what he asks next he asks as an administrator.
    sheet.write(&format!(
        "{LISTENERS}shell.readers = \"{READERS}\"\nshell.administrators = [\"{OPERATOR}\"]\n"
    ));
    let receipt = node.reload().await;
    assert_eq!(receipt.told, receipt.acknowledged, "{receipt:?}");
    assert_eq!(operator.ask("domain add example.net").await.1["exit"], 0);
    assert_eq!(reader.ask("domain add example.com").await.1["exit"], 4);
    // A session that is started again wakes with the rank of now, not with that of its connection.
    let sessions = || node.server.tree.tree("/shell/sessions");
    let restart = async |times: u32| {
        for row in sessions().into_iter().skip(1) {
            node.server.tree.kill(&row.path).unwrap();
        }
        until("they are back", async || {
            let rows = sessions();
            let mut those = rows.iter().skip(1);
            rows.len() == 3 && those.all(|row| row.restarts >= times && row.phase == Phase::Up)
        })
        .await;
    };
    restart(1).await;
    assert_eq!(operator.ask("domain delete example.net").await.1["exit"], 0);
    assert_eq!(reader.ask("domain add example.com").await.1["exit"], 4);
    // What he listens to ends with his rank.
    operator
        .say(format!("{}\n", json!({"version": 1, "line": "trace smtp"})).as_bytes())
        .await;
    let states = async || {
        let mut states = Vec::new();
        for row in sessions().into_iter().skip(1) {
            let state = node
                .server
                .tree
                .inspect(&row.path)
                .await
                .map(|it| serde_json::to_value(&it).unwrap());
            states.push((row.path, state.unwrap_or_default()));
        }
        states
    };
    until("it listens", async || {
        states()
            .await
            .iter()
            .any(|(_, state)| state["line"] == "trace smtp" && state["busy"] == true)
    })
    .await;
    sheet.write(&format!("{LISTENERS}shell.readers = \"{READERS}\"\n"));
    node.reload().await;
    let end = loop {
        let heard = operator.hear().await.expect("an end");
        if let Some(end) = heard.get("end") {
            break end.clone();
        }
    };
    assert_ne!(end["exit"], 0, "{end}");
    assert_eq!(operator.ask("domain delete example.net").await.1["exit"], 4);
    for (path, state) in states().await {
        assert_eq!(state["role"], "reader", "{path}: {state}");
    }
    restart(2).await;
    assert_eq!(operator.ask("domain delete example.net").await.1["exit"], 4);
    assert_eq!(operator.ask("status").await.1["exit"], 0);

    // Another group: who stands is told, who comes does not come in.
    sheet.write(&format!("{LISTENERS}shell.readers = \"{STRANGER}\"\n"));
    node.reload().await;
    for client in [&mut reader, &mut operator] {
        let (blocks, end) = client.ask("status").await;
        assert_eq!((blocks.len(), &end["exit"]), (0, &json!(4)), "{end}");
        assert!(
            end["error"].as_str().unwrap().contains("you may not ask"),
            "{end}"
        );
    }
    assert!(connect_as(READER, READERS, &path).is_err());
    let mut other = Client::over(connect_as(STRANGER, STRANGER, &path).unwrap());
    assert_eq!(other.ask("status").await.1["exit"], 0);

    // A group that is not there cancels the whole, and changes nobody's rank.
    sheet.write(&format!("{LISTENERS}shell.readers = \"no such group\"\n"));
    let receipt = node.reload().await;
    assert!(!receipt.outcome.mistakes().is_empty(), "{receipt:?}");
    assert_eq!(other.ask("status").await.1["exit"], 0);
    // And with none the socket is the server's alone.
    sheet.write(LISTENERS);
    node.reload().await;
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    assert_eq!(other.ask("status").await.1["exit"], 4);
    node.stop().await;
}
