//! A message for an account that is full waits in the spool, its trail says why, and it goes on when there is room.

use actors::tree::DEFAULT_TENANT;
use store::command::{Command, LimitAccount};
use store::record::state::Limits;
use store::record::trail::{Settlement, TrailEvent};

use crate::asks_the_shell::Client;
use crate::line::Line;
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

/// Limits an account that is told so, and waits until sessions know.
async fn limit_on_line(client: &mut Client, limits: &str) {
    let line = format!("account limit alice@example.org {limits}");
    let (_, end) = client.ask(&line).await;
    assert_eq!(end["exit"], 0, "{line}: {end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_messages_wait_and_say_why() {
    let home = Home::new(&["queue.retry_first=1s", "queue.retry_longest=1s"]).await;
    home.store(async |store| limit(&store, Some(1)).await).await;
    let node = home.start().await;
    let to = ["alice@example.org", "bob@example.org"];
    // Both are told that there is room, which is so: the second to come finds none.
    let (mut first, mut second) = (node.smtp().await, node.smtp().await);
    for line in [&mut first, &mut second] {
        line.ask("MAIL FROM:<a@client.example>", "250 ").await;
        for address in to {
            line.ask(&format!("RCPT TO:<{address}>"), "250 ").await;
        }
        line.ask("DATA", "354 ").await;
    }
    let mut replies = Vec::new();
    for line in [&mut first, &mut second] {
        line.send("Subject: x\r\n\r\n.\r\n").await;
        replies.push(line.expect("250 ").await);
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn senders_are_told_to_come_later() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    client
        .ask("alias add both@example.org alice@example.org bob@example.org")
        .await;
    client.ask("alias add her@example.org alice@example.org").await;
    let mut line = node.smtp().await;
    line.deliver("a@client.example", &["alice@example.org"], "Subject: x\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    limit_on_line(&mut client, "--messages 1").await;
    line.ask("MAIL FROM:<a@client.example>", "250 ").await;
    for (address, expected) in [
        ("alice@example.org", "452 4.2.2 "),
        ("Alice+tag@example.org", "452 4.2.2 "),
        ("her@example.org", "452 4.2.2 "),
        // One of two has room: the other's waits in the spool.
        ("both@example.org", "250 "),
        ("bob@example.org", "250 "),
    ] {
        line.ask(&format!("RCPT TO:<{address}>"), expected).await;
    }
    line.ask("RSET", "250 ").await;
    // It counts what the client has declared.
    limit_on_line(&mut client, "--messages none --size 10KiB").await;
    for (declared, expected) in [
        ("", "250 "),
        (" SIZE=0", "250 "),
        (" SIZE=5000", "250 "),
        (" SIZE=20000", "452 4.2.2 "),
    ] {
        line.ask(&format!("MAIL FROM:<a@client.example>{declared}"), "250 ")
            .await;
        line.ask("RCPT TO:<alice@example.org>", expected).await;
        line.ask("RSET", "250 ").await;
    }
    // What she removes makes room, without anybody telling the directory.
    limit_on_line(&mut client, "--messages 1 --size none").await;
    let ask = async |line: &mut Line, expected: &str| {
        line.ask("MAIL FROM:<a@client.example>", "250 ").await;
        line.ask("RCPT TO:<alice@example.org>", expected).await;
        line.ask("RSET", "250 ").await;
    };
    ask(&mut line, "452 4.2.2 ").await;
    let mut maildrop = node.maildrop("alice").await;
    maildrop.ask("DELE 1", "+OK").await;
    maildrop.ask("QUIT", "+OK").await;
    ask(&mut line, "250 ").await;
    // And the tenant's count, too.
    client.ask("tenant limit default --messages 0").await;
    until("everybody is full", async || {
        line.ask("MAIL FROM:<a@client.example>", "250 ").await;
        let said = line.say("RCPT TO:<bob@example.org>").await;
        line.ask("RSET", "250 ").await;
        said.starts_with("452 4.2.2 ")
    })
    .await;
    node.stop().await;
}
