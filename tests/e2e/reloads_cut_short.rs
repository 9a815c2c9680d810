//! Reloads in the middle of which the reloader dies, or the whole process: what is in force, and what is on record.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use actors::process::Belonging;
use actors::reload::loader::{Loaded, Loader};
use actors::reload::receipt::Outcome;
use actors::reload::reloader::Request;
use angarium::boot::{Server, Setup};
use config::Config;
use message::id::ReceiptId;
use store::command::{Command as Change, KeepConfiguration, Record};
use store::read::{audit, configuration};
use store::record::audit::{AuditEntry, AuditOutcome};
use store::record::configuration::{KeptConfiguration, KeptDocument};
use supervision::Phase;
use tokio::sync::oneshot;

use crate::node::{Home, Node, propose, until};
use crate::sheet::{LISTENERS, Sheet, request};

/// A place where a reload can be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// The sources are read; nothing is on record yet.
    Load,
    /// Its beginning is put on record.
    Begin,
    /// Everybody is asked.
    Prepare,
    /// It is stored, and the first are told.
    Commit,
    /// All have been told, and it is to be kept.
    Keep,
}

const MARKS: [Mark; 5] = [Mark::Load, Mark::Begin, Mark::Prepare, Mark::Commit, Mark::Keep];

/// Stops what comes to one mark, once, until it is let go.
struct Stopper {
    sheet: Arc<Sheet>,
    closed: Mutex<Option<Closed>>,
}

/// A mark that is closed: says when somebody comes, and waits.
struct Closed {
    mark: Mark,
    came: oneshot::Sender<()>,
    goes: oneshot::Receiver<()>,
}

impl Stopper {
    fn new(sheet: &Arc<Sheet>) -> Arc<Self> {
        Arc::new(Self {
            sheet: Arc::clone(sheet),
            closed: Mutex::new(None),
        })
    }

    fn close(&self, mark: Mark) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (came, comes) = oneshot::channel();
        let (go, goes) = oneshot::channel();
        *self.closed.lock().unwrap() = Some(Closed { mark, came, goes });
        (comes, go)
    }

    fn pass(&self, mark: Mark) {
        let closed = self.closed.lock().unwrap().take_if(|closed| closed.mark == mark);
        if let Some(Closed { came, goes, .. }) = closed {
            let _ = came.send(());
            drop(goes.blocking_recv());
        }
    }
}

impl Belonging for Stopper {
    fn prepare(&self, _: &Arc<Config>) -> Result<(), Vec<String>> {
        self.pass(Mark::Prepare);
        Ok(())
    }

    fn commit(&self, _: &Arc<Config>) {
        self.pass(Mark::Commit);
    }

    fn abandon(&self, _: &Arc<Config>) {}
}

impl Loader for Stopper {
    fn load(&self) -> Result<Loaded, Vec<String>> {
        self.pass(Mark::Load);
        self.sheet.load()
    }

    fn reread(&self, documents: &[KeptDocument]) -> Result<Loaded, Vec<String>> {
        self.sheet.reread(documents)
    }
}

/// Starts a node whose reloads come by the stopper.
async fn start(home: &Home, stopper: &Arc<Stopper>) -> Node {
    let store = home.open().await;
    let setup = Setup {
        loaded: stopper.load().expect("a good sheet"),
        loader: Arc::<Stopper>::clone(stopper),
        belongings: vec![Arc::<Stopper>::clone(stopper)],
    };
    home.node(Server::start_with(setup, store).await.expect("a server"))
}

const GATE: &str = "/store/gate";

/// Begins a reload and comes back when it has come to a mark. What it gives lets it go on.
async fn reload_until(node: &Node, stopper: &Stopper, mark: Mark, reason: &str) -> oneshot::Sender<()> {
    let tree = &node.server.tree;
    until("the first is kept", async || !kept(node).is_empty()).await;
    // At these two it waits for the store.
    let (comes, go) = stopper.close(match mark {
        Mark::Begin => Mark::Load,
        Mark::Keep => Mark::Commit,
        other => other,
    });
    let reloads = node.server.reloads();
    let request = Request {
        reason: Some(reason.to_owned()),
        ..request()
    };
    tokio::spawn(async move { reloads.request(request).await });
    comes.await.expect("a mark");
    if matches!(mark, Mark::Load | Mark::Prepare | Mark::Commit) {
        return go;
    }
    tree.suspend(GATE).unwrap();
    drop(go);
    until("it waits for the store", async || {
        tree.tree(GATE).first().is_some_and(|row| row.depth > 0)
    })
    .await;
    oneshot::channel().0
}

