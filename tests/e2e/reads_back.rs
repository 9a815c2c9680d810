//! What is in a mailbox is read over POP3, and goes only when the client says so and then goodbye.

use crate::node::{Home, Node, PASSWORD, until};

async fn node_with_mail(settings: &[&str]) -> Node {
    let node = Home::new(settings).await.start().await;
    let mut line = node.smtp().await;
    for (number, body) in ["first\r\n..dot\r\nlast\r\n", "second\r\n", "third\r\n"]
        .iter()
        .enumerate()
    {
        let text = format!("Subject: {}\r\n\r\n{body}", number + 1);
        line.deliver("a@client.example", &["alice@example.org"], &text)
            .await;
        node.has("alice", number + 1).await;
    }
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_every_command() {
    let node = node_with_mail(&[]).await;
    let mut line = node.maildrop("alice").await;
    let stat = line.ask("STAT", "+OK 3 ").await;
    let octets: usize = stat.rsplit(' ').next().unwrap().parse().unwrap();
    line.ask("LIST", "+OK").await;
    let listed = String::from_utf8(line.text().await).unwrap();
    let sizes: Vec<usize> = listed.lines().map(|row| row[2..].parse().unwrap()).collect();
    assert_eq!(sizes.iter().sum::<usize>(), octets);
    line.ask("UIDL", "+OK").await;
    let uids = String::from_utf8(line.text().await).unwrap();
    let uids: Vec<&str> = uids.lines().map(|row| &row[2..]).collect();
    assert!(
        uids.len() == 3 && uids[0] != uids[1] && uids[1] != uids[2],
        "{uids:?}"
    );
    assert_eq!(line.say("UIDL 2").await, format!("+OK 2 {}", uids[1]));
    assert_eq!(line.say("LIST 2").await, format!("+OK 2 {}", sizes[1]));

    line.ask("RETR 1", "+OK").await;
    let first = line.text().await;
    assert_eq!(first.len(), sizes[0]);
    assert!(
        first.ends_with(b"Subject: 1\r\n\r\nfirst\r\n.dot\r\nlast\r\n"),
        "{}",
        first.escape_ascii()
    );
    line.ask("TOP 1 2", "+OK").await;
    assert!(
        line.text()
            .await
            .ends_with(b"Subject: 1\r\n\r\nfirst\r\n.dot\r\n")
    );
    line.ask("TOP 1 0", "+OK").await;
    assert!(line.text().await.ends_with(b"Subject: 1\r\n\r\n"));

    line.ask("DELE 1", "+OK").await;
    for gone in [
        "RETR 1", "DELE 1", "LIST 1", "UIDL 1", "TOP 1 1", "RETR 4", "RETR 0",
    ] {
        line.ask(gone, "-ERR").await;
    }
    line.ask("STAT", "+OK 2 ").await;
    line.ask("RSET", "+OK").await;
    line.ask("STAT", "+OK 3 ").await;
    line.ask("DELE 2", "+OK").await;
    line.ask("NOOP", "+OK").await;
    node.has("alice", 3).await;
    line.ask("QUIT", "+OK").await;
    line.closes().await;
    node.has("alice", 2).await;

    let mut line = node.maildrop("alice").await;
    line.ask("UIDL", "+OK").await;
    let left = String::from_utf8(line.text().await).unwrap();
    assert_eq!(left, format!("1 {}\r\n2 {}\r\n", uids[0], uids[2]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined() {
    let node = node_with_mail(&[]).await;
    let mut line = node.pop3().await;
    line.send(format!(
        "USER alice@example.org\r\nPASS {PASSWORD}\r\nSTAT\r\nRETR 3\r\nDELE 3\r\nQUIT\r\nSTAT\r\n"
    ))
    .await;
    for _ in ["USER", "PASS"] {
        line.expect("+OK").await;
    }
    line.expect("+OK 3 ").await;
    line.expect("+OK").await;
    assert!(line.text().await.ends_with(b"third\r\n"));
    for _ in ["DELE", "QUIT"] {
        line.expect("+OK").await;
    }
    line.closes().await;
    node.has("alice", 2).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_tls() {
    let node = node_with_mail(&["listeners.pop3.plaintext_auth=never"]).await;
    let mut line = node.pop3().await;
    line.ask("USER alice@example.org", "-ERR").await;
    // What is sent in clear behind STLS is nobody's.
    line.send("STLS\r\nUSER bob@example.org\r\n").await;
    line.expect("+OK").await;
    let mut line = line.secure(&node.certificate, "example.org").await;
    line.ask(&format!("PASS {PASSWORD}"), "-ERR").await;
    line.ask("USER alice@example.org", "+OK").await;
    line.ask(&format!("PASS {PASSWORD}"), "+OK").await;
    line.ask("RETR 3", "+OK").await;
    assert!(line.text().await.ends_with(b"third\r\n"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_one_at_a_time() {
    let node = node_with_mail(&[]).await;
    let mut first = node.maildrop("alice").await;
    first.ask("DELE 1", "+OK").await;
    let mut second = node.pop3().await;
    second.ask("USER alice@example.org", "+OK").await;
    second.ask(&format!("PASS {PASSWORD}"), "-ERR [IN-USE]").await;
    // Another mailbox is another's.
    node.maildrop("bob").await.ask("STAT", "+OK 0 0").await;
    // A client that hangs up without QUIT removes nothing, and leaves the mailbox to the next.
    drop(first);
    until("the lock is let go of", async || {
        second.say("USER alice@example.org").await;
        second.say(&format!("PASS {PASSWORD}")).await.starts_with("+OK")
    })
    .await;
    second.ask("STAT", "+OK 3 ").await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_none_but_its_owner() {
    let node = node_with_mail(&["pop3.max_failed_logins=4"]).await;
    let mut line = node.pop3().await;
    let mut said = Vec::new();
    for (name, password) in [
        ("alice@example.org", "guess"),
        ("nobody@example.org", PASSWORD),
        ("alice@elsewhere.example", PASSWORD),
    ] {
        line.ask(&format!("USER {name}"), "+OK").await;
        said.push(line.ask(&format!("PASS {password}"), "-ERR [AUTH]").await);
        line.ask("STAT", "-ERR").await;
    }
    assert!(said.iter().all(|reply| *reply == said[0]), "{said:?}");
    line.ask("USER alice@example.org", "+OK").await;
    line.ask("PASS guess", "-ERR [AUTH]").await;
    line.closes().await;
    node.stop().await;
}
