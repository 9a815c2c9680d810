//! A StatsD daemon is told what happens, another one from the next settings on, and one that is away costs nobody anything.

use std::sync::Arc;
use std::time::Duration;

use config::{Config, MetricPrefix};
use supervision::Settings;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::node::{Home, Node};

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
        config.statsd.address = Some(next);
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
