//! Health and metrics are answered over HTTP, one request a connection, and whoever plays with that harms nobody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::Config;
use supervision::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::node::{Home, Node, until};

/// What has not come by then never will.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a server says to these octets until it closes. A reset is an end, too.
async fn say(address: SocketAddr, octets: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let _ = socket.write_all(octets).await;
    heard(&mut socket).await
}

async fn heard(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = timeout(DEADLINE, socket.read_to_end(&mut answer))
        .await
        .expect("an end");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(address: SocketAddr, path: &str) -> String {
    say(
        address,
        format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes(),
    )
    .await
}

fn address(node: &Node) -> SocketAddr {
    node.server.http()[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_how_it_is() {
    let node = Home::new(&["http.bind=127.0.0.1:0"]).await.start().await;
    let http = address(&node);
    assert!(node.server.ready_line().ends_with(&format!(" http={http}")));
    for (path, status, text) in [
        ("/healthz", "200", "ok"),
        ("/readyz", "200", "ready"),
        ("/startupz", "200", "started"),
        ("/", "404", "/healthz"),
        ("/metrics/../healthz", "404", "/healthz"),
    ] {
        let answer = get(http, path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{path}: {answer}"
        );
        assert!(answer.contains(text), "{path}: {answer}");
    }
    let before = node.server.store.statistics().syncs;
    until("a commit", async || {
        assert!(get(http, "/readyz").await.contains("ready"));
        node.server.store.statistics().syncs > before
    })
    .await;
    let answer = say(
        http,
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
    let answer = get(http, "/metrics").await;
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    assert!(
        answer.contains("\nangarium_smtp_messages_accepted_total "),
        "{answer}"
    );
    assert!(
        answer.contains("\nangarium_actors_running{class=\"store_gate\"} "),
        "{answer}"
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_closed() {
    let node = Home::new(&["http.bind=127.0.0.1:0", "http.timeout=1s"])
        .await
        .start()
        .await;
    let http = address(&node);
    let many = "X-Y: z\r\n".repeat(200);
    let huge = format!("GET /healthz HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for octets in [
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{many}\r\n").into_bytes(),
        huge.into_bytes(),
        vec![0; 20_000],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        b"EHLO client.example\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
    ] {
        let answer = say(http, &octets).await;
        let shown = octets.get(..40).unwrap_or(&octets).escape_ascii().to_string();
        assert!(!answer.contains(" 200 "), "{shown}: {answer}");
    }
    // Two requests on one connection: the second is not heard.
    let twice = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    assert_eq!(say(http, &twice).await.matches("200 OK").count(), 1);
    assert!(get(http, "/healthz").await.contains("ok"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_slow_ones_keep_nobody_from_the_mail() {
    let settings = [
        "http.bind=127.0.0.1:0",
        "http.timeout=1s",
        "http.max_connections=8",
    ];
    let node = Home::new(&settings).await.start().await;
    let http = address(&node);
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        let mut socket = TcpStream::connect(http).await.expect("a connection");
        let _ = socket.write_all(b"GET /healthz HTT").await;
        slow.push(socket);
    }
    let mut line = node.smtp().await;
    line.ask("NOOP", "250 ").await;
    // Each is closed at once, or when its time is over.
    for mut socket in slow {
        assert!(!heard(&mut socket).await.contains(" 200 "));
    }
    until("an answer again", async || {
        get(http, "/healthz").await.contains("ok")
    })
    .await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listens_where_new_settings_say() {
    let node = Home::new(&[]).await.start().await;
    assert!(node.server.http().is_empty());
    let limit = Duration::from_secs(10);
    let first = changed(&node, |config| {
        config.http.bind = vec!["127.0.0.1:0".parse().unwrap()]
    });
    assert!(node.server.tree.prepare(&first, limit).await.refusals.is_empty());
    // Nothing has changed before the commit.
    assert!(node.server.http().is_empty());
    node.server.tree.commit(&first, limit).await;
    let http = address(&node);
    assert!(get(http, "/readyz").await.contains("ready"));
    // An address that is taken is refused, and what is served stays as it is.
    let taken = node.address("mx");
    let second = changed(&node, |config| config.http.bind = vec![taken]);
    let round = node.server.tree.prepare(&second, limit).await;
    assert!(
        round.refusals.iter().any(|(_, why)| why.contains("http.bind")),
        "{round:?}"
    );
    node.server.tree.abandon(limit).await;
    assert!(get(http, "/healthz").await.contains("ok"));
    // A killed acceptor serves the same port again.
    node.server.tree.kill("/http/acceptor").unwrap();
    until("an answer again", async || {
        get(http, "/healthz").await.contains("ok")
    })
    .await;
    let none = changed(&node, |config| config.http.bind = Vec::new());
    assert!(node.server.tree.prepare(&none, limit).await.refusals.is_empty());
    node.server.tree.commit(&none, limit).await;
    until("nobody listens", async || TcpStream::connect(http).await.is_err()).await;
    node.stop().await;
}

/// A request whose answer is on its way, until who knows it goes on.
async fn asked(http: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(http).await.expect("a connection");
    let request = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n";
    socket.write_all(request).await.expect("a request");
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_being_answered_is_answered_whatever_the_settings_become() {
    let settings = [
        "http.bind=127.0.0.1:0",
        "http.ready_timeout=30s",
        "http.timeout=50s",
        "server.drain_deadline=50s",
    ];
    let node = Home::new(&settings).await.start().await;
    let (tree, http) = (&node.server.tree, address(&node));
    let limit = Duration::from_secs(10);
    for change in [
        (|config| config.http.max_connections = 2) as fn(&mut Config),
        |config| config.http.timeout = Duration::from_secs(40),
        |config| config.http.bind = vec!["127.0.0.2:0".parse().unwrap()],
        |config| config.http.bind = vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()],
        |config| config.http.bind = Vec::new(),
    ] {
        let http = node.server.http()[0];
        tree.suspend("/http/readiness").unwrap();
        let mut socket = asked(http).await;
        until("the answer is on its way", async || {
            tree.tree("/http/readiness").iter().any(|row| row.depth > 0)
        })
        .await;
        let settings = changed(&node, change);
        assert!(tree.prepare(&settings, limit).await.refusals.is_empty());
        tree.commit(&settings, limit).await;
        // Where it does not listen any more it takes nobody, and still owes one an answer.
        if !node.server.http().contains(&http) {
            until("nobody listens", async || TcpStream::connect(http).await.is_err()).await;
        }
        tree.resume("/http/readiness").unwrap();
        let answer = heard(&mut socket).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"),
            "{answer:?}"
        );
    }
    assert!(TcpStream::connect(http).await.is_err());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_never_done_holds_no_closed_address_for_ever() {
    let settings = [
        "http.bind=127.0.0.1:0",
        "http.timeout=50s",
        "server.drain_deadline=1s",
    ];
    let node = Home::new(&settings).await.start().await;
    let (tree, http) = (&node.server.tree, address(&node));
    let mut slow = TcpStream::connect(http).await.expect("a connection");
    slow.write_all(b"GET /healthz HTT")
        .await
        .expect("a part of a request");
    let none = changed(&node, |config| config.http.bind = Vec::new());
    tree.commit(&none, Duration::from_secs(10)).await;
    let started = Instant::now();
    assert!(!heard(&mut slow).await.contains(" 200 "));
    assert!(started.elapsed() < Duration::from_secs(20));
    node.stop().await;
}

fn changed(node: &Node, change: impl FnOnce(&mut Config)) -> Settings {
    let mut config = node.server.tree.settings().of::<Config>().clone();
    change(&mut config);
    Settings::shared(Arc::new(config))
}
