//! A message whose account is deleted before it is delivered is kept, with the reason, for an operator to decide.

use actors::tree::DEFAULT_TENANT;
use angarium::admin::Admin;
use store::read::spool;
use store::record::trail::{Settlement, TrailEvent};

use crate::node::{Home, accept, address, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_message_is_held_with_a_reason() {
    let home = Home::new(&[]).await;
    let spooled = home
        .store(async |store| {
            let spooled = accept(&store, "alice@example.org", b"Subject: late\r\n\r\n").await;
            let admin = Admin::new(&store, &home.config).unwrap();
            admin.delete(&address("alice@example.org")).await.unwrap();
            spooled
        })
        .await;
    let node = home.start().await;
    let held = async || {
        node.trail(spooled.message).iter().any(
            |event| matches!(event, TrailEvent::Settled(Settlement::Held { why }) if why.contains("vanished")),
        )
    };
    until("it is held", held).await;
    let kept = spool::message(&node.server.store.snapshot(), DEFAULT_TENANT, spooled.message).unwrap();
    assert!(kept.is_some(), "it is gone");
    node.stop().await;
}
