//! Another configuration in a server that runs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

use actors::reload::receipt::Outcome;
use actors::reload::reloader::Request;
use config::Config;
use store::read::{audit, configuration};
use store::record::audit::AuditOutcome;

use crate::line::Line;
use crate::node::{Home, Node, until};
use crate::sheet::{LISTENERS, Sheet, request};

fn address(node: &Node, listener: &str) -> SocketAddr {
    node.server.ports().addresses()[listener][0]
}

/// A free port from below those that the system gives to clients (32768 on): the client of another test that has one stands in
/// the way of every address with its number.
fn quiet_port() -> u16 {
    // Every caller looks from another place on, so that no two find the same.
    static CALLERS: AtomicU16 = AtomicU16::new(0);
    let caller = CALLERS.fetch_add(1, Ordering::Relaxed);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap() + 100 * caller;
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok();
    (first..32_768).find(is_free).expect("a free port")
}

fn max_errors(node: &Node) -> u32 {
    node.server.tree.settings().of::<Config>().smtp.max_errors
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_sessions_have_the_new_settings_and_standing_ones_their_own() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut old = node.smtp().await;
    sheet.write(&format!(
        "{LISTENERS}smtp.max_message_size = \"77KiB\"\nserver.hostname_ = 1\n"
    ));
    assert!(matches!(node.reload().await.outcome, Outcome::Invalid(_)));
    sheet.write(&format!("{LISTENERS}smtp.max_message_size = \"77KiB\"\n"));
    let planned = node.plan().await;
    let receipt = node.reload().await;
    assert_eq!(receipt.outcome, Outcome::Done, "{receipt:?}");
    assert_eq!(receipt.told, receipt.acknowledged, "{receipt:?}");
    let (planned, done) = (planned.plan.unwrap(), receipt.plan.unwrap());
    assert_eq!(planned, done);
    assert_eq!(done.differences.len(), 1);
    assert_eq!(done.differences[0].key, "smtp.max_message_size");
    let touch = &done.touches[0];
    assert_eq!((touch.section.as_str(), touch.connections), ("smtp", 1));
    let mut new = Line::to(address(&node, "mx")).await;
    new.expect("220 ").await;
    new.ask("EHLO client.example", "250 ").await;
    let large = "MAIL FROM:<a@client.example> SIZE=100000";
    new.ask(large, "552").await;
    old.ask(large, "250").await;
    old.ask("RSET", "250").await;
    old.deliver("a@client.example", &["alice@example.org"], "Subject: x\r\n\r\n")
        .await;
    node.has("alice", 1).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_with_mistakes_changes_nothing_and_names_all() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let (before, generation) = (
        node.server.ports().addresses(),
        node.server.tree.settings().generation(),
    );
    sheet.write("listeners.mx.bind = \"127.0.0.1\"\nsmtp.max_error = 5\n");
    let receipt = node.reload().await;
    let Outcome::Invalid(mistakes) = &receipt.outcome else {
        panic!("{receipt:?}");
    };
    for key in ["listeners.mx.bind", "smtp.max_error:"] {
        assert!(
            mistakes.iter().any(|line| line.contains(key)),
            "{key}: {mistakes:?}"
        );
    }
    assert_eq!(node.server.ports().addresses(), before);
    assert_eq!(node.server.tree.settings().generation(), generation);
    let entry = audit::entry(&node.server.store.snapshot(), receipt.id)
        .unwrap()
        .unwrap();
    assert!(matches!(entry.outcome, AuditOutcome::Failed(_)));
    assert!(entry.detail.contains("smtp.max_error:"), "{}", entry.detail);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_come_go_and_move_and_keep_their_connections() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    sheet.write(&format!(
        "listeners.mx.bind = \"127.0.0.1:0\"\nlisteners.pop3.bind = \"127.0.0.1:{}\"\n",
        quiet_port()
    ));
    let node = home.start_from(&sheet, Vec::new()).await;
    let (mx, pop3) = (address(&node, "mx"), address(&node, "pop3"));
    let (mut smtp, mut reader) = (node.smtp().await, node.pop3().await);
    // They exchange their ports, and there is a third.
    sheet.write(&format!(
        "listeners.mx.bind = \"{pop3}\"\nlisteners.pop3.bind = \"{mx}\"\n\
         listeners.extra.protocol = \"lmtp\"\nlisteners.extra.bind = \"127.0.0.1:0\"\nlisteners.extra.tls = \"none\"\n"
    ));
    let receipt = node.reload().await;
    assert_eq!(receipt.outcome, Outcome::Done, "{receipt:?}");
    assert_eq!(receipt.plan.unwrap().sockets.moves.len(), 2);
    assert_eq!((address(&node, "mx"), address(&node, "pop3")), (pop3, mx));
    smtp.ask("NOOP", "250").await;
    reader.ask("CAPA", "+OK").await;
    Line::to(pop3).await.expect("220 ").await;
    Line::to(mx).await.expect("+OK").await;
    let extra = address(&node, "extra");
    let mut guest = Line::to(extra).await;
    guest.expect("220 ").await;
    // It goes again, with its connections; those of others stay, also where the address becomes another.
    sheet.write(&format!(
        "listeners.mx.bind = \"0.0.0.0:{}\"\nlisteners.pop3.bind = \"{mx}\"\n",
        pop3.port()
    ));
    let plan = node.plan().await.plan.unwrap();
    assert_eq!(plan.sockets.closes.len(), 2, "{plan:?}");
    let receipt = node.reload().await;
    assert_eq!(receipt.outcome, Outcome::Done, "{receipt:?}");
    guest.expect("421").await;
    smtp.ask("NOOP", "250").await;
    Line::to(pop3).await.expect("220 ").await;
    until("nobody listens there", async || {
        tokio::net::TcpStream::connect(extra).await.is_err()
    })
    .await;
    until("the listener is gone", async || {
        node.server.tree.tree("/listeners/extra").is_empty()
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_had_leaves_all_as_it_was() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    let before = node.server.ports().addresses();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = other.local_addr().unwrap();
    let broken = home.config.server.data.join("broken.pem");
    std::fs::write(&broken, "no certificate").unwrap();
    let free = "listeners.fresh.protocol = \"smtp\"\nlisteners.fresh.bind = \"127.0.0.1:0\"\n";
    for (text, expected) in [
        (
            format!("listeners.mx.bind = \"{taken}\"\nlisteners.pop3.bind = \"127.0.0.1:0\"\n"),
            taken.to_string(),
        ),
        (
            format!("{LISTENERS}{free}tls.certificate = {broken:?}\ntls.key = {broken:?}\n"),
            "tls".to_owned(),
        ),
        // Not the keeper of the sockets refuses: what it has made ready is given back.
        (
            format!("{LISTENERS}{free}shell.readers = \"no such group\"\n"),
            "no such group".to_owned(),
        ),
    ] {
        sheet.write(&format!("{text}smtp.max_errors = 7\n"));
        let receipt = node.reload().await;
        let Outcome::Refused(mistakes) = &receipt.outcome else {
            panic!("{receipt:?}");
        };
        assert!(
            mistakes.iter().any(|line| line.contains(&expected)),
            "{mistakes:?}"
        );
        assert_eq!(node.server.ports().addresses(), before);
        assert_eq!(node.server.ports().bound(), before.len());
        assert_eq!(max_errors(&node), 20);
    }
    node.smtp().await;
    drop(other);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_in_force_can_be_returned_to() {
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let node = home.start_from(&sheet, Vec::new()).await;
    sheet.write(&format!("{LISTENERS}smtp.max_errors = 7\n"));
    let receipt = node.reload().await;
    assert_eq!((&receipt.outcome, max_errors(&node)), (&Outcome::Done, 7));
    let snapshot = node.server.store.snapshot();
    let kept = configuration::configurations(&snapshot).unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].id, receipt.id);
    assert_eq!(receipt.inverse, Some(format!("reload --rollback {}", kept[1].id)));
    let entry = audit::entry(&snapshot, receipt.id).unwrap().unwrap();
    assert_eq!(
        (entry.outcome, entry.who.as_str()),
        (AuditOutcome::Done, "a test")
    );
    assert!(
        entry.detail.contains("smtp.max_errors: 20 (default) -> 7"),
        "{}",
        entry.detail
    );
    let back = Request {
        to: Some(kept[1].id),
        ..request()
    };
    let receipt = node.server.reloads().request(back.clone()).await.unwrap();
    assert_eq!((&receipt.outcome, max_errors(&node)), (&Outcome::Done, 20));
    // Nothing is kept under the receipt of somebody else.
    let nowhere = Request {
        to: Some(message::ReceiptId::from_bytes([1; 16])),
        ..back
    };
    let receipt = node.server.reloads().request(nowhere).await.unwrap();
    assert!(matches!(receipt.outcome, Outcome::Invalid(_)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_reloads_drop_none_of_two_thousand() {
    const CONNECTIONS: usize = 2_000;
    const RELOADS: usize = 100;
    let descriptors = angarium::limits::raise_descriptors();
    let connections = CONNECTIONS.min(usize::try_from(descriptors.saturating_sub(1_000) / 2).unwrap_or(0));
    let home = Home::new(&[]).await;
    let sheet = Sheet::of(&home);
    let port = quiet_port();
    sheet.write(&format!(
        "listeners.mx.bind = \"127.0.0.1:{port}\"\nlisteners.pop3.bind = \"127.0.0.1:0\"\n"
    ));
    let node = home.start_from(&sheet, Vec::new()).await;
    let mut lines = Vec::new();
    for _ in 0..connections {
        let mut line = Line::to(address(&node, "mx")).await;
        line.expect("220 ").await;
        lines.push(line);
    }
    for number in 0..RELOADS {
        let host = if number % 2 == 0 { "0.0.0.0" } else { "127.0.0.1" };
        sheet.write(&format!(
            "listeners.mx.bind = \"{host}:{port}\"\nlisteners.pop3.bind = \"127.0.0.1:0\"\n\
             smtp.max_errors = {}\nqueue.workers = {}\n",
            number + 30,
            number % 5 + 1
        ));
        let receipt = node.reload().await;
        assert_eq!(receipt.outcome, Outcome::Done, "{number}: {:?}", receipt.outcome);
        assert_eq!((receipt.lost, receipt.unanswered.len()), (0, 0), "{number}");
    }
    for line in &mut lines {
        line.send("NOOP\r\n").await;
    }
    for line in &mut lines {
        line.expect("250").await;
    }
    drop(lines);
    node.stop().await;
}
