//! Whatever static actor dies, the tree is whole again soon, open connections go on, and mail reaches its mailbox.

use supervision::Phase;

use crate::line::Line;
use crate::node::{Home, Node, until};

const TEXT: &str = "Subject: one\r\n\r\nbody\r\n";

/// Sends a message, again if the server asks for that.
async fn deliver(line: &mut Line) {
    until("the message is taken", async || {
        line.ask("RSET", "250").await;
        for command in ["MAIL FROM:<a@client.example>", "RCPT TO:<alice@example.org>"] {
            if !line.say(command).await.starts_with("250") {
                return false;
            }
        }
        line.ask("DATA", "354").await;
        line.send(format!("{TEXT}.\r\n")).await;
        let reply = line.reply().await;
        assert!(reply.starts_with("250") || reply.starts_with("451"), "{reply}");
        reply.starts_with("250")
    })
    .await;
}

async fn is_whole(node: &Node) {
    until("the tree is whole", async || {
        let rows = node.server.tree.tree("/");
        rows.iter()
            .all(|row| row.phase == Phase::Up || row.phase == Phase::Idle)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_mail_goes_on() {
    let node = Home::new(&[]).await.start().await;
    let mut line = node.smtp().await;
    let mut reader = node.maildrop("bob").await;
    let mut expected = 0;
    for path in [
        "/directory",
        "/authenticator",
        "/store/gate",
        "/feed",
        "/tenants/default/queues/local/queue",
        "/tenants/default/queues/local/deliveries",
        "/tenants/default/queues/local/deliveries/1",
        "/tenants/default/mailboxes",
        "/listeners/mx/acceptor",
    ] {
        let restarts = node.server.tree.tree(path)[0].restarts;
        node.server.tree.kill(path).unwrap();
        deliver(&mut line).await;
        expected += 1;
        node.has("alice", expected).await;
        reader.ask("NOOP", "+OK").await;
        is_whole(&node).await;
        assert!(
            node.server.tree.tree(path)[0].restarts > restarts,
            "{path} did not die"
        );
        // Who comes now finds everything in place.
        deliver(&mut node.smtp().await).await;
        expected += 1;
        assert_eq!(node.mail("alice", expected).await.len(), expected, "{path}");
    }
    node.stop().await;
}
