//! Operators ask a running server over its socket, and whatever else comes over it harms nobody.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::node::{Home, Node, until};
use crate::program::{Program, fail, run, succeed};

/// What has not come by then never will.
const DEADLINE: Duration = Duration::from_secs(60);

/// One end of the socket.
pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) async fn to(home: &Home) -> Self {
        let stream = UnixStream::connect(socket(home)).await.expect("a shell");
        Self::over(stream)
    }

    pub(crate) fn over(stream: UnixStream) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) async fn say(&mut self, octets: &[u8]) {
        self.0
            .get_mut()
            .write_all(octets)
            .await
            .expect("a socket that takes it");
    }

    pub(crate) async fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        let heard = timeout(DEADLINE, self.0.read_line(&mut line))
            .await
            .expect("an answer");
        match heard {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("an object a line")),
        }
    }

    /// Asks, and gives the blocks and the end.
    pub(crate) async fn ask(&mut self, line: &str) -> (Vec<Value>, Value) {
        self.say(format!("{}\n", json!({"version": 1, "line": line})).as_bytes())
            .await;
        let mut blocks = Vec::new();
        loop {
            let heard = self.hear().await.expect("an end");
            match heard.get("end") {
                Some(end) => return (blocks, end.clone()),
                None => blocks.push(heard["block"].clone()),
            }
        }
    }
}

pub(crate) fn socket(home: &Home) -> PathBuf {
    home.config.server.data.join("shell.sock")
}

async fn answers(home: &Home, node: &Node) {
    let (blocks, end) = Client::to(home).await.ask("tree /shell").await;
    assert_eq!((&end["exit"], &end["error"]), (&json!(0), &Value::Null));
    assert_eq!(blocks[0]["table"]["rows"][0][0], "/shell");
    // And mail comes in.
    node.smtp().await.ask("QUIT", "221 ").await;
}

#[tokio::test]
async fn a_line_has_an_answer() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mode = std::fs::metadata(socket(&home)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut client = Client::to(&home).await;
    for (line, exit, error) in [
        ("status", 0, None),
        ("tree --depth 1", 0, None),
        ("stuck", 0, None),
        ("crash list", 0, None),
        ("overview", 0, None),
        ("actor /store/gate", 0, None),
        ("complete path /sto", 0, None),
        ("", 2, Some("nothing was said")),
        ("tree store", 0, None),
        ("tree /nobody", 1, Some("nothing is at /nobody")),
        ("actor /nobody kill", 1, Some("nothing is at /nobody")),
        ("actor / kill", 1, Some("SIGTERM")),
        ("actor /store suspend", 1, Some("supervisor")),
        ("crash show 1", 1, Some("nothing is known")),
        ("kick nobody", 1, Some("no session")),
        ("help", 2, Some("client")),
    ] {
        let (_, end) = client.ask(line).await;
        assert_eq!(end["exit"], exit, "{line}: {end}");
        match error {
            None => assert_eq!(end["error"], Value::Null, "{line}"),
            Some(error) => assert!(end["error"].as_str().unwrap().contains(error), "{line}: {end}"),
        }
    }
    node.stop().await;
    assert!(!socket(&home).exists(), "it goes with the server");
}

