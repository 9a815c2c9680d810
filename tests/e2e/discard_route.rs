//! A domain may be discarded by configuration: its mail is accepted, durable, and goes nowhere.

use store::record::trail::{Settlement, TrailEvent};

use crate::node::{Home, accepted, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_a_discarded_domain_is_accepted_and_is_nowhere() {
    let node = Home::new(&["routes.\"bench.test\".kind=discard"])
        .await
        .start()
        .await;
    let to = ["one@bench.test", "alice@example.org"];
    let reply = node
        .smtp()
        .await
        .deliver("a@client.example", &to, "Subject: x\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    let message = accepted(&reply);
    until("it is discarded", async || {
        node.trail(message).iter().any(|event| {
            matches!(event, TrailEvent::Settled(Settlement::Delivered { reply }) if reply.contains("discarded"))
        })
    })
    .await;
    node.stop().await;
}
