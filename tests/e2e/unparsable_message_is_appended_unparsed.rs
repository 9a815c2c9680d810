//! A message on which deliveries die is appended without being parsed, and holds up nobody.
//!
//! A killed delivery counts as one that died of its message. The message here is so large that a delivery is found at
//! its parsing, again and again.

use store::record::mailbox::Parsed;
use store::record::trail::TrailEvent;
use supervision::Phase;

use crate::node::{Home, accept, until};

const DELIVERY: &str = "/tenants/default/queues/local/deliveries/1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_two_deliveries_died_on_it() {
    let home = Home::new(&["queue.workers=1"]).await;
    let line = "A line of a message that takes its time to be parsed.\r\n";
    let text = format!(
        "Received: from x\r\nSubject: large\r\n\r\n{}",
        line.repeat(500_000)
    );
    let spooled = home
        .store(async |store| accept(&store, "alice@example.org", text.as_bytes()).await)
        .await;
    let node = home.start().await;
    let row = || node.server.tree.tree(DELIVERY).remove(0);
    for deaths in 1..=2 {
        until("a delivery is at the message", async || row().subject.is_some()).await;
        node.server.tree.kill(DELIVERY).unwrap();
        until("the delivery is back", async || {
            let row = row();
            row.restarts == deaths && row.phase == Phase::Up
        })
        .await;
    }
    node.has("alice", 1).await;
    let trail = node.trail(spooled.message);
    let parsed = trail.iter().find_map(|event| match event {
        TrailEvent::Appended { parsed, .. } => Some(*parsed),
        _ => None,
    });
    assert_eq!(parsed, Some(Parsed::Not), "{trail:?}");
    let mail = node.mail("alice", 1).await;
    assert!(mail[0].ends_with(text.as_bytes()), "it is not what was sent");
    node.stop().await;
}
