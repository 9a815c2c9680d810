//! A proxy tells with XCLIENT for whom it speaks: that one counts, and nobody else is believed.

use crate::node::{Home, without_trace};

const TEXT: &str = "Subject: one\r\n\r\nbody\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_are_trusted() {
    let node = Home::new(&["listeners.mx.xclient_from=127.0.0.0/8"])
        .await
        .start()
        .await;
    let mut line = node.smtp().await;
    line.ask("XCLIENT ADDR=192.0.2.99 LOGIN=nobody@example.org", "535")
        .await;
    line.ask(
        "XCLIENT ADDR=192.0.2.99 PORT=4711 LOGIN=Alice+2Bweb@example.org",
        "220 ",
    )
    .await;
    line.ask("MAIL FROM:<alice@example.org>", "503").await;
    line.ask("EHLO client.example", "250 ").await;
    // As in a session that logged in itself. Attack 31.
    line.ask("MAIL FROM:<bob@example.org>", "553 5.7.1").await;
    line.ask("MAIL FROM:<a@client.example>", "553 5.7.1").await;
    line.ask("MAIL FROM:<>", "250").await;
    line.ask(
        "RCPT TO:<someone@elsewhere.example>",
        "550 5.7.1 No outbound route",
    )
    .await;
    line.ask("RSET", "250").await;
    line.deliver("alice+tag@example.org", &["bob@example.org"], TEXT)
        .await;
    // Who may speak behind the proxy may not pass for another.
    line.ask("XCLIENT ADDR=127.0.0.1", "550 5.7.0").await;
    line.expect("421 4.7.0").await;
    line.closes().await;
    let mail = node.mail("bob", 1).await;
    assert_eq!(without_trace(&mail[0]), TEXT);
    let trace = String::from_utf8(mail[0].clone()).unwrap();
    assert!(
        trace.contains("Received: from client.example ([192.0.2.99])\r\n"),
        "{trace}"
    );
    assert!(trace.contains("with ESMTPA\r\n"), "{trace}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_are_strangers() {
    let node = Home::new(&["listeners.mx.xclient_from=192.0.2.0/24"])
        .await
        .start()
        .await;
    let mut line = node.smtp().await;
    line.ask("XCLIENT ADDR=192.0.2.1", "550 5.7.0").await;
    line.expect("421 4.7.0").await;
    line.closes().await;
    node.stop().await;
}
