//! The program as a service manager sees it: it says when it is ready and when it stops, feeds its watchdog, and becomes
//! another user that keeps the right to bind low ports.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::line::Line;
use crate::program::{Program, fail, fail_saying, succeed};

/// Ports that the system chooses.
const BINDS: [&str; 8] = [
    "--set",
    "listeners.mx.bind=127.0.0.1:0",
    "--set",
    "listeners.pop3.bind=127.0.0.1:0",
    "--set",
    "listeners.submission.bind=127.0.0.1:0",
    "--set",
    "listeners.submissions.bind=127.0.0.1:0",
];

/// A message that has not come by then never will.
const DEADLINE: Duration = Duration::from_secs(60);

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    fn new(path: &std::path::Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self(socket)
    }

    /// Waits for a message with this line, and gives all of it.
    fn hears(&self, line: &str) -> String {
        let started = Instant::now();
        let mut octets = [0; 4096];
        loop {
            assert!(started.elapsed() < DEADLINE, "never told {line:?}");
            let length = self.0.recv(&mut octets).expect("a message");
            let message = String::from_utf8_lossy(&octets[..length]).into_owned();
            if message.lines().any(|said| said == line) {
                return message;
            }
        }
    }
}

#[test]
fn tells_its_manager_and_feeds_the_watchdog() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let manager = Manager::new(&path);
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let mut program = Program::serve_among(directory.path(), &variables, &BINDS);
    let ready = manager.hears("READY=1");
    assert!(ready.contains(&format!("STATUS={}", program.ready)), "{ready}");
    for _ in 0..3 {
        manager.hears("WATCHDOG=1");
    }
    // Type=notify-reload: both words of one reload, the first with the time of its beginning.
    program.signal(Signal::HUP);
    let reloading = manager.hears("RELOADING=1");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.hears("READY=1");
    program.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_on_a_socket_that_its_manager_has_opened() {
    let directory = TempDir::new().unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // It is open before anybody serves it: who connects then waits, and is answered when the server is up.
    let mut early = Line::to(address).await;
    let bind = format!("listeners.mx.bind={address}");
    let binds: Vec<&str> = BINDS
        .iter()
        .map(|set| if set.contains("mx") { &bind } else { *set })
        .collect();
    let mut program = Program::serve_on(directory.path(), socket, &binds);
    assert_eq!(program.address("mx"), address);
    early.expect("220 ").await;
    early.ask("QUIT", "221 ").await;
    program.smtp().await.ask("QUIT", "221 ").await;
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[test]
fn becomes_another_user_and_binds_low_ports() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let said = fail(here, &["serve", "--user", "nobody-of-that-name"], 1);
    assert!(said.contains("there is no user"), "{said}");
    if !geteuid().is_root() {
        let said = fail(here, &["serve", "--user", "nobody"], 1);
        assert!(said.contains("only root can become"), "{said}");
        return;
    }
    let said = fail(here, &["serve", "--user", "root"], 1);
    assert!(said.contains("is root"), "{said}");

    fs::set_permissions(here, fs::Permissions::from_mode(0o711)).unwrap();
    // An address of loopback that nobody else is likely to use.
    let low = "listeners.mx.bind=127.43.25.1:25";
    let binds: Vec<&str> = BINDS
        .iter()
        .map(|set| if set.contains("mx") { low } else { set })
        .collect();
    let mut program = Program::serve_among(here, &[], &[&["--user", "nobody"], &binds[..]].concat());
    assert_eq!(program.address("mx").port(), 25);

    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let owner = fs::metadata(here.join("angarium-data")).unwrap();
    assert_ne!(owner.uid(), 0);
    assert_eq!(field("Uid:"), vec![owner.uid().to_string(); 4]);
    assert_eq!(field("Gid:"), vec![owner.gid().to_string(); 4]);
    // CAP_NET_BIND_SERVICE is bit 10, and nothing else is left.
    for set in ["CapEff:", "CapPrm:"] {
        assert_eq!(field(set), ["0000000000000400"], "{set}");
    }
    for set in ["CapInh:", "CapAmb:"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binds_low_ports_at_a_reload_long_after_it_gave_root_up() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can become another user");
        return;
    }
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    fs::set_permissions(here, fs::Permissions::from_mode(0o711)).unwrap();
    let configure = |text: &str| {
        let others = ["pop3", "submission", "submissions"]
            .map(|name| format!("listeners.{name}.bind = \"127.0.0.1:0\"\n"));
        let base = "server.profile = \"development\"\nserver.data = \"mail\"\n";
        fs::write(
            here.join("angarium.toml"),
            format!("{base}{}{text}", others.concat()),
        )
        .unwrap();
    };
    configure("listeners.mx.bind = \"127.0.0.1:0\"\n");
    const CONFIG: [&str; 2] = ["--config", "angarium.toml"];
    let mut program = Program::serve_among(here, &[], &[&["--user", "nobody"], &CONFIG[..]].concat());
    let mut standing = program.smtp().await;
    // Addresses of loopback that nobody else is likely to use.
    for (text, low) in [
        ("listeners.mx.bind = \"127.43.26.1:25\"\n", "127.43.26.1:25"),
        (
            "listeners.mx.bind = [\"127.43.26.1:25\", \"127.43.26.2:587\"]\n",
            "127.43.26.2:587",
        ),
    ] {
        configure(text);
        // Root asks a server that is root no more.
        let said = succeed(here, &[&["reload"], &CONFIG[..]].concat(), "");
        assert!(said.contains("done"), "{said}");
        Line::to(low.parse().unwrap()).await.expect("220 ").await;
    }
    let status = fs::read_to_string(format!("/proc/{}/status", program.id())).unwrap();
    let line = |name: &str| {
        status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(
        !line("Uid:").split_whitespace().skip(1).any(|uid| uid == "0"),
        "{status}"
    );
    assert!(line("CapEff:").ends_with("0000000000000400"), "{status}");
    standing.ask("NOOP", "250").await;
    // What somebody else has is refused, and nothing is lost by it.
    let other = TcpListener::bind("127.43.26.3:25").unwrap();
    configure("listeners.mx.bind = \"127.43.26.3:25\"\n");
    let said = fail_saying(here, &[&["reload"], &CONFIG[..]].concat(), 1);
    assert!(said.contains("127.43.26.3:25"), "{said}");
    Line::to("127.43.26.1:25".parse().unwrap())
        .await
        .expect("220 ")
        .await;
    drop(other);
    program.signal(Signal::TERM);
    let (status, said) = program.ended();
    assert_eq!(status.code(), Some(0), "{said}");
}
