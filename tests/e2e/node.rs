//! Node: a server in this process. Its home, the data directory and the configuration, outlives it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actors::clock::Clock;
use actors::mint::Mint;
use actors::tree::DEFAULT_TENANT;
use angarium::admin::{Admin, Secret};
use angarium::boot::{Server, open_store};
use config::{Config, Profile, Source};
use message::address::{EmailAddress, ReversePath};
use message::envelope::{Hold, MailOptions};
use message::id::{AccountId, MailboxId, MessageId, NodeId};
use store::apply::Outcome;
use store::command::{Accept, Addressee, Command, Proposal, Spooled};
use store::read::{directory, trail};
use store::record::directory::AddressOwner;
use store::record::spool::{Arrival, Priority, Route};
use store::record::trail::TrailEvent;
use store::store::Store;
use supervision::Row;
use tempfile::TempDir;
use tokio::time::{interval, timeout};

use crate::line::Line;

/// What has not come true by then never will.
const DEADLINE: Duration = Duration::from_secs(60);

/// The domain of the accounts, and the name of the server.
pub(crate) const DOMAIN: &str = "example.org";

/// The password of every account.
pub(crate) const PASSWORD: &str = "secret";

/// Where a node lives.
pub(crate) struct Home {
    data: Arc<TempDir>,
    /// May be changed between two starts.
    pub(crate) config: Config,
}

impl Home {
    /// A home with the accounts `alice`, `bob` and `postmaster`, and these settings over those of a test.
    pub(crate) async fn new(settings: &[&str]) -> Self {
        let home = Self::empty(settings);
        home.store(async |store| {
            let admin = Admin::new(&store, &home.config).unwrap();
            for name in ["alice", "bob", "postmaster"] {
                admin
                    .add(address(&format!("{name}@{DOMAIN}")), &Secret::new(PASSWORD))
                    .await
                    .unwrap();
            }
        })
        .await;
        home
    }

    /// The same without accounts, and without a store.
    pub(crate) fn empty(settings: &[&str]) -> Self {
        let data = Arc::new(TempDir::new().unwrap());
        let ours = [
            &format!("server.hostname={DOMAIN}"),
            "listeners.mx.bind=127.0.0.1:0",
            "listeners.pop3.bind=127.0.0.1:0",
            "listeners.submission.bind=127.0.0.1:0",
            "listeners.submissions.bind=127.0.0.1:0",
            "auth.argon2_memory=64KiB",
            "auth.argon2_iterations=1",
            "auth.failure_delay=0s",
            "store.reserve=1MiB",
            "store.reserve_file=0B",
        ];
        let sources: Vec<Source> = ours
            .iter()
            .chain(settings)
            .map(|&set| Source::command_line(set))
            .collect();
        let mut config = config::parse(&sources, Profile::Development).expect("settings");
        config.server.data = data.path().join("data");
        Self { data, config }
    }

    /// Opens the store while no node has it, and closes it again.
    pub(crate) async fn store<T>(&self, task: impl AsyncFnOnce(Store) -> T) -> T {
        let store = self.open().await;
        let done = task(store.clone()).await;
        store.close().expect("a store that closes");
        done
    }

    /// Opens the store. A neighbour that is just starting a program holds its lock for a moment: a fork has every file
    /// that its parent has, until it becomes another program.
    pub(crate) async fn open(&self) -> Store {
        let mut opened = None;
        until("the store is open", async || {
            match open_store(&self.config, false) {
                Ok((store, _)) => {
                    opened = Some(store);
                    true
                }
                Err(why) => {
                    let why = format!("{why:#}");
                    assert!(why.contains("has it open"), "{why}");
                    false
                }
            }
        })
        .await;
        opened.expect("a store")
    }

    pub(crate) async fn start(&self) -> Node {
        let store = self.open().await;
        self.node(Server::start(self.config.clone(), store).await.expect("a server"))
    }

    pub(crate) fn node(&self, server: Server) -> Node {
        Node {
            server,
            _data: Arc::clone(&self.data),
            certificate: self.data.path().join("data/development-certificate.pem"),
        }
    }
}

/// A server that is up.
pub(crate) struct Node {
    pub(crate) server: Server,
    pub(crate) certificate: PathBuf,
    /// Goes with the last of home and node.
    _data: Arc<TempDir>,
}

