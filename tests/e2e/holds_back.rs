//! A message that its sender wants held back is not delivered before its time, and then it is.

use actors::tree::DEFAULT_TENANT;
use message::envelope::Hold;
use store::read::trail;
use store::record::trail::TrailEvent;

use crate::node::{Home, accept, accept_held};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_its_time_has_come() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let store = &node.server.store;
    let hour = Hold::parse_for(b"3600").ok();
    let second = Hold::parse_for(b"1").ok();
    let later = accept_held(store, "alice@example.org", b"in an hour\r\n", hour).await;
    let soon = accept_held(store, "alice@example.org", b"in a second\r\n", second).await;
    accept(store, "alice@example.org", b"now\r\n").await;
    let mail = node.mail("alice", 2).await;
    assert!(mail[0].ends_with(b"now\r\n"), "{}", mail[0].escape_ascii());
    assert!(
        mail[1].ends_with(b"in a second\r\n"),
        "{}",
        mail[1].escape_ascii()
    );
    let steps = trail::of_message(&store.snapshot(), DEFAULT_TENANT, soon.message).unwrap();
    let [_, (_, appended)] = &*steps else {
        panic!("{steps:?}");
    };
    assert!(matches!(appended.event, TrailEvent::Appended { .. }));
    assert!(appended.at >= soon.due, "{} before {}", appended.at, soon.due);
    assert_eq!(node.trail(later.message).len(), 1);
    node.stop().await;
    // The due index knows it too.
    let node = home.start().await;
    accept(&node.server.store, "bob@example.org", b"now\r\n").await;
    node.has("bob", 1).await;
    node.has("alice", 2).await;
    node.stop().await;
}