fn kept(node: &Node) -> Vec<ReceiptId> {
    configuration::receipts(&node.server.store.snapshot()).unwrap()
}

/// What is on record, the newest first.
fn on_record(node: &Node) -> Vec<AuditEntry> {
    audit::newest(&node.server.store.snapshot(), None, 100)
        .unwrap()
        .rows
}

fn max_errors(node: &Node) -> u32 {
    node.server.tree.settings().of::<Config>().smtp.max_errors
}

fn text(errors: u32) -> String {
    format!(
        "{LISTENERS}smtp.max_errors = {errors}\n\
         listeners.fresh.protocol = \"smtp\"\nlisteners.fresh.bind = \"127.0.0.1:0\"\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reloader_that_dies_leaves_nothing_begun() {
    let home = Home::new(&[]).await;
    for mark in MARKS {
        let sheet = Sheet::of(&home);
        let stopper = Stopper::new(&sheet);
        let node = start(&home, &stopper).await;
        let tree = &node.server.tree;
        let (sockets, before) = (node.server.ports().bound(), on_record(&node).len());
        sheet.write(&text(31));
        let go = reload_until(&node, &stopper, mark, "why not").await;
        tree.kill("/reloader").unwrap();
        until("it is back", async || {
            let rows = tree.tree("/reloader");
            rows.first()
                .is_some_and(|row| row.phase == Phase::Up && row.restarts > 0)
        })
        .await;
        drop(go);
        tree.resume(GATE).unwrap();
        let is_in_force = matches!(mark, Mark::Commit | Mark::Keep);
        until("it is on record how it ended", async || {
            let entries = on_record(&node);
            let is_known = entries.len() > before || mark == Mark::Load;
            let busy = serde_json::to_value(tree.inspect("/reloader").await.unwrap()).unwrap();
            is_known && entries.iter().all(|it| it.outcome != AuditOutcome::Begun) && busy["busy"] == false
        })
        .await;
        let entries = on_record(&node);
        assert_eq!(max_errors(&node), if is_in_force { 31 } else { 20 }, "{mark:?}");
        assert_eq!(
            node.server.ports().bound(),
            sockets + usize::from(is_in_force),
            "{mark:?}"
        );
        if mark == Mark::Load {
            assert_eq!(entries.len(), before, "{mark:?}");
        } else {
            let entry = &entries[0];
            assert_eq!(
                (entries.len(), entry.who.as_str()),
                (before + 1, "a test"),
                "{mark:?}"
            );
            assert_eq!(kept(&node).contains(&entry.id), is_in_force, "{mark:?}");
            assert_eq!(entry.inverse.is_some(), is_in_force, "{mark:?}: {entry:?}");
            match (&entry.outcome, is_in_force) {
                (AuditOutcome::Done, true) => {
                    assert!(entry.detail.starts_with("told "), "{mark:?}: {entry:?}")
                }
                (AuditOutcome::Failed(why), false) => {
                    assert!(why.contains("the reloader died"), "{mark:?}: {why}")
                }
                _ => panic!("{mark:?}: {entry:?}"),
            }
        }
        // The next one does what it is asked, and the last is undone by it.
        sheet.write(&text(32));
        let receipt = node.reload().await;
        assert_eq!(
            (receipt.outcome, max_errors(&node)),
            (Outcome::Done, 32),
            "{mark:?}"
        );
        sheet.write(LISTENERS);
        assert_eq!(node.reload().await.outcome, Outcome::Done, "{mark:?}");
        assert_eq!(node.server.ports().bound(), sockets, "{mark:?}");
        node.stop().await;
    }
}

/// Where the other process finds the data directory, and how far it goes.
const DATA: &str = "ANGARIUM_CUT_SHORT_DATA";
const MARK: &str = "ANGARIUM_CUT_SHORT_MARK";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_is_told_of_by_the_next() {
    let home = Home::new(&[]).await;
    for (number, mark) in MARKS.into_iter().enumerate() {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "reloads_cut_short::comes_to_a_mark_and_is_killed",
                "--ignored",
                "--nocapture",
            ])
            .env(DATA, &home.config.server.data)
            .env(MARK, number.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let came = lines.any(|line| line.ends_with("here"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(came, "{mark:?}: it did not come so far");

        let sheet = Sheet::of(&home);
        let store = home.open().await;
        let begun = audit::newest(&store.snapshot(), None, 1).unwrap().rows;
        store.close().unwrap();
        drop(store);
        // The sources are what counts at a start, whatever was in force.
        sheet.write(&text(40));
        let node = home.start_from(&sheet, Vec::new()).await;
        assert_eq!(max_errors(&node), 40, "{mark:?}");
        let newest = on_record(&node).into_iter().next();
        let is_on_record = !matches!(mark, Mark::Load | Mark::Begin);
        let is_its = |entry: &&AuditEntry| {
            entry.line == "reload" && entry.reason.as_deref() == Some(&*format!("mark {number}"))
        };
        assert_eq!(
            newest.iter().filter(is_its).count(),
            usize::from(is_on_record),
            "{mark:?}: {newest:?}"
        );
        if is_on_record {
            let entry = newest.unwrap();
            assert_eq!(begun[0].outcome, AuditOutcome::Begun, "{mark:?}");
            assert_eq!(entry.outcome, AuditOutcome::Unknown, "{mark:?}");
            assert!(entry.ended.is_some(), "{mark:?}");
            assert!(
                entry.detail.starts_with("the process died"),
                "{mark:?}: {}",
                entry.detail
            );
            assert!(
                entry.detail.contains("smtp.max_errors"),
                "{mark:?}: {}",
                entry.detail
            );
        }
        // It reloads like any other, and what it returns to is what it began with.
        sheet.write(LISTENERS);
        let receipt = node.reload().await;
        assert_eq!(
            (&receipt.outcome, max_errors(&node)),
            (&Outcome::Done, 20),
            "{mark:?}"
        );
        assert!(receipt.inverse.is_some());
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other process of a_process_that_is_killed_is_told_of_by_the_next"]
async fn comes_to_a_mark_and_is_killed() {
    let Ok(data) = std::env::var(DATA) else { return };
    let number: usize = std::env::var(MARK).unwrap().parse().unwrap();
    let mut home = Home::empty(&[]);
    home.config.server.data = data.into();
    let sheet = Sheet::of(&home);
    let stopper = Stopper::new(&sheet);
    let node = start(&home, &stopper).await;
    sheet.write(&text(31));
    let go = reload_until(&node, &stopper, MARKS[number], &format!("mark {number}")).await;
    println!("here");
    drop(node.server.tree.ended().await);
    drop(go);
}

/// What was begun before the start and is not known to have ended, of whatever verb.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_begun_is_ended_by_the_start() {
    let home = Home::new(&[]).await;
    let clock = actors::clock::Clock::system();
    let mint = actors::mint::Mint::new(clock, message::id::NodeId::new(1));
    let entry = |line: &str, outcome: AuditOutcome| AuditEntry {
        id: mint.id(),
        at: clock.timestamp(),
        who: "administrator root (0)".to_owned(),
        line: line.to_owned(),
        reason: None,
        touches: 1,
        what: "does something".to_owned(),
        inverse: None,
        outcome,
        ended: None,
        detail: "more".to_owned(),
    };
    let (account, reload, done) = (
        entry("account add carol@example.org", AuditOutcome::Begun),
        entry("reload", AuditOutcome::Begun),
        entry("domain add example.net", AuditOutcome::Done),
    );
    home.store(async |store| {
        for entry in [&account, &reload, &done] {
            propose(&store, Change::Record(Box::new(Record { entry: entry.clone() }))).await;
        }
        // It is kept only when it is in force: the process died behind that.
        let kept = KeptConfiguration {
            id: reload.id,
            at: reload.at,
            documents: Vec::new(),
        };
        let forget = Vec::new();
        propose(
            &store,
            Change::KeepConfiguration(Box::new(KeepConfiguration { kept, forget })),
        )
        .await;
    })
    .await;
    let node = home.start().await;
    let now = |id: ReceiptId| audit::entry(&node.server.store.snapshot(), id).unwrap().unwrap();
    let ended = now(account.id);
    assert_eq!(ended.outcome, AuditOutcome::Unknown);
    assert!(
        ended.ended.is_some() && ended.detail.ends_with("more"),
        "{ended:?}"
    );
    let ended = now(reload.id);
    assert_eq!(ended.outcome, AuditOutcome::Done);
    assert!(ended.detail.starts_with("it was in force"), "{ended:?}");
    assert_eq!(now(done.id), done);
    node.stop().await;
    // Once is enough.
    let node = home.start().await;
    let again = audit::entry(&node.server.store.snapshot(), reload.id)
        .unwrap()
        .unwrap();
    assert_eq!(again, ended);
    node.stop().await;
}