#[tokio::test]
async fn what_is_changed_has_a_receipt_and_is_on_record() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    let (_, end) = client.ask("actor /store/sweeper suspend --dry-run").await;
    assert_eq!(end["receipt"]["dry_run"], true, "{end}");
    let (_, end) = client
        .ask("actor /store/sweeper suspend --reason 'to look'")
        .await;
    assert_eq!(end["receipt"]["inverse"], "actor /store/sweeper resume", "{end}");
    assert_eq!(end["receipt"]["touches"], 1);
    let suspended = |node: &Node| node.server.tree.tree_to("/store/sweeper", 0)[0].suspended;
    assert!(suspended(&node));
    let inverse = end["receipt"]["inverse"].as_str().unwrap().to_owned();
    client.ask(&inverse).await;
    assert!(!suspended(&node));
    let restarts = |node: &Node| node.server.tree.tree_to("/store/sweeper", 0)[0].restarts;
    let before = restarts(&node);
    client.ask("actor /store/sweeper kill").await;
    until("it is started again", async || restarts(&node) > before).await;
    let (blocks, _) = client.ask("crash list --path /store").await;
    let crash = blocks[0]["table"]["rows"][0][0].as_str().unwrap().to_owned();
    let (blocks, end) = client.ask(&format!("crash show {crash}")).await;
    assert_eq!(end["exit"], 0, "{end}");
    assert!(blocks[0].to_string().contains("/store/sweeper"), "{blocks:?}");
    let entries = store::read::audit::newest(&node.server.store.snapshot(), None, 10)
        .unwrap()
        .rows;
    let lines: Vec<&str> = entries.iter().map(|entry| entry.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "actor /store/sweeper kill",
            "actor /store/sweeper resume",
            "actor --reason \"to look\" /store/sweeper suspend",
        ]
    );
    assert!(entries.iter().all(|entry| entry.outcome.word() == "done"));
    node.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_and_kicked() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut smtp = node.smtp().await;
    let mut pop3 = node.maildrop("alice").await;
    let mut client = Client::to(&home).await;
    let (blocks, _) = client.ask("who").await;
    let text = blocks[0].to_string();
    assert!(
        text.contains("alice@example.org") && text.contains("smtp_session"),
        "{text}"
    );
    let (blocks, _) = client.ask("who --account alice@example.org").await;
    assert_eq!(
        blocks[0]["table"]["rows"].as_array().unwrap().len(),
        1,
        "{blocks:?}"
    );
    let (_, end) = client.ask("kick alice@example.org").await;
    assert_eq!(
        (&end["exit"], &end["receipt"]["touches"]),
        (&json!(0), &json!(1)),
        "{end}"
    );
    pop3.expect("-ERR").await;
    pop3.closes().await;
    smtp.ask("NOOP", "250 ").await;
    let (blocks, _) = client.ask("who --listener mx").await;
    let id = blocks[0]["table"]["rows"][0][0].as_str().unwrap().to_owned();
    client.ask(&format!("kick {id} --now")).await;
    smtp.closes().await;
    let (blocks, _) = client.ask("who --listener mx").await;
    assert_eq!(blocks[0]["table"]["rows"], json!([]));
    // It may come again at once.
    node.maildrop("alice").await.ask("QUIT", "+OK").await;
    node.stop().await;
}

#[tokio::test]
async fn garbage_is_told_so_and_closed() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let huge = vec![b'x'; 2 << 20];
    let deep = ["[".repeat(300_000).as_bytes(), b"\n"].concat();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x00\xff\xfe\n",
        b"\n",
        b"{\"version\":9,\"line\":\"tree\"}\n",
        b"{\"version\":1}\n",
        &deep,
        &huge,
    ] {
        let mut client = Client::to(&home).await;
        // It may be closed before all of it is taken.
        drop(client.0.get_mut().write_all(garbage).await);
        if let Some(end) = client.hear().await {
            assert_eq!(end["end"]["exit"], 2, "{end}");
        }
        assert_eq!(client.hear().await, None);
    }
    // Half a line, and nothing more.
    let mut half = Client::to(&home).await;
    half.say(b"{\"version\":1,\"li").await;
    answers(&home, &node).await;
    half.0.get_mut().shutdown().await.unwrap();
    assert_eq!(half.hear().await, None);
    // Several at once are answered in turn.
    let mut client = Client::to(&home).await;
    client
        .say(format!("{0}\n{0}\n", json!({"version": 1, "line": "tree /shell"})).as_bytes())
        .await;
    let mut ends = 0;
    while ends < 2 {
        ends += usize::from(client.hear().await.unwrap().get("end").is_some());
    }
    node.stop().await;
}

