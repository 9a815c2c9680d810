//! An account gets another address while sessions are in it: they go on under the new one, what stood for the old one
//! follows, and the line of the receipt brings all back.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::asks_the_shell::Client;
use crate::line::Line;
use crate::node::{Home, Node, PASSWORD};

const ALICE: &str = "alice@example.org";
const MILLER: &str = "miller@example.org";

async fn submission(node: &Node, login: &str, expected: &str) -> Line {
    let mut line = Line::to(node.address("submission")).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    let words = Base64::encode_string(format!("\0{login}\0{PASSWORD}").as_bytes());
    line.ask(&format!("AUTH PLAIN {words}"), expected).await;
    line
}

async fn done(client: &mut Client, line: &str) -> (Vec<Value>, Value) {
    let (blocks, end) = client.ask(line).await;
    assert_eq!((&end["exit"], &end["error"]), (&json!(0), &Value::Null), "{line}");
    (blocks, end["receipt"].clone())
}

async fn refused(client: &mut Client, line: &str, why: &str) {
    let (_, end) = client.ask(line).await;
    assert_ne!(end["exit"], 0, "{line}: {end}");
    assert!(end["error"].as_str().unwrap().contains(why), "{line}: {end}");
}

/// Which of these addresses the server takes mail for.
async fn takes(node: &Node, addresses: &[&str]) -> Vec<bool> {
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250 ").await;
    let mut taken = Vec::new();
    for address in addresses {
        let said = line.say(&format!("RCPT TO:<{address}>")).await;
        assert!(
            said.starts_with("250 ") || said.starts_with("550 5.1.1 "),
            "{said}"
        );
        taken.push(said.starts_with("250 "));
    }
    taken
}

/// Whether an open session may send as an address.
async fn sends_as(line: &mut Line, address: &str) -> bool {
    let said = line.say(&format!("MAIL FROM:<{address}>")).await;
    line.ask("RSET", "250 ").await;
    assert!(
        said.starts_with("250 ") || said.starts_with("553 5.7.1 "),
        "{said}"
    );
    said.starts_with("250 ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_sessions_and_all_that_meant_it_follow() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    let alias = format!("alias add team@example.org {ALICE} alice+team@example.org bob@example.org");
    for line in [
        alias.as_str(),
        "domain add other.example",
        "domain catch-all other.example alice@example.org",
        "account identity add bob@example.org alice@example.org",
    ] {
        done(&mut client, line).await;
    }
    let mut smtp = node.smtp().await;
    smtp.deliver("a@client.example", &[ALICE], "Subject: before\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    let mut open = submission(&node, ALICE, "235 ").await;
    let mut pop3 = node.maildrop("alice").await;
    for (to, why) in [
        ("bob@example.org", "is taken"),
        ("team@example.org", "is taken"),
        ("alice@elsewhere.example", "no domain of ours"),
        ("miller+x@example.org", "+tag"),
        (ALICE, "is taken"),
    ] {
        refused(&mut client, &format!("account rename {ALICE} {to}"), why).await;
    }
    refused(
        &mut client,
        &format!("account rename nobody@example.org {MILLER}"),
        "no account",
    )
    .await;
    let line = format!("account rename {ALICE} {MILLER}");
    let (_, receipt) = done(&mut client, &format!("{line} --dry-run")).await;
    assert_eq!(
        (&receipt["touches"], &receipt["dry_run"]),
        (&json!(3), &json!(true))
    );
    assert!(sends_as(&mut open, ALICE).await);

    let (blocks, receipt) = done(&mut client, &line).await;
    assert_eq!(receipt["inverse"], format!("account rename {MILLER} {ALICE}"));
    assert!(
        blocks[0]
            .to_string()
            .contains("bob@example.org may still send as"),
        "{blocks:?}"
    );
    // Those that are open see it at once, and keep what they had.
    assert_eq!(
        (
            sends_as(&mut open, ALICE).await,
            sends_as(&mut open, MILLER).await
        ),
        (false, true)
    );
    pop3.ask("STAT", "+OK 1 ").await;
    let (blocks, _) = client.ask(&format!("who --account {MILLER}")).await;
    assert_eq!(
        blocks[0]["table"]["rows"].as_array().unwrap().len(),
        2,
        "{blocks:?}"
    );
    pop3.ask("QUIT", "+OK").await;
    pop3.closes().await;
    submission(&node, ALICE, "535 ").await;
    node.maildrop("miller").await.ask("STAT", "+OK 1 ").await;
    // A message without From and sender gets the new address.
    open.ask("MAIL FROM:<>", "250 ").await;
    open.ask(&format!("RCPT TO:<{MILLER}>"), "250 ").await;
    open.ask("DATA", "354 ").await;
    open.send("Subject: x\r\n\r\nx\r\n.\r\n").await;
    open.expect("250 ").await;
    let mail = node.mail("miller", 2).await;
    let text = String::from_utf8_lossy(&mail[1]).into_owned();
    assert!(text.contains(&format!("From: {MILLER}")), "{text}");
    let reached = [
        ALICE,
        MILLER,
        "alice+x@example.org",
        "team@example.org",
        "any@other.example",
    ];
    assert_eq!(takes(&node, &reached).await, [false, true, false, true, true]);
    smtp.deliver(
        "a@client.example",
        &["team@example.org", "any@other.example"],
        "Subject: after\r\n\r\n",
    )
    .await;
    node.has("miller", 3).await;
    node.has("bob", 1).await;

    // Back, and once more with the old address kept.
    done(&mut client, receipt["inverse"].as_str().unwrap()).await;
    assert_eq!(takes(&node, &reached).await, [true, false, true, true, true]);
    let (_, receipt) = done(&mut client, &format!("{line} --keep-alias")).await;
    assert_eq!(takes(&node, &reached).await, [true; 5]);
    assert!(!sends_as(&mut open, ALICE).await);
    submission(&node, ALICE, "535 ").await;
    // The alias that was kept is the account's to take again.
    let (_, receipt) = done(&mut client, receipt["inverse"].as_str().unwrap()).await;
    assert_eq!(
        receipt["inverse"],
        format!("account rename {ALICE} {MILLER} --keep-alias")
    );
    assert_eq!(takes(&node, &reached).await, [true, false, true, true, true]);
    let (blocks, _) = client.ask("alias show team@example.org").await;
    assert!(
        blocks[1].to_string().contains("alice+team@example.org"),
        "{blocks:?}"
    );
    // Another spelling of the same address.
    done(&mut client, &format!("account rename {ALICE} Alice@example.org")).await;
    submission(&node, ALICE, "235 ").await;
    node.stop().await;
}
