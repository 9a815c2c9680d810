//! What one address takes is limited, who offends is sent away, and the others notice nothing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::line::Line;
use crate::node::{Home, PASSWORD, until};

/// Nobody is spared: the addresses of a test are all of this machine.
const NOBODY: &str = "limits.allow=[]";

/// The address that misbehaves, and one that does not and is in another network.
const BAD: &str = "127.1.1.1";
const GOOD: &str = "127.2.2.2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_idle_connections_of_one_address_are_refused_past_the_cap() {
    angarium::limits::raise_descriptors();
    let settings = [
        NOBODY,
        "limits.max_connections_per_address=200",
        "limits.connections_per_address=0",
        "limits.connections_per_network=0",
    ];
    let node = Home::new(&settings).await.start().await;
    let mut idle = Vec::new();
    let mut refused = 0;
    for _ in 0..10_000 {
        let mut line = Line::from(BAD, node.address("mx")).await;
        let first = line.reply().await;
        if first.starts_with("220 ") {
            idle.push(line);
            continue;
        }
        assert_eq!(first, "421 4.7.0 Too many connections");
        line.closes().await;
        refused += 1;
        // Meanwhile the others are served.
        if refused % 1_000 == 0 {
            let mut good = Line::from(GOOD, node.address("mx")).await;
            good.expect("220 ").await;
            good.ask("EHLO client.example", "250 ").await;
            good.deliver("a@client.example", &["alice@example.org"], "Subject: x\r\n\r\n")
                .await;
        }
    }
    assert_eq!((idle.len(), refused), (200, 9_800));
    assert_eq!(node.server.tree.tree("/listeners/mx/connections").len(), 201);
    node.has("alice", 9).await;
    drop(idle);
    // What is given back can be had again.
    until("a connection is let in", async || {
        let mut line = Line::from(BAD, node.address("mx")).await;
        line.reply().await.starts_with("220 ")
    })
    .await;
    node.stop().await;
}

#[tokio::test]
async fn an_address_has_so_many_messages_and_recipients() {
    let settings = [
        NOBODY,
        "limits.messages_per_address=2",
        "limits.recipients_per_address=3",
    ];
    let node = Home::new(&settings).await.start().await;
    let text = "Subject: x\r\n\r\n";
    let mut bad = Line::from(BAD, node.address("mx")).await;
    bad.expect("220 ").await;
    bad.ask("EHLO client.example", "250 ").await;
    bad.deliver("a@client.example", &["alice@example.org"], text)
        .await;
    bad.ask("MAIL FROM:<a@client.example>", "250 ").await;
    bad.ask("RCPT TO:<alice@example.org>", "250 ").await;
    bad.ask("RCPT TO:<bob@example.org>", "250 ").await;
    bad.ask("RCPT TO:<postmaster@example.org>", "452 4.7.1 ").await;
    bad.ask("DATA", "354 ").await;
    bad.send(format!("{text}.\r\n")).await;
    bad.expect("250 ").await;
    bad.ask("MAIL FROM:<a@client.example>", "450 4.7.1 ").await;
    // Also from another connection, and not from another address.
    let mut again = Line::from(BAD, node.address("mx")).await;
    again.expect("220 ").await;
    again.ask("EHLO client.example", "250 ").await;
    again.ask("MAIL FROM:<a@client.example>", "450 4.7.1 ").await;
    let mut good = Line::from(GOOD, node.address("mx")).await;
    good.expect("220 ").await;
    good.ask("EHLO client.example", "250 ").await;
    good.deliver("a@client.example", &["alice@example.org"], text)
        .await;
    node.has("alice", 3).await;
    node.stop().await;
}

#[tokio::test]
async fn who_offends_is_banned_everywhere_also_after_a_restart() {
    let settings = [NOBODY, "limits.unknown_commands=20"];
    let home = Home::new(&settings).await;
    let node = home.start().await;
    let mut lines = Vec::new();
    for _ in 0..4 {
        let mut line = Line::from(BAD, node.address("mx")).await;
        line.expect("220 ").await;
        line.ask("HELO client.example", "250 ").await;
        for _ in 0..5 {
            line.ask("GIMME", "500 5.5.2 ").await;
        }
        lines.push(line);
    }
    let greeting = async |address| Line::from(BAD, address).await.reply().await;
    until("it is banned", async || {
        greeting(node.address("mx")).await == "421 4.7.0 Your address is refused at present"
    })
    .await;
    assert_eq!(
        greeting(node.address("pop3")).await,
        "-ERR [SYS/TEMP] your address is refused at present"
    );
    // It is told so at its next message where it is in.
    for line in &mut lines {
        line.ask("MAIL FROM:<a@client.example>", "421 4.7.0 ").await;
        line.closes().await;
    }
    let mut good = Line::from(GOOD, node.address("mx")).await;
    good.expect("220 ").await;
    drop(good);
    node.stop().await;

    let node = home.start().await;
    assert!(
        Line::from(BAD, node.address("mx"))
            .await
            .reply()
            .await
            .starts_with("421 ")
    );
    let mut good = Line::from(GOOD, node.address("mx")).await;
    good.expect("220 ").await;
    drop(good);
    node.stop().await;
}

