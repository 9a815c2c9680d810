//! A thousand connections that say nothing stand in nobody's way.

use crate::line::Line;
use crate::node::{Home, until};

const CONNECTIONS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_ones_leave_room_for_one_that_works() {
    angarium::limits::raise_descriptors();
    let node = Home::new(&[]).await.start().await;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(node.smtp().await);
    }
    let connections = || node.server.tree.tree("/listeners/mx/connections").len() - 1;
    assert_eq!(connections(), CONNECTIONS);
    let mut working = node.smtp().await;
    for number in 1..=10 {
        working
            .deliver("a@client.example", &["alice@example.org"], "Subject: x\r\n\r\n")
            .await;
        node.has("alice", number).await;
    }
    assert_eq!(node.mail("alice", 10).await.len(), 10);
    // None was lost meanwhile.
    for line in &mut idle {
        line.send("NOOP\r\n").await;
    }
    for line in &mut idle {
        line.expect("250").await;
    }
    drop(idle);
    until("they are forgotten", async || connections() == 1).await;
    working.ask("NOOP", "250").await;
    drop(working);
    // Nothing of them is left to stand in the way of a stop.
    let mut last = Line::to(node.address("pop3")).await;
    last.expect("+OK").await;
    node.stop().await;
}
