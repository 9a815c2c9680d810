//! A StatsD daemon is told what happens, another one from the next settings on, and one that is away costs nobody anything.

use std::sync::Arc;
use std::time::Duration;

use config::{Config, MetricPrefix};
use supervision::Settings;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use actors::reload::receipt::Outcome;

use crate::node::{Home, Node, until};
use crate::sheet::{LISTENERS, Sheet};

/// What has not come by then never will.
const DEADLINE: Duration = Duration::from_secs(60);

async fn daemon() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.expect("a socket")
}

/// Waits for a line that begins so.
async fn hears(daemon: &UdpSocket, start: &str) {
    let mut octets = [0; 2048];
    let listening = async {
        loop {
            let length = daemon.recv(&mut octets).await.expect("a datagram");
            let text = String::from_utf8_lossy(&octets[..length]).into_owned();
            if text.lines().any(|line| line.starts_with(start)) {
                return;
            }
        }
    };
    assert!(timeout(DEADLINE, listening).await.is_ok(), "in vain: {start}");
}

async fn change(node: &Node, change: impl FnOnce(&mut Config)) {
    let mut config = node.server.tree.settings().of::<Config>().clone();
    change(&mut config);
    let settings = Settings::shared(Arc::new(config));
    node.server.tree.commit(&settings, DEADLINE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_the_settings_and_its_own_death() {
    let (first, second) = (daemon().await, daemon().await);
    let address = format!("statsd.address={}", first.local_addr().unwrap());
    let node = Home::new(&[&address, "statsd.interval=1s", "server.node=7"])
        .await
        .start()
        .await;
    // Also what has never happened, and what belongs to a class.
    hears(&first, "angarium.7.security.strangers.xclient:").await;
    hears(&first, "angarium.7.actors.store_gate.running:1|g").await;
    node.server.tree.kill("/telemetry/statsd").unwrap();
    hears(&first, "angarium.7.smtp.messages.accepted:").await;
    let next = second.local_addr().unwrap();
    change(&node, |config| {
        config.statsd.address = Some(next.into());
        config.statsd.prefix = MetricPrefix::new("mail.other").unwrap();
    })
    .await;
    hears(&second, "mail.other.7.smtp.messages.accepted:").await;
    // Nobody listens there any more.
    drop(second);
    for _ in 0..3 {
        let mut line = node.smtp().await;
        line.ask("NOOP", "250 ").await;
        line.ask("QUIT", "221 ").await;
    }
    change(&node, |config| config.statsd.address = None).await;
    node.stop().await;
}

/// What the sender says of itself.
async fn says(node: &Node, key: &str) -> String {
    let shown = node.server.tree.inspect("/telemetry/statsd").await.unwrap();
    let shown = serde_json::to_value(&shown).unwrap();
    shown[key].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn finds_a_daemon_by_its_name() {
    // Most machines have two addresses of this name, and the daemon has one.
    let daemon = daemon().await;
    let port = daemon.local_addr().unwrap().port();
    let address = format!("statsd.address=localhost:{port}");
    let node = Home::new(&[&address, "statsd.interval=1s", "server.node=7"])
        .await
        .start()
        .await;
    hears(&daemon, "angarium.7.smtp.messages.accepted:").await;
    assert_eq!(says(&node, "address").await, format!("localhost:{port}"));
    assert_eq!(says(&node, "daemon").await, format!("127.0.0.1:{port}"));
    assert_eq!(says(&node, "unresolved").await, "");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_nobody_knows_holds_up_neither_start_nor_reload() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    // RFC 6761 section 6.4: nobody will ever have it.
    let unknown = |more: &str| {
        format!("{LISTENERS}statsd.address = \"statsd.invalid:8125\"\nstatsd.interval = \"1s\"\n{more}")
    };
    sheet.write(&unknown(""));
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut line = node.smtp().await;
    line.deliver("a@client.example", &["alice@example.org"], "Subject: x\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    until("it says so", async || !says(&node, "unresolved").await.is_empty()).await;
    // It is no reason to refuse anything else.
    sheet.write(&unknown("statsd.prefix = \"other\"\nsmtp.max_errors = 7\n"));
    assert_eq!(node.reload().await.outcome, Outcome::Done);
    assert_eq!(node.server.tree.settings().of::<Config>().smtp.max_errors, 7);
    let daemon = daemon().await;
    let known = daemon.local_addr().unwrap();
    sheet.write(&format!(
        "{LISTENERS}statsd.address = \"{known}\"\nstatsd.interval = \"1s\"\n"
    ));
    assert_eq!(node.reload().await.outcome, Outcome::Done);
    hears(&daemon, "angarium.0.smtp.messages.accepted:").await;
    assert_eq!(says(&node, "unresolved").await, "");
    node.stop().await;
}
