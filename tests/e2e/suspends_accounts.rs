//! An account is suspended while sessions are in it: they end, nobody comes in, its mail goes on, and all is as before
//! when it is resumed.

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::asks_the_shell::Client;
use crate::line::Line;
use crate::node::{Home, Node, PASSWORD, until};

const ALICE: &str = "alice@example.org";

/// Log-ins in clear, which are for this machine.
async fn submission(node: &Node) -> Line {
    let mut line = Line::to(node.address("submission")).await;
    line.expect("220 ").await;
    line.ask("EHLO client.example", "250 ").await;
    line
}

fn plain() -> String {
    let words = format!("\0{ALICE}\0{PASSWORD}");
    format!("AUTH PLAIN {}", Base64::encode_string(words.as_bytes()))
}

async fn done(client: &mut Client, line: &str) -> Value {
    let (_, end) = client.ask(line).await;
    assert_eq!((&end["exit"], &end["error"]), (&json!(0), &Value::Null), "{line}");
    end["receipt"].clone()
}

async fn refused(client: &mut Client, line: &str, why: &str) {
    let (_, end) = client.ask(line).await;
    assert_eq!(end["exit"], 1, "{line}: {end}");
    assert!(end["error"].as_str().unwrap().contains(why), "{line}: {end}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_in_it_any_more_and_its_mail_goes_on() {
    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    let (mut idle, mut pop3) = (submission(&node).await, node.maildrop("alice").await);
    idle.ask(&plain(), "235 ").await;
    let mut stranger = node.maildrop("bob").await;
    // In the middle of a text, whose end comes when the log-in has ended.
    let mut writing = submission(&node).await;
    writing.ask(&plain(), "235 ").await;
    writing.ask(&format!("MAIL FROM:<{ALICE}>"), "250 ").await;
    writing.ask("RCPT TO:<bob@example.org>", "250 ").await;
    writing.ask("DATA", "354 ").await;
    writing.send(format!("From: {ALICE}\r\n")).await;
    let receipt = done(&mut client, &format!("account suspend {ALICE} --dry-run")).await;
    assert_eq!(receipt["dry_run"], true, "{receipt}");
    idle.ask("NOOP", "250 ").await;

    let receipt = done(&mut client, &format!("account suspend {ALICE} --reason spam")).await;
    assert_eq!(receipt["inverse"], format!("account resume {ALICE}"), "{receipt}");
    // Those that were idle are told at once.
    idle.expect("421 4.7.0 ").await;
    idle.closes().await;
    pop3.expect("-ERR [SYS/TEMP] your log-in has ended").await;
    pop3.closes().await;
    writing.send("\r\nx\r\n.\r\n").await;
    writing.expect("530 5.7.0 ").await;
    stranger.ask("NOOP", "+OK").await;

    // A right password is told what a wrong one is.
    let mut line = node.pop3().await;
    line.ask(&format!("USER {ALICE}"), "+OK").await;
    let right = line.say(&format!("PASS {PASSWORD}")).await;
    line.ask(&format!("USER {ALICE}"), "+OK").await;
    assert_eq!(line.say("PASS wrong").await, right);
    assert!(right.starts_with("-ERR [AUTH]"), "{right}");
    submission(&node).await.ask(&plain(), "535 5.7.8 ").await;

    // Its mail goes on.
    let mut line = node.smtp().await;
    line.deliver("a@client.example", &[ALICE], "Subject: x\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    refused(
        &mut client,
        &format!("account suspend {ALICE}"),
        "suspended already",
    )
    .await;

    let receipt = done(&mut client, &format!("account suspend {ALICE} --refuse-mail")).await;
    assert_eq!(
        receipt["inverse"],
        format!("account suspend {ALICE}"),
        "{receipt}"
    );
    line.ask("MAIL FROM:<a@client.example>", "250 ").await;
    line.ask(&format!("RCPT TO:<{ALICE}>"), "550 5.2.1 ").await;
    line.ask("RCPT TO:<bob@example.org>", "250 ").await;
    let (blocks, _) = client.ask("account list").await;
    let rows = blocks[0]["table"]["rows"].as_array().unwrap();
    let suspended: Vec<bool> = rows.iter().map(|row| !row[5].is_null()).collect();
    assert_eq!(suspended, [true, false, false], "{blocks:?}");
    let (blocks, _) = client.ask(&format!("account show {ALICE}")).await;
    assert!(blocks[0].to_string().contains("refused"), "{blocks:?}");

    let receipt = done(&mut client, &format!("account resume {ALICE}")).await;
    let inverse = format!("account suspend {ALICE} --refuse-mail");
    assert_eq!(receipt["inverse"], inverse, "{receipt}");
    refused(
        &mut client,
        &format!("account resume {ALICE}"),
        "is not suspended",
    )
    .await;
    refused(&mut client, "account suspend nobody@example.org", "no account").await;
    node.maildrop("alice").await.ask("STAT", "+OK 1 ").await;
    submission(&node).await.ask(&plain(), "235 ").await;
    line.ask(&format!("RCPT TO:<{ALICE}>"), "250 ").await;
    node.stop().await;
}

/// Without anybody who would tell them: as after a change that another process has made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_meet_it_at_their_next_command() {
    use actors::tree::DEFAULT_TENANT;
    use store::command::{Command, ResumeAccount, SuspendAccount};

    use crate::node::{account, propose};

    let home = Home::new(&[]).await;
    let node = home.start().await;
    let mut client = Client::to(&home).await;
    let (mut smtp, mut pop3) = (submission(&node).await, node.maildrop("alice").await);
    smtp.ask(&plain(), "235 ").await;
    let store = &node.server.store;
    let (account, _) = account(&store.snapshot(), ALICE);
    let (tenant, refuses_mail) = (DEFAULT_TENANT, false);
    let suspend = SuspendAccount {
        tenant,
        account,
        refuses_mail,
    };
    propose(store, Command::SuspendAccount(suspend)).await;
    until("who shows it", async || {
        let (blocks, _) = client.ask(&format!("who --account {ALICE}")).await;
        let rows = blocks[0]["table"]["rows"].as_array().unwrap();
        rows.len() == 2 && rows.iter().all(|row| row[5] == true)
    })
    .await;
    // Whoever looks for it by logging in finds out when the directory knows.
    until("nobody logs in", async || {
        let mut line = node.pop3().await;
        line.ask(&format!("USER {ALICE}"), "+OK").await;
        let said = line.say(&format!("PASS {PASSWORD}")).await;
        said.starts_with("-ERR [AUTH]")
    })
    .await;
    smtp.ask("NOOP", "421 4.7.0 ").await;
    smtp.closes().await;
    pop3.ask("DELE 1", "-ERR ").await;
    pop3.closes().await;
    propose(store, Command::ResumeAccount(ResumeAccount { tenant, account })).await;
    until("they log in again", async || {
        let mut line = node.pop3().await;
        line.ask(&format!("USER {ALICE}"), "+OK").await;
        line.say(&format!("PASS {PASSWORD}")).await.starts_with("+OK")
    })
    .await;
    node.stop().await;
}
