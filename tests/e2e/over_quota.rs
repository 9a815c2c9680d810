//! A message for an account that is full waits in the spool, its trail says why, and it goes on when there is room.

use actors::tree::DEFAULT_TENANT;
use store::command::{Command, LimitAccount};
use store::record::state::Limits;
use store::record::trail::{Settlement, TrailEvent};

use crate::node::{Home, accepted, account, propose, until};

async fn limit(store: &store::store::Store, messages: Option<u64>) {
    let (account, _) = account(&store.snapshot(), "alice@example.org");
    let limits = Limits {
        messages,
        ..Limits::default()
    };
    let limit = LimitAccount {
        tenant: DEFAULT_TENANT,
        account,
        limits,
    };
    propose(store, Command::LimitAccount(limit)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_messages_wait_and_say_why() {
    let home = Home::new(&["queue.retry_first=1s", "queue.retry_longest=1s"]).await;
    home.store(async |store| limit(&store, Some(1)).await).await;
    let node = home.start().await;
    let mut line = node.smtp().await;
    let mut replies = Vec::new();
    for _ in 0..2 {
        let to = ["alice@example.org", "bob@example.org"];
        replies.push(line.deliver("a@client.example", &to, "Subject: x\r\n\r\n").await);
        node.has("alice", 1).await;
    }
    // A neighbour in the same envelope is not concerned.
    node.has("bob", 2).await;
    let message = accepted(&replies[1]);
    until("it is deferred, and says why", async || {
        node.trail(message).iter().any(
            |event| matches!(event, TrailEvent::Settled(Settlement::Deferred { why, .. }) if why.contains("quota")),
        )
    })
    .await;
    limit(&node.server.store, None).await;
    node.has("alice", 2).await;
    node.stop().await;
}
