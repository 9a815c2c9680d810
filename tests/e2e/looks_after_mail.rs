//! Verbs on accounts, domains, the queue and what is said, on a server that runs: every session sees a change at once.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::line::Line;
use crate::node::{accepted, until};
use crate::program::{Program, fail, run, succeed};

const ALICE: &str = "alice@example.org";
const DATA: [&str; 6] = [
    "--data",
    "mail",
    "--set",
    "auth.argon2_memory=64KiB",
    "--set",
    "auth.failure_delay=0s",
];

/// A verb that must succeed, with this on its standard input. Gives what it said.
fn ask_with(here: &Path, verb: &str, input: &str) -> String {
    let words: Vec<&str> = verb.split(' ').chain(DATA).collect();
    succeed(here, &words, input)
}

fn ask(here: &Path, verb: &str) -> String {
    ask_with(here, verb, "")
}

/// A verb that must fail with this code and say this.
fn refused(here: &Path, verb: &str, code: i32, why: &str) {
    let words: Vec<&str> = verb.split(' ').chain(DATA).collect();
    let said = fail(here, &words, code);
    assert!(said.contains(why), "{verb}: {said}");
}

fn json(here: &Path, verb: &str) -> Value {
    let said = ask(here, &format!("{verb} --json"));
    serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"))
}

fn serve(here: &Path) -> Program {
    Program::serve(here, &DATA)
}

async fn log_in(program: &Program, password: &str) -> String {
    let mut line = Line::to(program.address("pop3")).await;
    line.expect("+OK ").await;
    line.ask(&format!("USER {ALICE}"), "+OK").await;
    line.say(&format!("PASS {password}")).await
}

async fn rcpt(program: &Program, address: &str) -> String {
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250").await;
    let said = line.say(&format!("RCPT TO:<{address}>")).await;
    line.ask("QUIT", "221").await;
    said
}

/// A message to somebody, as far as its text.
async fn begin(program: &Program, address: &str) -> Line {
    let mut line = program.smtp().await;
    line.ask("MAIL FROM:<a@client.example>", "250 ").await;
    line.ask(&format!("RCPT TO:<{address}>"), "250 ").await;
    line.ask("DATA", "354 ").await;
    line
}

