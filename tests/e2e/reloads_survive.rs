//! Reloads in which somebody dies, and reloads of anything.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use actors::process::Belonging;
use actors::reload::receipt::{Outcome, Receipt};
use config::Config;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use supervision::Phase;
use tokio::sync::oneshot;

use crate::node::{Home, Node, until};
use crate::sheet::{LISTENERS, Sheet};

/// Stands in the middle of the first phase, once, until it is let go.
#[derive(Default)]
struct Gate(Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>);

impl Gate {
    /// Closes it: the first that comes says so, and waits.
    fn close(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let (came, comes) = oneshot::channel();
        let (go, goes) = oneshot::channel();
        *self.0.lock().unwrap() = Some((came, goes));
        (comes, go)
    }
}

impl Belonging for Gate {
    fn prepare(&self, _: &Arc<Config>) -> Result<(), Vec<String>> {
        let closed = self.0.lock().unwrap().take();
        if let Some((came, goes)) = closed {
            let _ = came.send(());
            drop(goes.blocking_recv());
        }
        Ok(())
    }

    fn commit(&self, _: &Arc<Config>) {}

    fn abandon(&self, _: &Arc<Config>) {}
}

fn max_errors(node: &Node) -> u32 {
    node.server.tree.settings().of::<Config>().smtp.max_errors
}