impl Node {
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        self.server.addresses[listener][0]
    }

    /// A connection to `mx` behind its EHLO.
    pub(crate) async fn smtp(&self) -> Line {
        let mut line = Line::to(self.address("mx")).await;
        line.expect("220 ").await;
        line.ask("EHLO client.example", "250 ").await;
        line
    }

    /// A connection to `pop3` behind its greeting.
    pub(crate) async fn pop3(&self) -> Line {
        let mut line = Line::to(self.address("pop3")).await;
        line.expect("+OK ").await;
        line
    }

    /// A connection to `pop3` behind a log-in.
    pub(crate) async fn maildrop(&self, name: &str) -> Line {
        let mut line = self.pop3().await;
        line.ask(&format!("USER {name}@{DOMAIN}"), "+OK").await;
        line.ask(&format!("PASS {PASSWORD}"), "+OK").await;
        line
    }

    /// Every message of an account as it reads over POP3, once there are so many.
    pub(crate) async fn mail(&self, name: &str, messages: usize) -> Vec<Vec<u8>> {
        self.has(name, messages).await;
        let mut line = self.maildrop(name).await;
        let mut mail = Vec::new();
        for number in 1..=messages {
            line.ask(&format!("RETR {number}"), "+OK").await;
            mail.push(line.text().await);
        }
        line.ask("QUIT", "+OK").await;
        line.closes().await;
        mail
    }

    /// Waits until an account has so many messages. More fail the test.
    pub(crate) async fn has(&self, name: &str, messages: usize) {
        let address = format!("{name}@{DOMAIN}");
        let found = async || self.messages(&address);
        until(&format!("{messages} messages for {name}"), async || {
            found().await >= messages
        })
        .await;
        assert_eq!(found().await, messages, "messages for {name}");
    }

    fn messages(&self, login: &str) -> usize {
        let snapshot = self.server.store.snapshot();
        let (account, _) = account(&snapshot, login);
        let state = directory::account_state(&snapshot, DEFAULT_TENANT, account).unwrap();
        usize::try_from(state.map_or(0, |state| state.usage.messages)).unwrap()
    }

    /// What is written in the trail of the message that this reply named.
    pub(crate) fn trail(&self, message: MessageId) -> Vec<TrailEvent> {
        let steps = trail::of_message(&self.server.store.snapshot(), DEFAULT_TENANT, message).unwrap();
        steps.into_iter().map(|(_, step)| step.event).collect()
    }

    /// The row of the only session of a listener.
    pub(crate) fn session(&self, listener: &str) -> Row {
        let above = format!("/listeners/{listener}/connections");
        let rows = self.server.tree.tree(&above);
        let mut sessions = rows.into_iter().filter(|row| row.path != above);
        let session = sessions.next().expect("a session");
        assert_eq!(sessions.next(), None, "more than one session");
        session
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await.expect("an orderly stop");
    }
}

/// Asks again until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        let mut again = interval(Duration::from_millis(5));
        while !is_so().await {
            again.tick().await;
        }
    };
    assert!(timeout(DEADLINE, asking).await.is_ok(), "in vain: {what}");
}

pub(crate) fn address(text: &str) -> EmailAddress {
    EmailAddress::parse_utf8(text).expect("an address")
}

/// The message that a `250` is about.
pub(crate) fn accepted(reply: &str) -> MessageId {
    assert!(reply.starts_with("250 2.0.0 "), "{reply}");
    let id = reply.split_whitespace().find_map(|word| word.parse().ok());
    id.expect("an id")
}

/// The account that logs in so, and its INBOX.
pub(crate) fn account(snapshot: &impl store::engine::Snapshot, login: &str) -> (AccountId, MailboxId) {
    let found = directory::address(snapshot, DEFAULT_TENANT, &address(login).lookup_key()).unwrap();
    let Some(AddressOwner::Account(account)) = found.map(|found| found.owner) else {
        panic!("{login} is no account");
    };
    let mut inbox = None;
    directory::accounts(snapshot, DEFAULT_TENANT, |entry| {
        if entry.id == account {
            inbox = entry.inbox;
        }
    })
    .unwrap();
    (account, inbox.expect("an INBOX"))
}

/// Makes a change in a store that no node has.
pub(crate) async fn propose(store: &Store, command: Command) -> Outcome {
    let clock = Clock::system();
    let id = Mint::new(clock, NodeId::new(1)).id();
    store
        .propose(Proposal::new(id, clock.timestamp(), command))
        .await
        .expect("a change")
}

/// Puts a message for an account into the spool, as a session does before its 250, and leaves it there.
pub(crate) async fn accept(store: &Store, login: &str, text: &[u8]) -> Spooled {
    accept_held(store, login, text, None).await
}

/// The same, of a message that its sender wants held back.
pub(crate) async fn accept_held(store: &Store, login: &str, text: &[u8], hold: Option<Hold>) -> Spooled {
    let clock = Clock::system();
    let mint = Mint::new(clock, NodeId::new(1));
    let (account, _) = account(&store.snapshot(), login);
    let mut writer = store.blob_writer(DEFAULT_TENANT, mint.id());
    writer.push(text).await.unwrap();
    let sealed = writer.seal();
    let now = clock.timestamp();
    let spooled = Spooled {
        tenant: DEFAULT_TENANT,
        message: mint.id(),
        reverse_path: ReversePath::parse(b"<sender@client.example>").unwrap(),
        body: message::envelope::BodyKind::SevenBit,
        blob: sealed.blob.clone(),
        arrival: Arrival::new(now),
        priority: Priority::Normal,
        due: hold.map_or(now, |hold| hold.due(now)),
        options: MailOptions {
            hold,
            ..MailOptions::default()
        },
        recipients: vec![Addressee {
            address: address(login),
            original: login.to_owned(),
            route: Route::Local(account),
            options: Default::default(),
        }],
    };
    propose(
        store,
        Command::Accept(Accept::new(spooled.clone(), sealed, "/test", "250 Ok")),
    )
    .await;
    spooled
}

/// A message without the trace fields that this server put before it.
pub(crate) fn without_trace(text: &[u8]) -> String {
    String::from_utf8_lossy(behind_trace(text)).into_owned()
}

/// The same, octet for octet.
pub(crate) fn behind_trace(text: &[u8]) -> &[u8] {
    let mut rest = text;
    for field in ["Return-Path:", "Received:"] {
        assert!(
            rest.starts_with(field.as_bytes()),
            "no {field} in {}",
            rest.escape_ascii()
        );
        let mut end = 0;
        for line in rest.split_inclusive(|octet| *octet == b'\n') {
            if end > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
                break;
            }
            end += line.len();
        }
        rest = &rest[end..];
    }
    rest
}
