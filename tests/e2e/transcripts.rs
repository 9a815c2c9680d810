//! The stories of `tests/transcripts`, played over a socket; the READMEs there have the format. Those in which time
//! passes or an actor dies on demand are played against the machine alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use actors::tree::DEFAULT_TENANT;
use config::{ByteSize, Protocol, TlsMode};
use message::id::BlobId;
use smtp::Mode;
use smtp::transcript::{Accepted, Step, Story, matches};
use store::command::{Append, Command};
use store::record::mailbox::{Flags, Parsed};
use store::record::spool::RecipientNumber;
use tokio::task::{JoinSet, LocalSet};

use crate::line::Line;
use crate::node::{DOMAIN, Home, Node, accept, account, address, behind_trace, propose};

fn stories(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    paths.into_iter().map(named).collect()
}

/// Plays what a story says and hears. Gives what it tells of accepted messages.
async fn play(name: &str, story: &Story, mut line: Line, node: &Node) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    let mut sending = Vec::new();
    // A line that is heard already and was not the last of many.
    let mut heard = None;
    for (index, (number, step)) in story.steps.iter().enumerate() {
        let at = format!("{name}:{number}");
        match step {
            Step::Send(octets) => {
                sending.extend_from_slice(octets);
                // Octets that follow each other in the story go out together.
                if !matches!(story.steps.get(index + 1), Some((_, Step::Send(_)))) {
                    line.send(std::mem::take(&mut sending)).await;
                }
            }
            Step::Expect(pattern) => {
                let said = match heard.take() {
                    None => line.hear().await,
                    heard => heard,
                };
                let said = said.unwrap_or_else(|| panic!("{at}: closed, and not {pattern:?}"));
                assert!(matches(pattern, &said), "{at}: said {said:?}, not {pattern:?}");
            }
            Step::ExpectAll(pattern) => {
                while heard.as_ref().is_none_or(|said| matches(pattern, said)) {
                    heard = line.hear().await;
                    assert!(heard.is_some(), "{at}: closed behind {pattern:?}");
                }
            }
            Step::Close => assert_eq!(line.hear().await, None, "{at}: said more"),
            Step::Tls => line = line.secure(&node.certificate, DOMAIN).await,
            Step::Accepted(message) => accepted.push(message.clone()),
            Step::Wait(_) | Step::Crash { .. } => panic!("{at}: not over a socket"),
        }
    }
    accepted
}

/// Sets a limit, also one lower than an operator may.
fn limit(home: &mut Home, name: &str, value: u64) {
    let (smtp, pop3) = (&mut home.config.smtp, &mut home.config.pop3);
    let number = || u32::try_from(value).unwrap();
    let time = Duration::from_secs(value);
    match name {
        "max_message_size" => smtp.max_message_size = ByteSize::bytes(value),
        "max_recipients" => smtp.max_recipients = number(),
        "max_errors" => smtp.max_errors = number(),
        "max_unknown_commands" => smtp.max_unknown_commands = number(),
        "greeting_delay" => smtp.greeting_delay = time,
        "max_refused_recipients" => smtp.max_refused_recipients = number(),
        "max_commands_without_mail" => smtp.max_commands_without_mail = number(),
        "max_transactions" => smtp.max_transactions = number(),
        "max_hops" => smtp.max_hops = number(),
        "error_limit" => pop3.max_errors = number(),
        "failed_login_limit" => pop3.max_failed_logins = number(),
        "idle_timeout" => pop3.idle_timeout = time,
        "cleartext_login" if value == 0 => {
            let listener = home.config.listeners.get_mut("pop3").unwrap();
            listener.plaintext_auth = config::PlaintextAuth::Never;
        }
        _ => panic!("the limit {name} is in no configuration"),
    }
}

async fn home(story: &Story, listener: &str) -> Home {
    let mut home = Home::new(&[]).await;
    if !story.starttls {
        home.config.listeners.get_mut(listener).unwrap().tls = TlsMode::None;
    }
    let protocol = match story.mode {
        Mode::Relay => None,
        Mode::Submission => Some(Protocol::Submission),
        Mode::Lmtp => Some(Protocol::Lmtp),
    };
    if let Some(protocol) = protocol {
        home.config.listeners.get_mut(listener).unwrap().protocol = protocol;
    }
    for (name, value) in &story.limits {
        limit(&mut home, name, *value);
    }
    home
}

/// The account that a recipient of a story means.
fn name_of(recipient: &str) -> String {
    let address = recipient.rsplit(':').next().unwrap_or_default();
    let local = address.split('@').next().unwrap_or_default();
    local.trim_matches('"').to_ascii_lowercase()
}