async fn end(mut line: Line) -> String {
    line.send("Subject: x\r\n\r\n.\r\n").await;
    accepted(&line.expect("250 ").await).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_from_its_first_password_to_its_end() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = serve(here);
    let said = ask_with(here, "account add alice@example.org --reason new", "one\n");
    assert!(said.contains("undo: account delete alice@example.org"), "{said}");
    let words: Vec<&str> = "account add alice@example.org".split(' ').chain(DATA).collect();
    let taken = run(here, &words, "x\n");
    assert!(String::from_utf8_lossy(&taken.stderr).contains("is taken"));
    // At once, for mail and for log-ins.
    assert!(rcpt(&program, ALICE).await.starts_with("250"));
    let mut standing = program.maildrop(ALICE, "one").await;

    // A session that stands goes on; the next needs the new password.
    ask_with(here, "account password alice@example.org", "two\n");
    standing.ask("STAT", "+OK 0 ").await;
    assert!(log_in(&program, "one").await.starts_with("-ERR [AUTH]"));

    // Only tried out: nothing is done.
    let said = ask(here, "account delete alice@example.org --dry-run");
    assert!(
        said.starts_with("would: delete the account alice@example.org with 0 messages"),
        "{said}"
    );
    standing.ask("NOOP", "+OK").await;
    standing.ask("QUIT", "+OK").await;
    let mut standing = program.maildrop(ALICE, "two").await;

    // Its sessions end without being asked, and so do its log-ins.
    ask(here, "account delete alice@example.org");
    let last = standing.reply().await;
    assert!(
        last.starts_with("-ERR ") && last.contains("the mailbox is gone"),
        "{last}"
    );
    standing.closes().await;
    assert!(log_in(&program, "two").await.starts_with("-ERR [AUTH]"));
    assert!(rcpt(&program, ALICE).await.starts_with("550"));
    refused(here, "account show alice@example.org", 1, "there is no account");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn domains_aliases_and_tenants() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = serve(here);
    ask_with(here, "account add alice@example.org", "one\n");
    assert!(rcpt(&program, "x@example.net").await.starts_with("550"));
    ask(here, "domain add example.net");
    refused(here, "domain add example.net", 1, "already");
    assert!(rcpt(&program, "x@example.net").await.starts_with("550 5.1.1"));
    refused(
        here,
        "domain catch-all example.net nobody@example.net",
        1,
        "no address of ours",
    );
    ask(here, "domain catch-all example.net alice@example.org");
    assert!(rcpt(&program, "x@example.net").await.starts_with("250"));
    let said = ask(here, "domain catch-all example.net --none");
    assert!(
        said.contains("undo: domain catch-all example.net alice@example.org"),
        "{said}"
    );
    assert!(rcpt(&program, "x@example.net").await.starts_with("550"));

    ask(
        here,
        "alias add sales@example.net alice@example.org bob@example.org",
    );
    assert!(rcpt(&program, "sales@example.net").await.starts_with("250"));
    let shown = ask(here, "alias show sales@example.net");
    assert!(
        shown.contains("it is delivered") && shown.contains(ALICE),
        "{shown}"
    );
    refused(here, "domain delete example.net", 1, "has 1 addresses");
    let said = ask(here, "alias delete sales@example.net");
    let undo = "undo: alias add sales@example.net alice@example.org bob@example.org";
    assert!(said.contains(undo), "{said}");
    assert!(rcpt(&program, "sales@example.net").await.starts_with("550"));
    ask(here, "domain delete example.net");
    assert!(!ask(here, "domain list").contains("example.net"));

    assert!(ask(here, "tenant list").starts_with("default\tyes\t"));
    ask(here, "tenant limit default --accounts 1");
    let words: Vec<&str> = "account add bob@example.org".split(' ').chain(DATA).collect();
    let full = run(here, &words, "x\n");
    assert!(String::from_utf8_lossy(&full.stderr).contains("over the quota of the tenant"));
    ask(here, "tenant limit default --accounts none");
    ask_with(here, "account add bob@example.org", "x\n");
    refused(here, "tenant show other", 1, "no tenant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_waits_is_explained_released_held_and_deleted() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = serve(here);
    let bob = "bob@example.org";
    for account in [ALICE, bob] {
        ask_with(here, &format!("account add {account}"), "one\n");
    }
    // There is room when they are named, and none when the texts are here.
    let (hers, his) = (begin(&program, ALICE).await, begin(&program, bob).await);
    for account in [ALICE, bob] {
        ask(here, &format!("account limit {account} --messages 0"));
    }
    let (hers, his) = (end(hers).await, end(his).await);
    until("both have been tried", async || {
        ask(here, "queue list").matches("over the quota").count() == 2
    })
    .await;
    let listed = json(here, "queue list --limit 1");
    assert!(listed.to_string().contains("next"), "{listed}");
    let why = ask(here, &format!("queue why {hers}"));
    for part in [
        "recipient 0 <alice@example.org>: attempt 1 failed: over the quota of the account",
        "queue.retry_first = \"30s\" (default)",
        &format!("queue release {hers}"),
    ] {
        assert!(why.contains(part), "no {part:?} in {why}");
    }
    let shown = ask(here, &format!("queue show {hers}"));
    assert!(
        shown.contains("<a@client.example>") && shown.contains("127.0.0.1"),
        "{shown}"
    );
    assert_eq!(ask(here, "queue list --held"), "");

    // Followed while it is released: each step as it comes, until it is done.
    let (place, followed) = (here.to_owned(), format!("trace {hers} --follow"));
    let following = tokio::task::spawn_blocking(move || ask(&place, &followed));
    ask(here, "account limit alice@example.org --messages none");
    let said = ask(here, &format!("queue release {hers} --reason room"));
    assert!(said.contains("release 1 recipient of 1 message"), "{said}");
    let followed = following.await.unwrap();
    for part in [
        "accepted ",
        "deferred until",
        "released by",
        "room",
        "appended to mailbox",
    ] {
        assert!(followed.contains(part), "no {part:?} in {followed}");
    }
    refused(here, &format!("queue why {hers}"), 1, "is not in the queue");

    // Held, because its account is gone; and deleted at last.
    ask(here, "account delete bob@example.org");
    let why = ask(here, &format!("queue why {his}"));
    assert!(
        why.contains("the account has vanished; the next attempt") && !why.contains("quota"),
        "{why}"
    );
    ask(here, &format!("queue release {his}"));
    until("it is held", async || {
        ask(here, "queue list --held").contains("vanished")
    })
    .await;
    let why = ask(here, &format!("queue why {his}"));
    assert!(
        why.contains("held for an operator: the account has vanished"),
        "{why}"
    );
    ask(here, &format!("queue delete {his} --reason useless"));
    assert_eq!(ask(here, "queue list"), "");
    assert!(ask(here, &format!("trace {his}")).contains("useless"));
    refused(here, &format!("queue delete {his}"), 1, "is not in the queue");
    for wrong in [
        "queue why x",
        "queue show \u{1f512}",
        "trace 0",
        "queue list --after x",
    ] {
        refused(here, wrong, 2, "is not the id of a message");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_is_shown_without_its_secrets() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = serve(here);
    ask_with(here, "account add alice@example.org", "PaSsWoRd\n");
    let place = here.to_owned();
    let listening =
        tokio::task::spawn_blocking(move || ask(&place, "trace pop3 --peer 127.0.0.1 --lines 12"));
    // Whoever listens hears the sessions that begin after that; how many come before is of no consequence.
    until("it has heard enough", async || {
        let mut line = program.maildrop(ALICE, "PaSsWoRd").await;
        line.ask("QUIT", "+OK").await;
        listening.is_finished()
    })
    .await;
    let said = listening.await.unwrap();
    for part in [
        "--\tconnected",
        "C:\tUSER alice@example.org",
        "C:\tPASS ***",
        "S:\t+OK",
    ] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    assert!(!said.contains("PaSsWoRd"), "{said}");
    refused(
        here,
        "trace smtp --peer 192.0.2.7/24",
        2,
        "not an address or a network",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bans_the_log_and_the_audit() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    // Otherwise nobody on this machine is ever sent away.
    let program = Program::serve(here, &[&DATA[..], &["--set", "limits.allow=[]"]].concat());
    let said = ask(here, "ban add 127.0.0.1 --for 2h --reason noise");
    assert!(said.contains("undo: ban remove 127.0.0.1"), "{said}");
    let greeting = async || Line::to(program.address("mx")).await.reply().await;
    until("it is sent away", async || {
        greeting().await.starts_with("421 4.7.0")
    })
    .await;
    let said = ask(here, "ban remove 127.0.0.1");
    assert!(
        said.contains("undo: ban add 127.0.0.1 --for ") && said.contains("--reason noise"),
        "{said}"
    );
    refused(here, "ban remove 127.0.0.1", 1, "is not banned");
    until("it is let in", async || greeting().await.starts_with("220")).await;

    let said = ask(here, "log level angarium::smtp=debug");
    assert!(said.contains("undo: log level angarium::smtp=default"), "{said}");
    assert!(ask(here, "log level").contains("angarium::smtp\tdebug\tan operator"));
    ask(here, "log level angarium::smtp=default");
    assert!(!ask(here, "log level").contains("angarium::smtp\tdebug"));
    refused(here, "log level rustls=trace", 2, "not a target");

    let listed = ask(here, "audit list");
    assert_eq!(listed.lines().count(), 4, "{listed}");
    let first = listed.lines().last().unwrap();
    assert!(
        first.contains("ban 127.0.0.1 for 2h") && first.ends_with("noise"),
        "{listed}"
    );
    let receipt = first.split('\t').next().unwrap();
    let shown = ask(here, &format!("audit show {receipt}"));
    assert!(
        shown.contains("ban remove 127.0.0.1") && shown.contains("done"),
        "{shown}"
    );
    let older = json(here, "audit list --limit 1");
    assert!(older.to_string().contains("next"), "{older}");
    refused(here, "audit show x", 2, "not the id of a receipt");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_listed_shown_and_completed() {
    let directory = TempDir::new().unwrap();
    let here = directory.path();
    let program = serve(here);
    ask_with(here, "account add alice@example.org", "one\n");
    let made = ask(
        here,
        "account app-password add alice@example.org telephone --protocol pop3",
    );
    let password = made.lines().next().unwrap();
    assert!(log_in(&program, password).await.starts_with("+OK"));
    ask(here, "account identity add alice@example.org @example.org");
    ask(here, "alias add sales@example.org alice@example.org");
    ask(here, "ban add 192.0.2.0/24");
    for (verb, part) in [
        ("account list", "alice@example.org\t0\t"),
        (
            "account show alice@example.org",
            "set, and can be proven by SCRAM",
        ),
        (
            "account app-password list alice@example.org",
            "telephone\tpop3\t-",
        ),
        ("account identity list alice@example.org", "@example.org"),
        ("alias list", "sales@example.org\talice@example.org"),
        ("domain list", "example.org\t2\t-"),
        ("domain show example.org", "sales@example.org\talias"),
        ("tenant show default", "accounts"),
        ("ban list", "192.0.2.0/24\tyes"),
        ("complete account al", "alice@example.org\n"),
        ("complete alias s", "sales@example.org\n"),
        ("complete domain e", "example.org\n"),
        ("complete tenant d", "default\n"),
    ] {
        let said = ask(here, verb);
        assert!(said.contains(part), "{verb}: no {part:?} in {said}");
        assert!(!said.contains("argon2"), "{verb}: a hash in {said}");
        assert_eq!(json(here, verb)["version"], 1, "{verb}");
    }
    ask(here, "account app-password remove alice@example.org telephone");
    assert!(log_in(&program, password).await.starts_with("-ERR [AUTH]"));
    ask(here, "account identity remove alice@example.org @example.org");
    assert_eq!(ask(here, "account identity list alice@example.org"), "");
    refused(here, "domain add exa_mple..net", 2, "not the name of a domain");
    refused(
        here,
        "account limit alice@example.org --size much",
        2,
        "expected a number",
    );
    refused(
        here,
        "account limit alice@example.org",
        2,
        "nothing would be other",
    );
}
