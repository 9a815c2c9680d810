//! What was there before a stop is there after the next start: messages, their UIDs, and what was still in the spool.

use crate::node::{Home, Node, accept, without_trace};

async fn uids(node: &Node) -> String {
    let mut line = node.maildrop("alice").await;
    line.ask("UIDL", "+OK").await;
    let uids = String::from_utf8(line.text().await).unwrap();
    line.ask("QUIT", "+OK").await;
    uids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut line = node.smtp().await;
    for number in 1..=3 {
        let text = format!("Subject: {number}\r\n\r\nbody {number}\r\n");
        line.deliver("a@client.example", &["alice@example.org"], &text)
            .await;
        node.has("alice", number).await;
    }
    let mut deleting = node.maildrop("alice").await;
    deleting.ask("DELE 3", "+OK").await;
    deleting.ask("QUIT", "+OK").await;
    let (before, mail) = (uids(&node).await, node.mail("alice", 2).await);
    node.stop().await;

    let node = home.start().await;
    assert_eq!(uids(&node).await, before);
    assert_eq!(node.mail("alice", 2).await, mail);
    // A UID is never given twice, not even that of the message that is gone.
    node.smtp()
        .await
        .deliver("a@client.example", &["alice@example.org"], "Subject: 4\r\n\r\n")
        .await;
    node.has("alice", 3).await;
    let after = uids(&node).await;
    let uid = |row: &str| row.rsplit('.').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(after.lines().map(uid).collect::<Vec<_>>(), [1, 2, 4], "{after}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_spool() {
    let home = Home::new(&[]).await;
    let text = b"Received: from x\r\nSubject: left behind\r\n\r\nbody\r\n";
    home.store(async |store| {
        for _ in 0..20 {
            accept(&store, "alice@example.org", text).await;
        }
    })
    .await;
    let node = home.start().await;
    for message in node.mail("alice", 20).await {
        assert_eq!(without_trace(&message), "Subject: left behind\r\n\r\nbody\r\n");
    }
    node.stop().await;
    let node = home.start().await;
    node.has("alice", 20).await;
    node.stop().await;
}