/// Stories that are played at the same time, each by a server of its own: most of a story is waiting for disks.
const STORIES_AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_smtp_come_true() {
    LocalSet::new().run_until(all_of_smtp()).await;
}

async fn all_of_smtp() {
    let mut played = 0;
    let mut playing = JoinSet::new();
    for (name, text) in stories("transcripts") {
        let story = Story::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        // That a mailbox is full is not told to the sender of RCPT: its messages wait in the spool.
        if story.is_for_the_machine() || text.contains("full@") {
            continue;
        }
        if playing.len() == STORIES_AT_ONCE {
            playing.join_next().await.unwrap().unwrap();
        }
        playing.spawn_local(comes_true(name, story));
        played += 1;
    }
    playing.join_all().await;
    assert!(played >= 15, "only {played} stories");
}

async fn comes_true(name: String, story: Story) {
    let node = home(&story, "mx").await.start().await;
    let line = Line::to(node.address("mx")).await;
    let accepted = play(&name, &story, line, &node).await;
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in accepted {
        let mut names: Vec<String> = message.recipients.iter().map(|it| name_of(it)).collect();
        names.sort();
        names.dedup();
        for name in names {
            expected
                .entry(name)
                .or_default()
                .push(message.text.escape_ascii().to_string());
        }
    }
    for account in ["alice", "bob", "postmaster"] {
        let mut expected = expected.remove(account).unwrap_or_default();
        let mut found: Vec<String> = Vec::new();
        for text in node.mail(account, expected.len()).await {
            found.push(behind_trace(&text).escape_ascii().to_string());
        }
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{name}: {account}");
    }
    node.stop().await;
}

/// A story of POP3 in the format of SMTP: what is in the mailbox at its beginning was accepted before, and what has
/// been removed by its end is given apart.
fn rewritten(text: &str) -> (String, Option<Vec<usize>>) {
    let mut removed = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("@message", _) => lines.push("@accepted <> ada".to_owned()),
            ("@offer", "stls") => lines.push("@offer starttls".to_owned()),
            ("@removed", numbers) => {
                removed = Some(
                    numbers
                        .split_whitespace()
                        .map(|number| number.parse().unwrap())
                        .collect(),
                );
                lines.push(String::new());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    (lines.join("\n"), removed)
}

/// Puts a message into a mailbox as it is, without trace fields.
async fn append(store: &store::store::Store, login: &str, text: &[u8]) {
    let spooled = accept(store, login, text).await;
    let (account, mailbox) = account(&store.snapshot(), login);
    let append = Append {
        tenant: DEFAULT_TENANT,
        message: spooled.message,
        recipient: RecipientNumber::new(0),
        blob: BlobId::clone(&spooled.blob.id),
        account,
        mailbox,
        prefix: Default::default(),
        flags: Flags::default(),
        internal_date: spooled.due,
        parsed: Parsed::Not,
        structure: None,
        actor: "/test".to_owned(),
    };
    propose(store, Command::Append(append)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_pop3_come_true() {
    let mut played = 0;
    for (name, text) in stories("transcripts/pop3") {
        let (text, removed) = rewritten(&text);
        let mut story = Story::parse(&text).unwrap_or_else(|why| panic!("{name}: {why}"));
        if story.is_for_the_machine() {
            continue;
        }
        let mut mailbox = Vec::new();
        story.steps.retain(|(_, step)| match step {
            Step::Accepted(message) => {
                mailbox.push(message.text.clone());
                false
            }
            _ => true,
        });
        let mut home = home(&story, "pop3").await;
        home.store(async |store| {
            let admin = angarium::admin::Admin::new(&store, &home.config).unwrap();
            let ada = format!("ada@{DOMAIN}");
            let password = angarium::admin::Secret::new(crate::node::PASSWORD);
            admin.add(address(&ada), &password).await.unwrap();
            for text in &mailbox {
                append(&store, &ada, text).await;
            }
        })
        .await;
        let node = home.start().await;
        let line = Line::to(node.address("pop3")).await;
        play(&name, &story, line, &node).await;
        let removed = removed.unwrap_or_default();
        let left = mailbox.len() - removed.len();
        node.stop().await;
        home.config.listeners.get_mut("pop3").unwrap().plaintext_auth = config::PlaintextAuth::Loopback;
        let node = home.start().await;
        let found = node.mail("ada", left).await;
        let kept = mailbox
            .iter()
            .enumerate()
            .filter(|(index, _)| !removed.contains(&(index + 1)));
        for (found, (_, text)) in found.iter().zip(kept) {
            assert!(found.starts_with(text), "{name}: {}", found.escape_ascii());
        }
        node.stop().await;
        played += 1;
    }
    assert!(played >= 5, "only {played} stories");
}