#[tokio::test]
async fn a_hundred_idle_connections_harm_nobody() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let served = Arc::new(Notify::new());
    let (sender, mut told) = mpsc::unbounded_channel();
    let mut idle = JoinSet::new();
    for _ in 0..100 {
        let mut client = Client::to(&home).await;
        let (served, sender) = (Arc::clone(&served), sender.clone());
        idle.spawn(async move {
            // Which of them have a seat is for the server to say: they are looked at side by side.
            tokio::select! {
                heard = client.hear() => {
                    let end = heard.expect("they are told");
                    assert!(end["end"]["error"].as_str().unwrap().contains("silent longest"), "{end}");
                    sender.send(()).expect("a test that listens");
                    false
                }
                () = served.notified() => {
                    assert_eq!(client.ask("status").await.1["exit"], 0, "those who have a seat are served");
                    true
                }
            }
        });
    }
    // Those that were silent longest give way to those that come later, an operator among them.
    for number in 0..=36 {
        if number == 36 {
            node.smtp().await.ask("QUIT", "221 ").await;
            assert_eq!(Client::to(&home).await.ask("status").await.1["exit"], 0);
        }
        timeout(DEADLINE, told.recv())
            .await
            .expect("who gives way is told");
    }
    served.notify_waiters();
    let seated = idle.join_all().await.into_iter().filter(|seated| *seated).count();
    assert_eq!(seated, actors::shell::listener::MAX_SESSIONS - 1);
    until("there is room again", async || {
        Client::to(&home).await.ask("status").await.1["exit"] == 0
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn who_does_not_read_or_goes_holds_up_nobody() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let line = format!("{}\n", json!({"version": 1, "line": "tree"}));
    let mut readers = Vec::new();
    for _ in 0..8 {
        let mut client = Client::to(&home).await;
        client.say(line.repeat(500).as_bytes()).await;
        readers.push(client);
    }
    answers(&home, &node).await;
    // Half of them go in the middle of it.
    readers.truncate(4);
    answers(&home, &node).await;
    drop(readers);
    until("their sessions are gone", async || {
        let rows = node.server.tree.tree("/shell/sessions");
        rows.len() == 1
    })
    .await;
    assert!(node.server.tree.crash_cards().is_empty());
    node.stop().await;
}

#[tokio::test]
async fn the_shell_survives_the_deaths_of_its_actors() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut smtp = node.smtp().await;
    let mut client = Client::to(&home).await;
    client.ask("status").await;
    let tree = &node.server.tree;
    let session = tree
        .tree("/shell/sessions")
        .into_iter()
        .nth(1)
        .expect("a session")
        .path;
    for path in [session.as_str(), "/shell/acceptor"] {
        tree.kill(path).unwrap();
        until("it is up again", async || {
            let row = tree.tree_to(path, 0).into_iter().next();
            row.is_some_and(|row| row.restarts > 0 && row.phase == supervision::Phase::Up)
        })
        .await;
        // The connection that stood is not concerned, nor is a new one, nor mail.
        assert_eq!(client.ask("status").await.1["exit"], 0, "{path}");
        answers(&home, &node).await;
        smtp.ask("NOOP", "250 ").await;
    }
    // It may kill its own session in the middle of its answer, and is told.
    let (_, end) = client.ask(&format!("actor {session} kill")).await;
    assert!(
        end["exit"] == 0 || end["error"].as_str().unwrap().contains("cut short"),
        "{end}"
    );
    assert_eq!(client.ask("status").await.1["exit"], 0);
    tree.kill("/shell").unwrap();
    until("the shell is back", async || {
        UnixStream::connect(socket(&home)).await.is_ok()
    })
    .await;
    until("it answers", async || {
        let mut client = Client::to(&home).await;
        client
            .say(format!("{}\n", json!({"version": 1, "line": "status"})).as_bytes())
            .await;
        client.hear().await.is_some()
    })
    .await;
    smtp.ask("NOOP", "250 ").await;
    node.stop().await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_those_who_are_silent() {
    let home = Home::new(&["server.drain_deadline=60s"]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    client.ask("status").await;
    timeout(Duration::from_secs(20), node.stop())
        .await
        .expect("at once");
    let mut rest = Vec::new();
    client.0.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    // And the next start finds nothing in its way.
    home.start().await.stop().await;
}

#[test]
fn the_program_asks_a_server_that_runs() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let data = here.join("mail");
    let data = data.to_str().unwrap();
    fail(here, &["status", "--data", data], 3);
    fail(here, &["shell", "--data", data], 3);
    let server = Program::serve(here, &["--data", data]);
    let with = |arguments: &[&'static str]| -> Vec<String> {
        let own = arguments.iter().map(|&it| it.to_owned());
        own.chain(["--data".to_owned(), data.to_owned()]).collect()
    };
    let done = |arguments: &[&'static str]| {
        let all = with(arguments);
        succeed(here, &all.iter().map(String::as_str).collect::<Vec<_>>(), "")
    };
    let text = done(&["tree", "/shell", "--depth", "0"]);
    assert!(text.starts_with("/shell\tsupervisor\tup\t"), "{text}");
    let answer: Value = serde_json::from_str(&done(&["shell", "-c", "tree /shell --json"])).unwrap();
    assert_eq!(answer["version"], 1);
    assert_eq!(answer["blocks"][0]["table"][0]["path"], "/shell");
    assert_eq!(done(&["shell", "-c", "tre /shell --dep 0"]), text, "abbreviated");
    assert!(done(&["shell", "-c", "help"]).contains("tree [path]"));
    for (arguments, code) in [
        (&["tree", "--depth", "x"][..], 2),
        (&["tree", "/nobody"], 1),
        (&["shell", "-c", "frobnicate"], 2),
        (&["shell", "-c", "watch actor /store/gate kill"], 2),
        (&["top"], 2),
    ] {
        let all = with(arguments);
        fail(here, &all.iter().map(String::as_str).collect::<Vec<_>>(), code);
    }
    // Lines from standard input are lines that are typed.
    let typed = run(
        here,
        &["shell", "--data", data],
        "tree /shell --depth 0\n\nnonsense\nquit\n",
    );
    assert!(
        String::from_utf8_lossy(&typed.stdout).contains("/shell\tsupervisor"),
        "{typed:?}"
    );
    assert_eq!(typed.status.code(), Some(2), "the last line was wrong");
    drop(server);
    // A server that was killed has left its socket, and the next one takes its place.
    assert!(here.join("mail/shell.sock").exists());
    fail(here, &["status", "--data", data], 3);
    let _server = Program::serve(here, &["--data", data]);
    done(&["status"]);
}

#[test]
fn a_server_is_found_whatever_its_file_says_by_now() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let file = here.join("angarium.toml");
    std::fs::write(
        &file,
        "server.data = \"mail\"\nserver.profile = \"development\"\n",
    )
    .unwrap();
    let mut program = Program::serve(here, &["--config", "angarium.toml"]);
    std::fs::write(
        &file,
        "server.data = \"mail\"\nserver.hostname = 5\nno.such = 1\n",
    )
    .unwrap();
    let status = succeed(here, &["status", "--config", "angarium.toml"], "");
    assert!(status.contains("mail"), "{status}");
    drop(program.killed());
    // Nobody is there, and the file cannot be used without a server either.
    for verb in ["status", "queue list"] {
        let arguments: Vec<&str> = verb.split(' ').chain(["--config", "angarium.toml"]).collect();
        let said = fail(here, &arguments, 2);
        assert!(said.contains("server.hostname"), "{said}");
    }
}
