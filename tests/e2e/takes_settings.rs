//! Whoever says that it has taken other settings goes by them: a story for each that keeps some, seen from outside, on
//! connections that stand.

use actors::reload::receipt::Outcome;
use actors::tree::DEFAULT_TENANT;
use store::command::{Command, LimitAccount};
use store::record::state::Limits;
use store::record::trail::{Settlement, TrailEvent};
use tokio::task::JoinSet;

use crate::line::Line;
use crate::node::{Home, Node, accepted, account, propose, until};
use crate::sheet::{LISTENERS, Sheet};

const ALICE: &str = "alice@example.org";

/// Has a node take these settings besides its listeners, and all of it.
async fn take(node: &Node, sheet: &Sheet, settings: &str) {
    sheet.write(&format!("{LISTENERS}{settings}"));
    let receipt = node.reload().await;
    assert_eq!(receipt.outcome, Outcome::Done, "{receipt:?}");
    assert_eq!(
        (receipt.told, receipt.lost),
        (receipt.acknowledged, 0),
        "{receipt:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_directory_its_routes() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<x@dropped.test>", "550").await;
    take(&node, &sheet, "routes.\"dropped.test\".kind = \"discard\"\n").await;
    // Within a transaction that had begun. It reads beside the others: told is not seen yet.
    until("it is discarded", async || {
        line.say("RCPT TO:<x@dropped.test>").await.starts_with("250")
    })
    .await;
    take(&node, &sheet, "").await;
    until("it is not", async || {
        line.say("RCPT TO:<y@dropped.test>").await.starts_with("550")
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limits_of_who_sends() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    sheet.write(&format!("{LISTENERS}limits.allow = []\n"));
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut line = node.smtp().await;
    for _ in 0..2 {
        accepted(
            &line
                .deliver("a@client.example", &[ALICE], "Subject: x\r\n\r\n")
                .await,
        );
    }
    take(
        &node,
        &sheet,
        "limits.allow = []\nlimits.messages_per_address = 2\n",
    )
    .await;
    line.ask("MAIL FROM:<a@client.example>", "45").await;
    take(&node, &sheet, "limits.messages_per_address = 2\n").await;
    accepted(
        &line
            .deliver("a@client.example", &[ALICE], "Subject: x\r\n\r\n")
            .await,
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_authenticator_its_patience() {
    const GUESSES: u32 = 16;
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    sheet.write(&format!("{LISTENERS}auth.free_failures = 100\n"));
    let node = home.start_from(&sheet, Vec::new()).await;
    // Each on a connection of its own, all at once; says whether any is told to come later.
    let guess = async |from: &'static str| {
        let mut guesses = JoinSet::new();
        for _ in 0..GUESSES {
            let mut line = Line::from(from, node.address("pop3")).await;
            line.expect("+OK").await;
            line.ask(&format!("USER {ALICE}"), "+OK").await;
            guesses.spawn(async move { line.say("PASS wrong").await });
        }
        while let Some(reply) = guesses.join_next().await {
            let reply = reply.unwrap();
            assert!(reply.starts_with("-ERR ["), "{reply}");
            if !reply.starts_with("-ERR [AUTH]") {
                return true;
            }
        }
        false
    };
    assert!(!guess("127.3.3.3").await, "as many as that are free");
    take(
        &node,
        &sheet,
        "auth.free_failures = 0\nauth.address_pause = \"1h\"\n",
    )
    .await;
    let mut first = Line::from("127.4.4.4", node.address("pop3")).await;
    first.expect("+OK").await;
    first.ask(&format!("USER {ALICE}"), "+OK").await;
    first.ask("PASS wrong", "-ERR [AUTH]").await;
    assert!(guess("127.4.4.4").await, "nobody had to wait");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_when_to_try_again() {
    const HOUR: u64 = 3_600_000;
    let home = Home::new(&[]).await;
    home.store(async |store| {
        let (account, _) = account(&store.snapshot(), ALICE);
        // Room for something, so that it is only found out at the delivery that there is none for this.
        let limits = Limits {
            octets: Some(1),
            ..Limits::default()
        };
        let tenant = DEFAULT_TENANT;
        propose(
            &store,
            Command::LimitAccount(LimitAccount {
                tenant,
                account,
                limits,
            }),
        )
        .await;
    })
    .await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut line = node.smtp().await;
    // One delivery of sixty-four takes it, whichever: all of them must have been told.
    for (settings, is_long) in [
        ("", false),
        ("queue.retry_first = \"5h\"\nqueue.retry_longest = \"5h\"\n", true),
        ("", false),
    ] {
        take(&node, &sheet, settings).await;
        for _ in 0..8 {
            let message = accepted(
                &line
                    .deliver("a@client.example", &[ALICE], "Subject: x\r\n\r\n")
                    .await,
            );
            let mut waits = None;
            until("it is deferred", async || {
                waits = node.trail(message).into_iter().find_map(|event| match event {
                    TrailEvent::Settled(Settlement::Deferred { next_due, .. }) => {
                        Some(next_due.as_millis() - now_millis())
                    }
                    _ => None,
                });
                waits.is_some()
            })
            .await;
            assert_eq!(waits > Some(2 * HOUR), is_long, "{settings}: {waits:?}");
        }
    }
    node.stop().await;
}

fn now_millis() -> u64 {
    actors::clock::Clock::system().timestamp().as_millis()
}