/// Attack 28: who guesses passwords is sent away, and the owner comes in from elsewhere.
#[tokio::test]
async fn who_guesses_passwords_is_banned_and_the_owner_is_not() {
    let settings = [
        NOBODY,
        "limits.auth_failures=4",
        "listeners.pop3.plaintext_auth=always",
    ];
    let node = Home::new(&settings).await.start().await;
    let pop3 = node.address("pop3");
    guess(pop3, BAD).await;
    until_banned(pop3, BAD).await;
    let mut good = Line::from(GOOD, pop3).await;
    good.expect("+OK").await;
    good.ask("USER alice@example.org", "+OK").await;
    good.ask(&format!("PASS {PASSWORD}"), "+OK").await;
    // From where the owner has come in, wrong passwords ban nobody; whoever guesses after that is banned after it.
    guess(pop3, GOOD).await;
    guess(pop3, "127.3.3.3").await;
    until_banned(pop3, "127.3.3.3").await;
    let mut still = Line::from(GOOD, pop3).await;
    still.expect("+OK").await;
    drop((good, still));
    node.stop().await;
}

#[tokio::test]
async fn who_breaks_the_rules_of_pop3_is_banned_everywhere() {
    let settings = [NOBODY, "limits.unknown_commands=20", "limits.errors=20"];
    let node = Home::new(&settings).await.start().await;
    let pop3 = node.address("pop3");
    for (source, wrong) in [(BAD, "GIMME"), ("127.3.3.3", "RETR 1")] {
        let mut lines = Vec::new();
        for _ in 0..2 {
            let mut line = Line::from(source, pop3).await;
            line.expect("+OK").await;
            for _ in 0..9 {
                line.ask(wrong, "-ERR").await;
            }
            lines.push(line);
        }
        // Eighteen are not enough.
        let mut line = Line::from(source, pop3).await;
        line.expect("+OK").await;
        for _ in 0..2 {
            line.ask(wrong, "-ERR").await;
        }
        until_banned(pop3, source).await;
        let greeting = Line::from(source, node.address("mx")).await.reply().await;
        assert_eq!(greeting, "421 4.7.0 Your address is refused at present");
        drop((lines, line));
    }
    let mut good = Line::from(GOOD, pop3).await;
    good.expect("+OK").await;
    drop(good);
    node.stop().await;
}

/// Says four wrong passwords, two on a connection.
async fn guess(pop3: SocketAddr, source: &str) {
    for _ in 0..2 {
        let mut line = Line::from(source, pop3).await;
        line.expect("+OK").await;
        for _ in 0..2 {
            line.ask("USER bob@example.org", "+OK").await;
            line.ask("PASS guess", "-ERR [AUTH]").await;
        }
    }
}

async fn until_banned(pop3: SocketAddr, source: &str) {
    until("it is banned", async || {
        Line::from(source, pop3).await.reply().await == "-ERR [SYS/TEMP] your address is refused at present"
    })
    .await;
}

/// A refusal costs an accept, a look at a table and a write: while a flood of them comes, who is served must not wait
/// long. How much it costs is measured elsewhere; here a refusal that waited for its peer would be found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_refused_connections_holds_nobody_up() {
    angarium::limits::raise_descriptors();
    let settings = [
        NOBODY,
        "limits.connections_per_address=10",
        "smtp.max_commands_without_mail=1000000",
    ];
    let node = Home::new(&settings).await.start().await;
    let mx = node.address("mx");
    let flood = tokio::spawn(async move {
        let mut held = Vec::new();
        for _ in 0..3_000 {
            // They neither read nor close.
            held.push(Line::from(BAD, mx).await);
        }
        held
    });
    let started = Instant::now();
    let mut served = 0;
    while !flood.is_finished() {
        let mut good = Line::from(GOOD, mx).await;
        // Its own limit is the same, so that one connection is kept for all of it.
        good.expect("220 ").await;
        good.ask("EHLO client.example", "250 ").await;
        while !flood.is_finished() {
            good.ask("NOOP", "250 ").await;
            served += 1;
        }
    }
    assert!(served > 10, "{served} commands in {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(60));
    drop(flood.await.unwrap());
    node.stop().await;
}
