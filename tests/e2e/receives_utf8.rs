//! A message whose addresses need SMTPUTF8 comes to the account that means them, whatever form their letters came in.

use actors::tree::DEFAULT_TENANT;
use message::address::DomainName;
use store::command::{Command, CreateAlias, CreateDomain};
use store::record::trail::TrailEvent;

use crate::node::{Home, accepted, address, propose, without_trace};

const TEXT: &str =
    "From: J\u{fc}rgen <j\u{fc}rgen@b\u{fc}cher.example>\r\nSubject: Gr\u{fc}\u{df}e\r\n\r\nA body.\r\n";

/// example.org with `jürgen`, who is alice, and bücher.example, whose mail is all bob's.
async fn home() -> Home {
    let home = Home::new(&[]).await;
    home.store(async |store| {
        let alias = CreateAlias {
            tenant: DEFAULT_TENANT,
            address: address("j\u{fc}rgen@example.org"),
            targets: vec![address("alice@example.org")],
        };
        let domain = CreateDomain {
            tenant: DEFAULT_TENANT,
            name: DomainName::parse_utf8("b\u{fc}cher.example").unwrap(),
            catch_all: Some(address("bob@example.org")),
        };
        propose(&store, Command::CreateAlias(alias)).await;
        propose(&store, Command::CreateDomain(domain)).await;
    })
    .await;
    home
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_any_form_of_the_same_name() {
    let node = home().await.start().await;
    let mut line = node.smtp().await;
    // Composed; taken apart and in capitals; a domain in U-labels and in A-labels.
    for (to, count) in [
        ("j\u{fc}rgen@example.org", 1),
        ("JU\u{308}RGEN+tag@EXAMPLE.org", 2),
    ] {
        let reply = deliver(&mut line, to).await;
        let mail = node.mail("alice", count).await;
        let newest = String::from_utf8(mail[count - 1].clone()).unwrap();
        assert_eq!(without_trace(newest.as_bytes()), TEXT);
        let path = "Return-Path: <j\u{fc}rgen@xn--bcher-kva.example>\r\nReceived: from client.example ";
        assert!(newest.starts_with(path), "{newest}");
        assert!(newest.contains("by example.org with UTF8SMTP\r\n"), "{newest}");
        assert!(
            newest.contains(&format!("for <{}>;\r\n", address(to))),
            "{newest}"
        );
        let trail = node.trail(accepted(&reply));
        let Some(TrailEvent::Accepted { arrival, options, .. }) = trail.first() else {
            panic!("{trail:?}");
        };
        assert!(options.utf8);
        assert_eq!(arrival.protocol, "UTF8SMTP");
    }
    deliver(&mut line, "anna@b\u{fc}cher.example").await;
    deliver(&mut line, "anna@xn--bcher-kva.example").await;
    node.has("bob", 2).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn and_not_without_the_word_for_it() {
    let node = home().await.start().await;
    let mut line = node.smtp().await;
    line.ask("MAIL FROM:<j\u{fc}rgen@example.org>", "553 5.6.7").await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    line.ask("RCPT TO:<j\u{fc}rgen@example.org>", "553 5.6.7").await;
    line.ask("RCPT TO:<anna@xn--bcher-kva.example>", "250").await;
    node.stop().await;
}

async fn deliver(line: &mut crate::line::Line, to: &str) -> String {
    line.ask(
        "MAIL FROM:<j\u{fc}rgen@b\u{fc}cher.example> BODY=8BITMIME SMTPUTF8",
        "250",
    )
    .await;
    line.ask(&format!("RCPT TO:<{to}>"), "250").await;
    line.ask("DATA", "354").await;
    line.send(format!("{TEXT}.\r\n")).await;
    line.reply().await
}