/// Everybody lives.
async fn is_whole(node: &Node) {
    until("all live", async || {
        let rows = node.server.tree.tree("/");
        rows.iter()
            .all(|row| matches!(row.phase, Phase::Up | Phase::Idle))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_dies_between_the_phases_starts_with_what_is_in_force() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let gate = Arc::new(Gate::default());
    let belongings: Vec<Arc<dyn Belonging>> = vec![Arc::<Gate>::clone(&gate)];
    let node = home.start_from(&sheet, belongings).await;
    for (number, path) in [
        "/directory",
        "/authenticator",
        "/store/gate",
        "/store/sweeper",
        "/limits",
        "/tenants/default/queues/local/queue",
        "/tenants/default/queues/local/deliveries/1",
        "/listeners/mx/acceptor",
        "/listeners/mx/connections",
        "/listeners/pop3",
        "/process",
    ]
    .into_iter()
    .enumerate()
    {
        let errors = 30 + u32::try_from(number).unwrap();
        let fresh =
            format!("listeners.l{number}.protocol = \"smtp\"\nlisteners.l{number}.bind = \"127.0.0.1:0\"\n");
        sheet.write(&format!("{LISTENERS}{fresh}smtp.max_errors = {errors}\n"));
        let (comes, go) = gate.close();
        let reload = tokio::spawn({
            let reloads = node.server.reloads();
            async move { reloads.reload("a test").await }
        });
        comes.await.expect("the first phase");
        node.server.tree.kill(path).unwrap();
        until("it is back", async || {
            let rows = node.server.tree.tree(path);
            rows.first()
                .is_some_and(|row| row.phase == Phase::Up && row.restarts > 0)
        })
        .await;
        drop(go);
        let receipt: Receipt = reload.await.unwrap().unwrap();
        assert_eq!(receipt.outcome, Outcome::Done, "{path}");
        assert_eq!(max_errors(&node), errors, "{path}");
        is_whole(&node).await;
        let listeners: Vec<String> = node.server.ports().addresses().into_keys().collect();
        assert_eq!(
            listeners,
            [format!("l{number}"), "mx".to_owned(), "pop3".to_owned()],
            "{path}"
        );
        node.smtp().await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reloader_that_dies_between_the_phases_leaves_all_as_it_was() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let gate = Arc::new(Gate::default());
    let belongings: Vec<Arc<dyn Belonging>> = vec![Arc::<Gate>::clone(&gate)];
    let node = home.start_from(&sheet, belongings).await;
    let before = node.server.ports().addresses();
    let fresh = "listeners.fresh.protocol = \"smtp\"\nlisteners.fresh.bind = \"127.0.0.1:0\"\n";
    sheet.write(&format!("{LISTENERS}{fresh}smtp.max_errors = 31\n"));
    let (comes, go) = gate.close();
    let reloads = node.server.reloads();
    let reload = tokio::spawn(async move { reloads.reload("a test").await });
    comes.await.expect("the first phase");
    assert_eq!(node.server.ports().bound(), before.len() + 1);
    node.server.tree.kill("/reloader").unwrap();
    assert!(reload.await.unwrap().is_err());
    drop(go);
    // The next one gives back what was made ready, and then does what it is asked.
    let receipt = node.reload().await;
    assert_eq!((receipt.outcome, max_errors(&node)), (Outcome::Done, 31));
    sheet.write(LISTENERS);
    assert_eq!(node.reload().await.outcome, Outcome::Done);
    assert_eq!(node.server.ports().bound(), before.len());
    node.stop().await;
}

/// Anything that an operator may write, and what no operator would.
fn anything(rng: &mut SmallRng, now: &BTreeMap<String, Vec<SocketAddr>>) -> String {
    let bound: Vec<SocketAddr> = now.values().flatten().copied().collect();
    let mut text = String::new();
    for name in ["mx", "pop3", "a", "b", "c"] {
        if rng.random_bool(0.3) {
            if ["mx", "pop3"].contains(&name) {
                text += &format!("listeners.{name}.enabled = false\n");
            }
            continue;
        }
        let protocol = ["smtp", "lmtp", "pop3", "submission"].choose(rng).unwrap();
        let address = match rng.random_range(0..4) {
            0 => "127.0.0.1:0".to_owned(),
            1 => bound
                .choose(rng)
                .map_or("127.0.0.1:0".to_owned(), ToString::to_string),
            _ => match now.get(name) {
                Some(mine) => mine[0].to_string(),
                None => "127.0.0.1:0".to_owned(),
            },
        };
        text += &format!(
            "listeners.{name}.protocol = \"{protocol}\"\nlisteners.{name}.bind = \"{address}\"\n\
             listeners.{name}.max_connections = {}\nlisteners.{name}.backlog = {}\nlisteners.{name}.tls = \"{}\"\n",
            rng.random_range(1..100),
            rng.random_range(1..100),
            ["none", "starttls", "implicit"].choose(rng).unwrap(),
        );
    }
    let mut number = |key: &str, from: u32, to: u32| {
        if rng.random_bool(0.3) {
            // Now and then one too many.
            let most = if rng.random_bool(0.02) { u32::MAX } else { to };
            text += &format!(
                "{key} = {}\n",
                if most == to {
                    rng.random_range(from..=to)
                } else {
                    most
                }
            );
        }
    };
    number("smtp.max_errors", 1, 100);
    number("pop3.max_errors", 1, 100);
    number("limits.messages_per_address", 0, 100);
    number("queue.workers", 1, 8);
    number("queue.active_window", 100, 1000);
    number("store.readers", 1, 16);
    number("store.compression_level", 0, 3);
    number("store.max_feed", 1, 3000);
    number("auth.workers", 1, 8);
    number("server.max_connections", 10, 100);
    number("server.node", 0, 3);
    if rng.random_bool(0.1) {
        text += "store.cache = \"24MiB\"\n";
    }
    if rng.random_bool(0.3) {
        text += "limits.memory = \"2MiB\"\n";
    }
    if rng.random_bool(0.3) {
        text += &format!("routes.\"r{}.test\".kind = \"discard\"\n", rng.random_range(0..3));
    }
    text
}

/// Of each listener, and of the workers, there is what the settings want.
async fn is_as_wanted(node: &Node) {
    let settings = node.server.tree.settings();
    let config = settings.of::<Config>();
    let wanted: BTreeSet<String> = config.listeners.keys().cloned().collect();
    let below = |above: &str| -> BTreeSet<String> {
        let rows = node.server.tree.tree(above);
        let names = rows
            .iter()
            .filter_map(|row| row.path.strip_prefix(above)?.strip_prefix('/'));
        names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    };
    until("listeners as wanted", async || below("/listeners") == wanted).await;
    let workers = config.queue.workers as usize;
    let deliveries = "/tenants/default/queues/local/deliveries";
    until("workers as wanted", async || below(deliveries).len() == workers).await;
    is_whole(node).await;
    for (name, addresses) in node.server.ports().addresses() {
        let shown = node
            .server
            .tree
            .inspect(&format!("/listeners/{name}/acceptor"))
            .await
            .unwrap();
        let shown = serde_json::to_value(&shown).unwrap();
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(shown["addresses"], addresses.join(","), "{name}");
    }
    let process = node.server.tree.inspect("/process").await.unwrap();
    let process = serde_json::to_value(&process).unwrap();
    assert_eq!(process["readers"], config.store.readers);
    assert_eq!(
        process["room"],
        angarium::limits::connections(config.server.max_connections)
    );
    let options = node.server.store.options();
    assert_eq!(options.max_feed, config.store.max_feed as usize);
    let level = match options.compression {
        store::options::Compression::None => 0,
        store::options::Compression::Zstd(level) => level,
    };
    assert_eq!(level, config.store.compression_level);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_plan_says_is_what_happens() {
    let times = std::env::var("ANGARIUM_RELOADS")
        .ok()
        .and_then(|times| times.parse().ok());
    let times: u32 = times.unwrap_or(100);
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let seed = 3053;
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut done = 0;
    for number in 0..times {
        let what = format!("{number} of seed {seed}");
        let before = node.server.ports().addresses();
        let settings = node.server.tree.settings();
        let text = anything(&mut rng, &before);
        sheet.write(&text);
        let planned = node.plan().await;
        assert_eq!(node.server.ports().addresses(), before, "{what}");
        let receipt = node.reload().await;
        let after = node.server.ports().addresses();
        let Outcome::Done = receipt.outcome else {
            // Nothing has changed.
            assert_eq!(after, before, "{what}");
            assert_eq!(
                node.server.tree.settings().generation(),
                settings.generation(),
                "{what}"
            );
            is_as_wanted(&node).await;
            continue;
        };
        done += 1;
        let (planned, plan) = (planned.plan.unwrap(), receipt.plan.unwrap());
        assert_eq!(planned, plan, "{what}");
        // Every key that differs, and no other.
        let (old, new) = (
            settings.of::<Config>(),
            node.server.tree.settings().shared_of::<Config>(),
        );
        let takes = plan
            .differences
            .iter()
            .any(|difference| !difference.needs_restart());
        assert!(takes || *old == *new, "{what}: {text}");
        assert_eq!(old.server.node, new.server.node, "{what}");
        assert_eq!(old.store.cache, new.store.cache, "{what}");
        // Every socket that opened, closed and moved.
        let pairs = |of: &BTreeMap<String, Vec<SocketAddr>>| -> BTreeSet<(String, SocketAddr)> {
            let each = of
                .iter()
                .flat_map(|(name, all)| all.iter().map(move |at| (name.clone(), *at)));
            each.collect()
        };
        let (before, after) = (pairs(&before), pairs(&after));
        let sockets = &plan.sockets;
        let left: BTreeSet<_> = before.difference(&after).cloned().collect();
        let came: BTreeSet<_> = after.difference(&before).cloned().collect();
        let moved_from = sockets.moves.iter().map(|(from, _, at)| (from.clone(), *at));
        let expected: BTreeSet<_> = sockets.closes.iter().cloned().chain(moved_from).collect();
        assert_eq!(left, expected, "{what}");
        assert_eq!(came.len(), sockets.opens.len() + sockets.moves.len(), "{what}");
        for (_, to, at) in &sockets.moves {
            assert!(came.contains(&(to.clone(), *at)), "{what}");
        }
        assert_eq!(sockets.stays, before.intersection(&after).count(), "{what}");
        is_as_wanted(&node).await;
        // And nothing is left to be done but what needs a restart.
        let rest = node.plan().await.plan.unwrap();
        assert!(
            rest.differences.iter().all(config::Difference::needs_restart),
            "{what}: {rest:?}"
        );
    }
    assert!(done > times / 10, "{done} of {times} were done");
    node.stop().await;
}
