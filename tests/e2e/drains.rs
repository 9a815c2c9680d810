//! A server that stops says so to those who wait, lets a message come to its end, and takes no one new.

use tokio::net::TcpStream;

use crate::line::Line;
use crate::node::{Home, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_sessions_are_sent_away_and_a_message_may_come_to_its_end() {
    let home = Home::new(&["server.drain_deadline=60s"]).await;
    let node = home.start().await;
    let (mx, certificate) = (node.address("mx"), node.certificate.clone());
    let (mut idle, mut reading, mut sending) =
        (node.smtp().await, node.maildrop("bob").await, node.smtp().await);
    let mut secured = Line::to(mx).await;
    secured.expect("220").await;
    secured.ask("EHLO client.example", "250").await;
    secured.ask("STARTTLS", "220").await;
    let mut secured = secured.secure(&certificate, "example.org").await;
    secured.ask("EHLO client.example", "250").await;
    for (command, expected) in [
        ("MAIL FROM:<a@client.example>", "250"),
        ("RCPT TO:<alice@example.org>", "250"),
        ("DATA", "354"),
    ] {
        sending.ask(command, expected).await;
    }
    sending.send("Subject: last\r\n\r\n").await;
    let stopping = tokio::spawn(node.stop());

    for line in [&mut idle, &mut secured] {
        line.expect("421 4.3.2").await;
        line.closes().await;
    }
    reading.expect("-ERR").await;
    reading.closes().await;
    until("nobody new is taken", async || {
        match TcpStream::connect(mx).await {
            Err(_) => true,
            Ok(socket) => socket.peer_addr().is_err(),
        }
    })
    .await;
    sending.send("body\r\n.\r\n").await;
    sending.expect("250 2.0.0").await;
    sending.expect("421 4.3.2").await;
    sending.closes().await;
    stopping.await.unwrap();

    let node = home.start().await;
    node.has("alice", 1).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_come_to_an_end_is_left_at_the_deadline() {
    let home = Home::new(&["server.drain_deadline=1s"]).await;
    let node = home.start().await;
    let mut sending = node.smtp().await;
    for (command, expected) in [
        ("MAIL FROM:<a@client.example>", "250"),
        ("RCPT TO:<alice@example.org>", "250"),
        ("DATA", "354"),
    ] {
        sending.ask(command, expected).await;
    }
    node.stop().await;
    assert_eq!(sending.hear().await.filter(|said| !said.starts_with("421")), None);
    let node = home.start().await;
    node.has("alice", 0).await;
    node.stop().await;
}
